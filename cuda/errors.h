#pragma once
// How what CUDA reports becomes a gradus::CudaError. A `.cu` file may not include tensor/error.h:
// fmt would cost nvcc more than the kernels do. So only plain strings cross over to errors.cpp.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cuda/gpu.h"

namespace gradus::cuda {

/// Throws CudaError: what was being done, CUDA's name for the error, and its description.
[[noreturn]] void fail(std::string_view doing, const char* name, const char* description);
/// Throws DeviceError: there is no GPU; `reason` is what CUDA says about that.
[[noreturn]] void fail_without_device(const char* reason);
/// Throws CudaError: `bytes` were asked for, `taken` are in use or kept by the pool.
[[noreturn]] void fail_out_of_memory(size_t bytes, int64_t taken);

/// CudaError unless `code` is success.
inline void check_cuda(cudaError_t code, std::string_view doing) {
  if (code != cudaSuccess) fail(doing, cudaGetErrorName(code), cudaGetErrorString(code));
}

/// Called after each launch, and counts it. CudaError naming the kernel if it could not be
/// launched, or if one before it has failed since the last check. With GRADUS_SYNC=1 it also waits
/// for the kernel, so that the name is certain to be the right one.
void check_launch(std::string_view kernel);

}  // namespace gradus::cuda
