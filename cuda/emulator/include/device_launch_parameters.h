// threadIdx and the like, for editors that do not know nvcc.
#pragma once
#include <cuda_runtime.h>
