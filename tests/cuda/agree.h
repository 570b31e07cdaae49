#pragma once
// The question of most tests of CUDA kernels: does Device::CUDA compute what the CPU computes, and
// the same bits whatever the size of the grid? The CPU's kernels have tests of their own.
#include <functional>
#include <utility>

#include "cuda/cuda.h"
#include "cuda/grid.h"
#include "tensor/raw.h"
#include "tests/kernels.h"

namespace gradus::test {

/// Each op that a variant of scalar_ops.h can be, its numbers 0.
template <class Ops, size_t... i>
std::vector<Ops> every(std::index_sequence<i...>) {
  return {std::variant_alternative_t<i, Ops>{}...};
}
template <class Ops>
std::vector<Ops> every() {
  return every<Ops>(std::make_index_sequence<std::variant_size_v<Ops>>{});
}

using Tensors = std::vector<Tensor>;
/// Computes on the device where its inputs are; the outputs are there too.
using Kernel = std::function<Tensors(Backend&, const Tensors&)>;

inline void check_same(const Tensor& got, const Tensor& expected, double tolerance) {
  REQUIRE(got.shape() == expected.shape());
  const auto g = got.to_vector<double>(), e = expected.to_vector<double>();
  for (size_t i = 0; i < e.size(); ++i) {
    if (close(g[i], e[i], tolerance)) continue;
    CAPTURE(i);
    CAPTURE(e.size());
    CHECK(g[i] == e[i]);
    return;
  }
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  if (x.empty() || y.empty()) return x.empty() == y.empty();
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), 8 * x.size()) == 0;
}

/// Runs the kernel on the CPU and twice on the GPU: the results agree within 1e-5 (F32) or 1e-13,
/// times `factor`. The second run has to do with three blocks, and has the first one's bits.
inline void agree(const Tensors& inputs, const Kernel& kernel, double factor = 1) {
  cuda::install();
  Tensors there;
  for (const Tensor& x : inputs) there.push_back(raw::to(x, Device::CUDA));
  const Tensors expected = kernel(backend(Device::CPU), inputs);
  const Tensors got = kernel(backend(Device::CUDA), there);
  const int64_t before = std::exchange(cuda::max_blocks, 3);
  const Tensors again = kernel(backend(Device::CUDA), there);
  cuda::max_blocks = before;
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    const Tensor here = raw::to(got[i], Device::CPU);
    check_same(here, expected[i], factor * (here.dtype() == F32 ? 1e-5 : 1e-13));
    CHECK(same_bits(here, raw::to(again[i], Device::CPU)));
  }
}

}  // namespace gradus::test
