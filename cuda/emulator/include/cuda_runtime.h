// CUDA on a CPU. A `.cu` file that is compiled with -Icuda/emulator/include finds this header where
// nvcc finds NVIDIA's. cuda/emulator/README.md explains what is behind it.
#pragma once
#include "simt/atomics.h"
#include "simt/cached.h"
#include "simt/clock.h"
#include "simt/control.h"
#include "simt/copy_2d.h"
#include "simt/launch.h"
#include "simt/math.h"
#include "simt/occupancy.h"
#include "simt/runtime_api.h"
#include "simt/sync.h"
#include "simt/types.h"
