// The row kernels at the edges of floating point. Ordinary rows of any length are checked through
// the op table (check_definition).
#include "tests/kernels.h"

using namespace gradus;
using namespace gradus::test;

namespace {

cpu::CpuBackend kernels;

template <class T>
std::vector<double> row_of(const Array<T>& x, int64_t row, int64_t n) {
  return {x.data.begin() + row * n, x.data.begin() + (row + 1) * n};
}

double sum(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

double log_sum_exp(const std::vector<double>& x) {
  const double max = *std::max_element(x.begin(), x.end());
  double total = 0;
  for (double v : x) total += std::exp(v - max);
  return max + std::log(total);
}

template <class T>
Array<T> softmax_of(std::vector<double> values) {
  Array<T> x({1, static_cast<int64_t>(values.size())}), y = x;
  std::copy(values.begin(), values.end(), x.data.begin());
  kernels.softmax(x.view, y.view);
  return y;
}
template <class T>
Array<T> log_softmax_of(std::vector<double> values) {
  Array<T> x({1, static_cast<int64_t>(values.size())}), y = x;
  std::copy(values.begin(), values.end(), x.data.begin());
  kernels.log_softmax(x.view, y.view);
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("kernels: softmax of extreme rows", T, float, double) {
  // Far apart: no overflow, and what is 1000 below the maximum is 0.
  const auto far = softmax_of<T>({1000, 0, -1000, 1000});
  CHECK(far.data == std::vector<T>{T(0.5), 0, 0, T(0.5)});
  for (double big : {1e4, -1e4}) {
    const auto y = log_softmax_of<T>({big, big - 1, big - 2});
    check_close(y, [](int64_t i) { return -static_cast<double>(i) - log_sum_exp({0, -1, -2}); });
  }
  CHECK(log_softmax_of<T>({1e4, -1e4}).data == std::vector<T>{0, T(-2e4)});
  // One value hidden by -inf is 0; a row of nothing else, or with +inf or NaN, is NaN throughout.
  for (size_t n : {1u, 5u, 33u, 100u}) {
    std::vector<double> row(n, 1.0);
    row[n / 2] = -kInf;
    if (n > 1) CHECK(softmax_of<T>(row)[static_cast<int64_t>(n / 2)] == T(0));
    for (double bad : {kNaN, kInf}) {
      row[n / 2] = bad;
      const auto y = softmax_of<T>(row), ly = log_softmax_of<T>(row);
      CHECK(std::isnan(y[static_cast<int64_t>(n / 2)]));
      CHECK(std::isnan(ly[static_cast<int64_t>(n / 2)]));
    }
    const auto empty = softmax_of<T>(std::vector<double>(n, -kInf));
    for (T v : empty.data) CHECK(std::isnan(v));
  }
  std::vector<double> nan_first(40, 1.0);
  nan_first[0] = kNaN;
  for (T v : softmax_of<T>(nan_first).data) CHECK(std::isnan(v));
}

TEST_CASE("kernels: layer_norm far from zero loses only what the input has lost") {
  // Mean 10,000, deviation 1: E[x^2] - E[x]^2 would be off by several units in F32.
  const int64_t n = 1025;
  Array<float> x = scattered<float>({1, n}), y = x, weight({n}, 1.0f), bias({n}), mean({1}),
               rstd({1});
  for (float& v : x.data) v += 10000.0f;
  kernels.layer_norm(x.view, weight.view, bias.view, 1e-5, y.view, mean.view, rstd.view);
  const auto xs = row_of(x, 0, n);
  double m = sum(xs) / n, var = 0;
  for (double v : xs) var += (v - m) * (v - m) / n;
  CHECK(close(rstd[0], 1 / std::sqrt(var + 1e-5), 1e-4));
}

TEST_CASE_TEMPLATE("kernels: cross_entropy of extreme logits", T, float, double) {
  Array<T> x({4, 3});
  const double values[] = {0, 1000, -1000, 10000, 9999, 9998, -kInf, 0, 0, kNaN, 0, 0};
  std::copy(std::begin(values), std::end(values), x.data.begin());
  Array<int64_t> targets({4});
  targets.data = {2, 1, 1, 1};
  Array<T> losses({4}), lse({4, 2}), g({4}, T(1)), dx({4, 3});
  targets.view.data = targets.data.data();
  kernels.cross_entropy(x.view, targets.view, -100, 0, losses.view, lse.view);
  kernels.cross_entropy_backward(g.view, x.view, targets.view, lse.view, -100, 0, dx.view);
  CHECK(losses[0] == T(2000));
  CHECK(close(losses[1], 1 + log_sum_exp({0, -1, -2}), kTolerance<T>));
  CHECK(close(losses[2], std::log(2.0), kTolerance<T>));  // a hidden class costs nothing
  CHECK(std::isnan(losses[3]));
  CHECK(dx[2] == T(-1));
  CHECK(dx[6] == T(0));
  CHECK(close(dx[7], -0.5, kTolerance<T>));
  CHECK(std::isnan(dx[10]));
  // Every smoothed target wants some of the hidden class.
  kernels.cross_entropy(x.view, targets.view, -100, 0.1, losses.view, lse.view);
  CHECK(losses[2] == T(kInf));
}

TEST_CASE("kernels: cross_entropy takes one gradient for all rows as a stride of 0") {
  const Array<float> x = scattered<float>({5, 9}), one({1}, 0.5f), many({5}, 0.5f);
  Array<int64_t> targets({5}, 4);
  Array<float> losses({5}), lse({5, 2}), a({5, 9}), b({5, 9});
  kernels.cross_entropy(x.view, targets.view, -100, 0, losses.view, lse.view);
  View g = one.view;
  g.sizes[0] = 5;
  g.strides[0] = 0;
  kernels.cross_entropy_backward(g, x.view, targets.view, lse.view, -100, 0, a.view);
  kernels.cross_entropy_backward(many.view, x.view, targets.view, lse.view, -100, 0, b.view);
  CHECK(a.same_bits(b));
}

TEST_CASE("kernels: reduce cuts long sums of every layout, and few of them") {
  struct Case {
    View x;
    std::vector<int64_t> out;  // 1 where x is reduced
  };
  const Array<double> base = scattered<double>({3, 700, 96});
  View slice = base.view;  // every second column
  slice.sizes[2] /= 2, slice.strides[2] = 2;
  const View turned = transposed(base.view, 0, 2), inner = transposed(base.view, 1, 2);
  for (const Case& c :
       {Case{base.view, {1, 1, 1}}, Case{turned, {1, 1, 1}}, Case{slice, {1, 1, 1}},
        Case{slice, {3, 1, 1}}, Case{inner, {3, 1, 1}}, Case{base.view, {1, 700, 96}},
        Case{base.view, {3, 1, 96}}, Case{base.view, {1, 1, 96}}, Case{turned, {96, 1, 3}},
        Case{base.view, {3, 700, 1}}}) {
    Array<double> sum(c.out), largest(c.out);
    on_any_threads([&] {
      kernels.reduce(scalar::Sum{}, c.x, sum.view);
      kernels.reduce(scalar::Max{}, c.x, largest.view);
      return std::vector{sum, largest};
    });
    Array<double> expected_sum(c.out), expected_largest(c.out, -kInf);
    for (int64_t i = 0; i < c.x.sizes[0]; ++i)
      for (int64_t j = 0; j < c.x.sizes[1]; ++j)
        for (int64_t k = 0; k < c.x.sizes[2]; ++k) {
          const double v =
              c.x.as<double>()[i * c.x.strides[0] + j * c.x.strides[1] + k * c.x.strides[2]];
          const int64_t at[] = {i, j, k};
          int64_t to = 0;
          for (int d = 0; d < 3; ++d)
            to += (c.out[static_cast<size_t>(d)] == 1 ? 0 : at[d]) * sum.view.strides[d];
          expected_sum[to] += v;
          expected_largest[to] = std::max(expected_largest[to], v);
        }
    check_close(
        sum, [&](int64_t i) { return expected_sum[i]; }, 1e-10);
    CHECK(largest.same_bits(expected_largest));
  }
}
