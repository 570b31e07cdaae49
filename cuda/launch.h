#pragma once
// launch<kernel>({grid, block, shared_bytes, stream}, args…) for kernels of the library: gpu.h's,
// and then a look at what became of it. And the loop that most kernels consist of.
#include <cstdint>
#include <type_traits>
#include <utility>

#include "cuda/errors.h"
#include "cuda/grid.h"

namespace gradus::cuda {

/// CudaError with the kernel's name if it cannot be launched. The constraint makes this overload
/// the better one wherever argument-dependent lookup finds gpu.h's too.
template <auto Kernel, class... Args>
requires std::is_invocable_v<decltype(Kernel), Args...>
void launch(const LaunchConfig& config, Args&&... args) {
  ::launch<Kernel>(config, std::forward<Args>(args)...);
  check_launch(kernel_name<Kernel>());
}

inline constexpr int kThreads = 256;  // a block of the kernels that have no reason for another size

/// Enough threads for n elements, one each, or in a large tensor several:
///   for (int64_t i = first_element(); i < n; i += element_step()) …
/// Neighbouring threads have neighbouring elements, so a warp's accesses coalesce.
inline LaunchConfig elements(int64_t n, cudaStream_t stream,
                             LaunchSite site = LaunchSite::current()) {
  return {blocks_for((n + kThreads - 1) / kThreads), kThreads, 0, stream, site};
}
__device__ inline int64_t first_element() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline int64_t element_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

}  // namespace gradus::cuda
