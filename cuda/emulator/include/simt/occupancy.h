// How many blocks fit on a multiprocessor, and what is known about a kernel. Registers, which limit
// both on a GPU, are not modelled: only the numbers of threads and of bytes of dynamic shared
// memory count.
#pragma once
#include "simt/runtime_api.h"

struct cudaFuncAttributes {
  std::size_t sharedSizeBytes, constSizeBytes, localSizeBytes;  // 0: not known before it runs
  int maxThreadsPerBlock, numRegs;                              // 1024; 0: not known
  int ptxVersion, binaryVersion;                                // of the emulated architecture
  int maxDynamicSharedSizeBytes;
};

namespace simt {
cudaError_t function_attributes(cudaFuncAttributes*, const void* function);
cudaError_t active_blocks(int* blocks, int threads, std::size_t dynamic_bytes);
cudaError_t best_block(int* grid, int* threads, std::size_t dynamic_bytes, int limit);
}  // namespace simt

template <class Function>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, Function* function) {
  return simt::function_attributes(attributes, reinterpret_cast<const void*>(function));
}
template <class Function>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function*, int threads,
                                                          std::size_t dynamic_bytes) {
  return simt::active_blocks(blocks, threads, dynamic_bytes);
}
/// The largest block, with at most `limit` threads unless that is 0, and a grid that fills the
/// device.
template <class Function>
cudaError_t cudaOccupancyMaxPotentialBlockSize(int* grid, int* threads, Function*,
                                               std::size_t dynamic_bytes = 0, int limit = 0) {
  return simt::best_block(grid, threads, dynamic_bytes, limit);
}
