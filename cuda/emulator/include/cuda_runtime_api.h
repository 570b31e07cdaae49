// The runtime API. The emulator does not separate it from the rest.
#pragma once
#include <cuda_runtime.h>
