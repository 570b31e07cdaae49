// What `make doctor` says about speed: the kernels that OpenBLAS uses, and how fast this machine
// multiplies and reads, on one thread and on all. The two figures are the roof over everything
// else: an operation is bound by the one (matrix products) or by the other (everything that touches
// each number once).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "examples/support/show/standard_output.h"
#include "tensor/random.h"
#include "tensor/raw.h"
#include "tensor/runtime.h"

using namespace gradus;

namespace {

/// Seconds of the fastest of a few calls, after one that warms up.
template <class F>
double best_seconds(F&& f) {
  f();
  double best = 1e9;
  for (int i = 0; i < 7; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best;
}

void measure(int threads) {
  set_num_threads(threads);
  const int64_t n = 1536, m = 16'000'000;
  const Tensor a = randn({n, n}), b = randn({n, n});
  const double product = best_seconds([&] { raw::matmul(a, b); });
  const Tensor x = zeros({m});  // 64 MB: more than a cache holds
  const double read = best_seconds([&] { raw::reduce(scalar::Sum{}, x, {0}, false); });
  fmt::print("  {:<18}{:>7.0f} GFLOP/s in a {} × {} product{:>9.1f} GB/s in a sum\n",
             fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"),
             2.0 * static_cast<double>(n * n * n) / product * 1e-9, n, n,
             4.0 * static_cast<double>(m) / read * 1e-9);
}

}  // namespace

int main() {
  const int threads = get_num_threads();
  fmt::print("  {:<18}{}\n", "built for", built_for());
  fmt::print("  {:<18}{}\n", "BLAS kernel", blas_kernel());
  for (const int t : std::set<int>{1, threads}) measure(t);
  return support::status_after_output(0);
}
