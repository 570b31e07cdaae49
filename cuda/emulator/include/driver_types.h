// cudaError_t, cudaStream_t and the like.
#pragma once
#include <cuda_runtime.h>
