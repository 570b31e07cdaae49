// softmax, log_softmax, layer_norm and cross_entropy against their formulas in double.
#include "tests/kernels.h"

using namespace gradus;
using namespace gradus::test;

namespace {

cpu::CpuBackend kernels;

// Enough rows of n that a second thread is given some.
int64_t rows_for(int64_t n) { return 40000 / n + 37; }

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

TEST_CASE_TEMPLATE("kernels: softmax and log_softmax", T, float, double) {
  for (int64_t n : kLengths) {
    CAPTURE(n);
    const int64_t rows = rows_for(n);
    const Array<T> x = scattered<T>({rows, n}), g = scattered<T>({rows, n}, 2);
    Array<T> y({rows, n}), dy({rows, n}), ly({rows, n}), dly({rows, n});
    on_any_threads([&] {
      kernels.softmax(x.view, y.view);
      kernels.softmax_backward(g.view, y.view, dy.view);
      kernels.log_softmax(x.view, ly.view);
      kernels.log_softmax_backward(g.view, ly.view, dly.view);
      return std::vector{y, dy, ly, dly};
    });
    std::vector<double> ey, edy, ely, edly;
    for (int64_t row = 0; row < rows; ++row) {
      const auto xs = row_of(x, row, n), gs = row_of(g, row, n);
      const double lse = log_sum_exp(xs);
      double dot = 0;
      for (size_t j = 0; j < xs.size(); ++j) dot += gs[j] * std::exp(xs[j] - lse);
      for (size_t j = 0; j < xs.size(); ++j) {
        const double p = std::exp(xs[j] - lse);
        ey.push_back(p);
        edy.push_back(p * (gs[j] - dot));
        ely.push_back(xs[j] - lse);
        edly.push_back(gs[j] - p * sum(gs));
      }
    }
    const auto at = [](const std::vector<double>& v) {
      return [&v](int64_t i) { return v[static_cast<size_t>(i)]; };
    };
    check_close(y, at(ey));
    check_close(dy, at(edy));
    check_close(ly, at(ely));
    check_close(dly, at(edly), 10 * kTolerance<T>);
  }
}

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

TEST_CASE_TEMPLATE("kernels: layer_norm", T, float, double) {
  const double eps = 1e-5;
  for (int64_t n : kLengths) {
    CAPTURE(n);
    const int64_t rows = rows_for(n);
    const Array<T> x = scattered<T>({rows, n}), g = scattered<T>({rows, n}, 2);
    const Array<T> weight = scattered<T>({n}, 3), bias = scattered<T>({n}, 4);
    Array<T> y({rows, n}), dx({rows, n}), mean({rows}), rstd({rows}), dw({n}), db({n});
    on_any_threads([&] {
      kernels.layer_norm(x.view, weight.view, bias.view, eps, y.view, mean.view, rstd.view);
      kernels.layer_norm_backward(g.view, x.view, weight.view, mean.view, rstd.view, dx.view,
                                  dw.view, db.view);
      return std::vector{y, mean, rstd, dx, dw, db};
    });
    Array<double> ey({rows, n}), edx({rows, n}), edw({n}), edb({n});
    const double count = static_cast<double>(n);
    for (int64_t row = 0; row < rows; ++row) {
      const auto xs = row_of(x, row, n), gs = row_of(g, row, n);
      const double m = sum(xs) / count;
      double var = 0, mean_h = 0, mean_hz = 0;
      for (double v : xs) var += (v - m) * (v - m) / count;
      const double r = 1 / std::sqrt(var + eps);
      const auto z = [&](int64_t j) { return (xs[static_cast<size_t>(j)] - m) * r; };
      const auto h = [&](int64_t j) { return gs[static_cast<size_t>(j)] * double(weight[j]); };
      for (int64_t j = 0; j < n; ++j) {
        mean_h += h(j) / count;
        mean_hz += h(j) * z(j) / count;
        edw[j] += gs[static_cast<size_t>(j)] * z(j);
        edb[j] += gs[static_cast<size_t>(j)];
      }
      for (int64_t j = 0; j < n; ++j) {
        ey[row * n + j] = z(j) * double(weight[j]) + double(bias[j]);
        edx[row * n + j] = r * (h(j) - mean_h - z(j) * mean_hz);
      }
    }
    // With one column z is 0 and r = 1 / sqrt(eps) magnifies the rounding of h - mean(h).
    const double scale = n == 1 ? 1000 : 1;
    // Unvectorised (-O1), mean and variance are sums of 1,025 terms in one lane: their rounding
    // shows.
    check_close(
        y, [&](int64_t i) { return ey[i]; }, 4 * kTolerance<T>);
    check_close(
        dx, [&](int64_t i) { return edx[i]; }, 4 * scale * kTolerance<T>);
    check_close(
        dw, [&](int64_t i) { return edw[i]; }, 100 * kTolerance<T>);
    check_close(
        db, [&](int64_t i) { return edb[i]; }, 100 * kTolerance<T>);
  }
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

TEST_CASE_TEMPLATE("kernels: cross_entropy", T, float, double) {
  const int64_t ignore = -100;
  for (int64_t n : kLengths)
    for (double smoothing : {0.0, 0.1}) {
      CAPTURE(n);
      const int64_t rows = rows_for(n);
      const Array<T> x = scattered<T>({rows, n}), g = scattered<T>({rows}, 2);
      Array<int64_t> targets({rows});
      for (int64_t i = 0; i < rows; ++i) targets[i] = i % 5 == 3 ? ignore : i * 7 % n;
      Array<T> losses({rows}, T(9)), lse({rows, 2}, T(9)), dx({rows, n}, T(9));
      on_any_threads([&] {
        kernels.cross_entropy(x.view, targets.view, ignore, smoothing, losses.view, lse.view);
        kernels.cross_entropy_backward(g.view, x.view, targets.view, lse.view, ignore, smoothing,
                                       dx.view);
        return std::vector{losses, dx};
      });
      Array<double> expected({rows}), edx({rows, n});
      for (int64_t row = 0; row < rows; ++row) {
        if (targets[row] == ignore) continue;
        const auto xs = row_of(x, row, n);
        const double log_z = log_sum_exp(xs), count = static_cast<double>(n);
        for (int64_t j = 0; j < n; ++j) {
          const double target = (1 - smoothing) * (j == targets[row]) + smoothing / count;
          const double log_p = xs[static_cast<size_t>(j)] - log_z;
          expected[row] -= target * log_p;
          edx[row * n + j] = double(g[row]) * (std::exp(log_p) - target);
        }
      }
      check_close(losses, [&](int64_t i) { return expected[i]; });
      check_close(dx, [&](int64_t i) { return edx[i]; });
    }
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
      kernels.reduce(ReduceOp::Sum, c.x, sum.view);
      kernels.reduce(ReduceOp::Max, c.x, largest.view);
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
