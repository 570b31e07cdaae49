// The runtime API, which the emulator does not keep apart from the rest.
#pragma once
#include <cuda_runtime.h>
