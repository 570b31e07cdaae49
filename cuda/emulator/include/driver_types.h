// cudaError_t, cudaStream_t and their like.
#pragma once
#include <cuda_runtime.h>
