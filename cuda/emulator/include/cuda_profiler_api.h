// These tell a profiler where to look. The emulator's counters (GRADUS_CUDA_PROFILE=1) count
// everything, so here they do nothing.
#pragma once
#include <cuda_runtime.h>

inline cudaError_t cudaProfilerStart() { return cudaSuccess; }
inline cudaError_t cudaProfilerStop() { return cudaSuccess; }
