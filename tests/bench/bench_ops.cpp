// Operations one by one. On tiny tensors we see what recording an operation costs. On large ones we
// see how close the kernels come to what memory and arithmetic allow.
//   build/bin/bench_ops [--benchmark_filter=REGEX]
// A primitive operation on a small tensor that takes more than 5 microseconds, recording included,
// is a defect.
#include <benchmark/benchmark.h>

#include <cstring>

#include "autograd/autograd.h"

using namespace gradus;

namespace {

// ---- Small tensors: the cost of being an operation ----------------------------------------------

void small(benchmark::State& state, const std::function<Tensor(const Tensor&, const Tensor&)>& op,
           bool recording) {
  Tensor a = randn({2, 3}), b = randn({2, 3});
  a.set_requires_grad(recording);
  b.set_requires_grad(recording);
  for (auto _ : state) benchmark::DoNotOptimize(op(a, b));
}
void small_backward(benchmark::State& state) {
  Tensor a = randn({2, 3}), b = randn({2, 3});
  a.set_requires_grad();
  b.set_requires_grad();
  for (auto _ : state) {
    Tensor y = a;
    for (int i = 0; i < 100; ++i) y = y * b + a;
    backward(sum(y));
    a.zero_grad();
    b.zero_grad();
  }
  state.counters["ns/op"] = benchmark::Counter(
      200e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// ---- Large tensors: bytes or floating-point operations per second -------------------------------

void count_bytes(benchmark::State& state, double per_iteration) {
  state.counters["GB/s"] =
      benchmark::Counter(per_iteration * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}
void copying(benchmark::State& state) {  // the yardstick for the others
  const Tensor x = randn({1 << 20});
  std::vector<float> copy(1 << 20);
  for (auto _ : state) {
    std::memcpy(copy.data(), x.data<float>(), copy.size() * sizeof(float));
    benchmark::ClobberMemory();
  }
  count_bytes(state, 8.0 * (1 << 20));
}
void elementwise(benchmark::State& state, const std::function<Tensor(const Tensor&)>& op) {
  const Tensor x = randn({768, state.range(0)});
  for (auto _ : state) benchmark::DoNotOptimize(op(x));
  count_bytes(state, 8.0 * 768 * static_cast<double>(state.range(0)));
}
void products(benchmark::State& state) {
  const int64_t m = state.range(0), k = state.range(1), n = state.range(2);
  const Tensor a = randn({m, k}), b = randn({k, n});
  for (auto _ : state) benchmark::DoNotOptimize(raw::matmul(a, b));
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(m * k * n),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}
void attention(benchmark::State& state) {
  const Tensor qkv = randn({12, state.range(0), 3 * 128});
  for (auto _ : state) benchmark::DoNotOptimize(packed_attention(qkv, 4, {.causal = true}));
}

}  // namespace

BENCHMARK_CAPTURE(
    small, add, [](const Tensor& a, const Tensor& b) { return a + b; }, false);
BENCHMARK_CAPTURE(
    small, add_recorded, [](const Tensor& a, const Tensor& b) { return a + b; }, true);
BENCHMARK_CAPTURE(
    small, mul_recorded, [](const Tensor& a, const Tensor& b) { return a * b; }, true);
BENCHMARK_CAPTURE(
    small, exp_recorded, [](const Tensor& a, const Tensor&) { return exp(a); }, true);
BENCHMARK_CAPTURE(
    small, sum_recorded, [](const Tensor& a, const Tensor&) { return sum(a); }, true);
BENCHMARK_CAPTURE(
    small, transpose_recorded, [](const Tensor& a, const Tensor&) { return t(a); }, true);
BENCHMARK_CAPTURE(
    small, matmul_recorded, [](const Tensor& a, const Tensor& b) { return matmul(a, t(b)); }, true);
BENCHMARK_CAPTURE(
    small, softmax_recorded, [](const Tensor& a, const Tensor&) { return softmax(a); }, true);
BENCHMARK(small_backward);
BENCHMARK(copying)->UseRealTime();
BENCHMARK_CAPTURE(elementwise, add_scalar, [](const Tensor& x) { return x + 1.0; })
    ->Arg(128)
    ->Arg(4096)
    ->UseRealTime();
BENCHMARK_CAPTURE(elementwise, exp, [](const Tensor& x) { return exp(x); })
    ->Arg(128)
    ->Arg(4096)
    ->UseRealTime();
BENCHMARK_CAPTURE(elementwise, gelu_tanh, [](const Tensor& x) { return gelu(x, GeluForm::Tanh); })
    ->Arg(128)
    ->Arg(4096)
    ->UseRealTime();
BENCHMARK_CAPTURE(elementwise, softmax, [](const Tensor& x) { return softmax(x); })
    ->Arg(128)
    ->Arg(4096)
    ->UseRealTime();
BENCHMARK_CAPTURE(elementwise, sum_rows, [](const Tensor& x) { return sum(x, {1}); })
    ->Arg(128)
    ->Arg(4096)
    ->UseRealTime();
BENCHMARK_CAPTURE(elementwise, sum_columns, [](const Tensor& x) { return sum(x, {0}); })
    ->Arg(128)
    ->Arg(4096)
    ->UseRealTime();
BENCHMARK(products)
    ->Args({768, 128, 384})
    ->Args({768, 512, 128})
    ->Args({1, 768, 3072})
    ->Args({1024, 1024, 1024})
    ->UseRealTime();
BENCHMARK(attention)->Arg(64)->Arg(256)->UseRealTime();

BENCHMARK_MAIN();
