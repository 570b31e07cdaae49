// Where a profiler shall look. Here it is GRADUS_CUDA_PROFILE that counts, and it counts everything.
#pragma once
#include <cuda_runtime.h>

inline cudaError_t cudaProfilerStart() { return cudaSuccess; }
inline cudaError_t cudaProfilerStop() { return cudaSuccess; }
