// The one header through which a `.cu` file of this project meets CUDA. It compiles two ways:
//
//   nvcc   <cuda_runtime.h> is NVIDIA's, and the few names below are thin spellings of CUDA's own;
//   g++    <cuda_runtime.h> is the emulator's (-Icuda/emulator/include comes first), which defines
//          the same names, and SIMT_EMULATOR.
//
//   CUDA                                      here
//   add<float><<<grid, block, bytes, s>>>(x)  launch<add<float>>({grid, block, bytes, s}, x)
//   __shared__ float tile[32][33];            SHARED(float, tile, [32][33]);
//   __shared__ __align__(16) float row[64];   SHARED_ALIGNED(16, float, row, [64]);
//   extern __shared__ float scratch[];        DYN_SHARED(float, scratch);
//
// Everything else is plain CUDA. `<<< >>>` is not C++, hence launch; __shared__ could be made
// empty, but an array that the emulator allocates can be guarded, poisoned and named in its
// reports.
#pragma once
#include <cuda_runtime.h>

#include <string_view>

#if !defined(SIMT_EMULATOR)
  #include <climits>
  #include <cstdint>
  #include <type_traits>
  #include <utility>

  #define SHARED(T, name, ...) __shared__ T name __VA_ARGS__
  #define SHARED_ALIGNED(A, T, name, ...) \
    __shared__ __align__(A)               \
    T name __VA_ARGS__
  #define DYN_SHARED(T, name)                                       \
    extern __shared__ __align__(16) unsigned char dynamic_shared[]; \
    T* name = reinterpret_cast<T*>(dynamic_shared)

/// The size of a grid or a block, from a dim3 or any integer: dim3's unsigned would make
/// {(n + 255) / 256, 256} a narrowing error. What does not fit becomes 0, which no launch accepts.
struct Extent {
  dim3 size;
  Extent(dim3 s) : size(s) {}
  template <class Int>
  requires std::is_integral_v<Int> Extent(Int n)
      : size(std::in_range<unsigned>(n) ? unsigned(n) : 0u) {}
};

/// Where in the source a launch was written. Only the emulator's reports want to know.
struct LaunchSite {
  static constexpr LaunchSite current() { return {}; }
};

/// What stands between <<< and >>>.
struct LaunchConfig {
  dim3 grid, block;
  std::size_t shared_bytes;
  cudaStream_t stream;
  LaunchConfig(Extent g, Extent b, std::size_t bytes = 0, cudaStream_t s = nullptr,
               LaunchSite = LaunchSite::current())
      : grid(g.size), block(b.size), shared_bytes(bytes), stream(s) {}
};

/// The kernel's name as C++ spells it, `softmax<float>`.
template <auto Kernel>
constexpr std::string_view kernel_name() {
  const std::string_view pretty =
      __PRETTY_FUNCTION__;  // "… [with auto Kernel = softmax<float>; …]"
  const std::size_t begin = pretty.find("Kernel = ") + 9;
  const std::size_t end = pretty.find(';', begin);
  return pretty.substr(begin, (end == pretty.npos ? pretty.rfind(']') : end) - begin);
}

/// Runs a kernel on a grid, asynchronously. cudaGetLastError() says whether it could be launched.
template <auto Kernel, class... Args>
void launch(const LaunchConfig& config, Args&&... args) {
  Kernel<<<config.grid, config.block, config.shared_bytes, config.stream>>>(
      std::forward<Args>(args)...);
}
#endif
