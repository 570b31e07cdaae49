// Occupancy, as far as it can be known without a GPU compiler. See simt/occupancy.h.
#include <cuda_runtime.h>

#include <algorithm>

#include "cuda/emulator/errors.h"
#include "cuda/emulator/launch.h"

namespace simt {

cudaError_t function_attributes(cudaFuncAttributes* attributes, const void* function) {
  *attributes = {};
  attributes->maxThreadsPerBlock = 1024;
  attributes->ptxVersion = attributes->binaryVersion = config().arch;
  attributes->maxDynamicSharedSizeBytes = int(dynamic_limit(function));
  return set_error(cudaSuccess);
}

cudaError_t active_blocks(int* blocks, int threads, std::size_t dynamic_bytes) {
  cudaDeviceProp device;
  if (const cudaError_t e = cudaGetDeviceProperties(&device, 0); e != cudaSuccess) return e;
  if (threads < 1 || threads > device.maxThreadsPerBlock) return set_error(cudaErrorInvalidValue);
  const int whole_warps = (threads + device.warpSize - 1) / device.warpSize * device.warpSize;
  *blocks =
      std::min(device.maxThreadsPerMultiProcessor / whole_warps, device.maxBlocksPerMultiProcessor);
  // Since sm_80 the system reserves 1 KiB of shared memory for each block.
  const std::size_t shared = dynamic_bytes + (config().arch >= 80 ? 1024 : 0);
  if (shared > 0)
    *blocks = int(std::min(std::size_t(*blocks), device.sharedMemPerMultiprocessor / shared));
  return set_error(cudaSuccess);
}

cudaError_t best_block(int* grid, int* threads, std::size_t dynamic_bytes, int limit) {
  cudaDeviceProp device;
  if (const cudaError_t e = cudaGetDeviceProperties(&device, 0); e != cudaSuccess) return e;
  *threads = limit > 0 ? std::min(limit, device.maxThreadsPerBlock) : device.maxThreadsPerBlock;
  int blocks = 0;
  const cudaError_t error = active_blocks(&blocks, *threads, dynamic_bytes);
  *grid = blocks * device.multiProcessorCount;
  return error;
}

}  // namespace simt
