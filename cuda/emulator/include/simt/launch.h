// launch<kernel>(config, arguments…), and shared memory. A launch works as on a GPU: the
// arguments are converted to the parameters' types and copied, byte by byte, into a parameter
// buffer. Every thread then reads its own copies from there. launch.cpp does the rest.
#pragma once
#include <array>
#include <climits>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "simt/types.h"

namespace simt {

struct Stream;

/// The size of a grid or a block, from a dim3 or any integer. With a plain dim3, which is unsigned,
/// {(n + 255) / 256, 256} would be a narrowing error. A size that does not fit becomes 0, which no
/// launch accepts.
struct Extent {
  dim3 size;
  Extent(dim3 s) : size(s) {}
  template <class Int>
  requires std::is_integral_v<Int> Extent(Int n)
      : size(std::in_range<unsigned>(n) ? unsigned(n) : 0u) {}
};

/// What nvcc takes between <<< and >>>, and the place in the source where it was written.
struct LaunchConfig {
  dim3 grid, block;
  std::size_t shared_bytes;
  Stream* stream;
  Loc where;
  LaunchConfig(Extent g, Extent b, std::size_t bytes = 0, Stream* s = nullptr,
               Loc caller = Loc::current())
      : grid(g.size), block(b.size), shared_bytes(bytes), stream(s), where(caller) {}
};

/// One parameter's place in the parameter buffer, with the same layout as PTX's .param space.
struct Parameter {
  std::size_t offset, bytes;
  bool is_pointer;
};

template <class... P>
constexpr auto parameter_layout() {
  std::array<Parameter, sizeof...(P)> layout{};
  std::size_t end = 0;
  [[maybe_unused]] std::size_t i = 0;
  [[maybe_unused]] const auto append = [&](std::size_t bytes, std::size_t alignment,
                                           bool is_pointer) {
    const std::size_t offset = (end + alignment - 1) / alignment * alignment;
    layout[i++] = {offset, bytes, is_pointer};
    end = offset + bytes;
  };
  (append(sizeof(P), alignof(P), std::is_pointer_v<P>), ...);
  return std::pair{layout, end};
}

/// All that is known about a kernel. There is one of these for each launch<kernel>.
struct Kernel {
  std::string_view name;
  const void* function;                  // its address: g++ and nvcc give it the same symbol
  void (*call)(const void* parameters);  // runs one thread
  const Parameter* parameters;
  std::size_t parameter_count, parameter_bytes;
};

void launch_kernel(const Kernel&, const LaunchConfig&, const void* parameters);

template <auto K, class... P>
struct KernelOf {
  static_assert((std::is_trivially_copyable_v<P> && ...), "parameters are copied byte by byte");
  static_assert(((alignof(P) <= alignof(std::max_align_t)) && ...));
  static constexpr auto layout = parameter_layout<P...>();

  /// Whether arguments of these types convert, without a cast, to the parameters.
  template <class... Args>
  static constexpr bool accepts = std::is_invocable_v<void (*)(P...), Args...>;

  static void call(const void* parameters) {
    call_with(static_cast<const std::byte*>(parameters), std::index_sequence_for<P...>());
  }
  template <std::size_t... I>
  static void call_with([[maybe_unused]] const std::byte* buffer, std::index_sequence<I...>) {
    K(*reinterpret_cast<const P*>(buffer + layout.first[I].offset)...);
  }

  template <class... Args>
  static void launch(std::string_view name, const LaunchConfig& config, Args&&... args) {
    static_assert(sizeof...(P) == sizeof...(Args), "wrong number of kernel arguments");
    static_assert(accepts<Args...>,
                  "an argument does not convert to the type of the kernel's parameter");
    alignas(std::max_align_t) std::byte buffer[layout.second + 1] = {};
    [[maybe_unused]] std::size_t i = 0;
    (..., put(buffer + layout.first[i++].offset, P(std::forward<Args>(args))));
    launch_kernel({name, reinterpret_cast<const void*>(K), call, layout.first.data(), sizeof...(P),
                   layout.second},
                  config, buffer);
  }
  template <class T>
  static void put(std::byte* place, const T& value) {
    std::memcpy(place, &value, sizeof value);
  }
};

template <auto K, class... P>
KernelOf<K, std::remove_cv_t<P>...> kernel_of(void (*)(P...));

/// The declaration of a static __shared__ array. Each block has one piece of memory for it.
struct SharedDeclaration {
  const char* name;
  std::size_t bytes, align, element_bytes;
  const char* file;
  int line;
};
void* static_shared(const SharedDeclaration&);
void* dynamic_shared(std::size_t element_bytes = 1);

}  // namespace simt

using Extent = simt::Extent;
using LaunchConfig = simt::LaunchConfig;
using LaunchSite = simt::Loc;

/// The kernel's name as C++ spells it: `softmax<float>`.
template <auto Kernel>
constexpr std::string_view kernel_name() {
  // "… [with auto Kernel = softmax<float>; …]"
  const std::string_view pretty = __PRETTY_FUNCTION__;
  std::size_t begin = pretty.find("Kernel = ") + 9;
  if (pretty[begin] == '&') ++begin;  // clang writes &softmax<float>
  const std::size_t end = pretty.find(';', begin);
  return pretty.substr(begin, (end == pretty.npos ? pretty.rfind(']') : end) - begin);
}

/// Runs a kernel on a grid. cudaGetLastError() says whether it could be launched.
template <auto Kernel, class... Args>
void launch(const LaunchConfig& config, Args&&... args) {
  decltype(simt::kernel_of<Kernel>(Kernel))::launch(kernel_name<Kernel>(), config,
                                                    std::forward<Args>(args)...);
}

#define SHARED(T, name, ...) SHARED_ALIGNED(alignof(T), T, name, __VA_ARGS__)
#define SHARED_ALIGNED(A, T, name, ...)                                \
  static constexpr simt::SharedDeclaration name##_declaration{         \
      #name, sizeof(T __VA_ARGS__), A, sizeof(T), __FILE__, __LINE__}; \
  auto& name = *static_cast<std::remove_reference_t<T __VA_ARGS__>*>(  \
      simt::static_shared(name##_declaration))
#define DYN_SHARED(T, name) T* name = static_cast<T*>(simt::dynamic_shared(sizeof(T)))
