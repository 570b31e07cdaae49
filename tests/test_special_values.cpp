// Regression 7: zero, infinity, ties and NaN. In float32 and float64, and on enough elements that
// both the vector loop and its scalar tail see each value.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/engine.h"
#include "autograd/ops.h"

using namespace gradus;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Unary = Tensor (*)(const Tensor&);

bool same(double got, double wanted) {
  return std::isnan(wanted) ? std::isnan(got) : got == wanted || std::abs(got - wanted) < 1e-6;
}

/// f(x) = y and f'(x) = slope for every one of 37 equal elements.
void check_at(const char* what, Unary f, double x, double y, double slope) {
  for (const DType dtype : {F32, F64}) {
    CAPTURE(what);
    CAPTURE(name(dtype));
    CAPTURE(x);
    const Tensor in = full({37}, x, dtype).set_requires_grad();
    const Tensor out = f(in);
    for (double v : out.to_vector<double>()) CHECK_MESSAGE(same(v, y), v, " for ", y);
    const Tensor g = grad(out, {in}, {}, ones_like(out))[0];
    for (double v : g.to_vector<double>())
      CHECK_MESSAGE(same(v, slope), "slope ", v, " for ", slope);
  }
}

const std::vector<std::pair<const char*, Unary>>& elementwise() {
  static const std::vector<std::pair<const char*, Unary>> all = {
      {"neg", neg},
      {"exp", exp},
      {"log", log},
      {"sqrt", sqrt},
      {"rsqrt", rsqrt},
      {"reciprocal", reciprocal},
      {"square", square},
      {"abs", abs},
      {"sign", sign},
      {"sin", sin},
      {"cos", cos},
      {"erf", erf},
      {"tanh", tanh},
      {"sigmoid", sigmoid},
      {"relu", relu},
      {"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }},
      {"silu", silu},
      {"softplus", softplus},
      {"gelu", [](const Tensor& x) { return gelu(x); }},
      {"gelu_tanh", [](const Tensor& x) { return gelu(x, GeluForm::Tanh); }},
      {"clamp", [](const Tensor& x) { return clamp(x, -1, 1); }},
      {"pow_scalar", [](const Tensor& x) { return pow(x, 2.5); }},
      {"add_scalar", [](const Tensor& x) { return x + 1.0; }},
      {"mul_scalar", [](const Tensor& x) { return x * 0.0; }},
      {"maximum", [](const Tensor& x) { return maximum(x, zeros_like(x)); }},
      {"maximum, second", [](const Tensor& x) { return maximum(zeros_like(x), x); }},
      {"minimum", [](const Tensor& x) { return minimum(x, zeros_like(x)); }},
      {"minimum, second", [](const Tensor& x) { return minimum(zeros_like(x), x); }},
      {"add", [](const Tensor& x) { return x + zeros_like(x); }},
      {"sub", [](const Tensor& x) { return zeros_like(x) - x; }},
      {"mul", [](const Tensor& x) { return zeros_like(x) * x; }},
      {"div", [](const Tensor& x) { return zeros_like(x) / x; }},
  };
  return all;
}

/// Whether f of n numbers is NaN if any one of them is NaN.
bool spreads_nan(Unary f, DType dtype, int64_t n) {
  for (int64_t at = 0; at < n; ++at) {
    const Tensor x = ones({n}, dtype);
    raw::fill_(raw::slice(x, 0, at, at + 1), kNaN);
    for (double v : f(x).to_vector<double>())
      if (!std::isnan(v)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("special values: 0") {
  check_at("sign", sign, 0, 0, 0);
  check_at("abs", abs, 0, 0, 0);
  check_at("relu", relu, 0, 0, 0);
  check_at(
      "leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); }, 0, 0, 0.2);
  check_at("log", log, 0, -kInf, kInf);
  check_at("sqrt", sqrt, 0, 0, kInf);
  check_at(
      "gelu", [](const Tensor& x) { return gelu(x); }, 0, 0, 0.5);
  check_at(
      "clamp at its end", [](const Tensor& x) { return clamp(x, 0, 1); }, 0, 0, 1);
}

TEST_CASE("special values: pow") {
  check_at(
      "x^0", [](const Tensor& x) { return pow(x, 0); }, 0, 1, 0);
  check_at(
      "x^1", [](const Tensor& x) { return pow(x, 1); }, 0, 0, 1);
  check_at(
      "x^2", [](const Tensor& x) { return pow(x, 2); }, 0, 0, 0);
  check_at(
      "x^-1", [](const Tensor& x) { return pow(x, -1); }, 2, 0.5, -0.25);
  check_at(
      "(-2)^3", [](const Tensor& x) { return pow(x, 3); }, -2, -8, 12);
  check_at(
      "(-2)^0.5", [](const Tensor& x) { return pow(x, 0.5); }, -2, kNaN, kNaN);
  // 0^y = 0 for y > 0, so its slope in y is 0; 0^0 = 1
  check_at(
      "0^y", [](const Tensor& y) { return pow(zeros_like(y), y); }, 2, 0, 0);
  check_at(
      "0^y at 0", [](const Tensor& y) { return pow(zeros_like(y), y); }, 0, 1, 0);
}

TEST_CASE("special values: infinity and far out") {
  check_at("exp", exp, kInf, kInf, kInf);
  check_at("exp", exp, -kInf, 0, 0);
  check_at("sigmoid", sigmoid, kInf, 1, 0);
  check_at("sigmoid", sigmoid, -kInf, 0, 0);
  check_at("tanh", tanh, kInf, 1, 0);
  check_at("tanh", tanh, -kInf, -1, 0);
  check_at("softplus", softplus, 800, 800, 1);
  check_at("softplus", softplus, -800, 0, 0);
  const Unary gelus[] = {[](const Tensor& x) { return gelu(x); },
                         [](const Tensor& x) { return gelu(x, GeluForm::Tanh); }};
  for (const Unary f : gelus) {
    check_at("gelu", f, 100, 100, 1);
    check_at("gelu", f, -100, 0, 0);
  }
  check_at("silu", silu, 100, 100, 1);
  check_at("silu", silu, -1000, 0, 0);
  check_at("relu", relu, -kInf, 0, 0);
  check_at("relu", relu, kInf, kInf, 1);
}

TEST_CASE("special values: ties share the gradient") {
  const Tensor x = tensor<double>({3, 1, 3, 3}).set_requires_grad();
  CHECK(grad(max(x), {x})[0].to_vector<double>() == std::vector<double>{1. / 3, 0, 1. / 3, 1. / 3});
  const Tensor y = tensor<double>({2, 2, 5}).set_requires_grad();
  CHECK(grad(min(y), {y})[0].to_vector<double>() == std::vector<double>{0.5, 0.5, 0});
  const Tensor a = tensor<double>({1, 2}).set_requires_grad(),
               b = tensor<double>({1, 0}).set_requires_grad();
  const auto g = grad(sum(maximum(a, b)), {a, b});
  CHECK(g[0].to_vector<double>() == std::vector<double>{0.5, 1});
  CHECK(g[1].to_vector<double>() == std::vector<double>{0.5, 0});
  CHECK(argmax(x).item_int() == 0);
  CHECK(topk(x, 3).indices.to_vector<int64_t>() == std::vector<int64_t>{0, 2, 3});
}

TEST_CASE("special values: rows of infinities") {
  for (const DType dtype : {F32, F64}) {
    const Tensor hidden = full({2, 33}, -kInf, dtype);
    for (double v : softmax(hidden).to_vector<double>()) CHECK(std::isnan(v));
    for (double v : logsumexp(hidden, {-1}).to_vector<double>()) CHECK(v == -kInf);
    Tensor one = raw::clone(hidden);
    raw::fill_(raw::slice(one, 1, 4, 5), 7);
    CHECK(sum(softmax(one), {-1}).to_vector<double>() == std::vector<double>{1, 1});
    CHECK(select(log_softmax(one), 1, 4).to_vector<double>() == std::vector<double>{0, 0});
    CHECK(logsumexp(full({33}, 5000, dtype)).item() == doctest::Approx(5000 + std::log(33.0)));
  }
}

TEST_CASE("special values: NaN in, NaN out, elementwise") {
  for (const auto& op : elementwise())
    for (const DType dtype : {F32, F64}) {
      CAPTURE(op.first);
      CAPTURE(name(dtype));
      const Tensor x = full({37}, kNaN, dtype).set_requires_grad();
      const Tensor y = op.second(x);
      for (double v : y.to_vector<double>()) CHECK(std::isnan(v));
      CHECK(isfinite(y).to_vector<int64_t>() == std::vector<int64_t>(37, 0));
    }
}

TEST_CASE("special values: NaN in, NaN out, reductions and rows") {
  const std::pair<const char*, Unary> reductions[] = {
      {"sum", [](const Tensor& x) { return sum(x); }},
      {"mean", [](const Tensor& x) { return mean(x); }},
      {"var", [](const Tensor& x) { return var(x); }},
      {"max", [](const Tensor& x) { return max(x); }},
      {"min", [](const Tensor& x) { return min(x); }},
      {"logsumexp", [](const Tensor& x) { return logsumexp(x); }},
      {"softmax", [](const Tensor& x) { return softmax(x); }},
      {"log_softmax", [](const Tensor& x) { return log_softmax(x); }},
      {"layer_norm", [](const Tensor& x) { return layer_norm(x, ones_like(x), zeros_like(x)); }},
      {"rms_norm", [](const Tensor& x) { return rms_norm(x, ones_like(x)); }},
      {"cross_entropy", [](const Tensor& x) { return cross_entropy(x, full({}, 0, I64)); }},
      {"cumsum, last", [](const Tensor& x) { return select(cumsum(x, 0), 0, -1); }},
      {"matmul", [](const Tensor& x) { return matmul(x, ones_like(x)); }},
      {"largest", [](const Tensor& x) { return topk(x, 1).values; }},
  };
  for (const auto& op : reductions)
    for (const DType dtype : {F32, F64})
      for (const int64_t n : {2, 9, 37}) {
        CAPTURE(op.first);
        CAPTURE(name(dtype));
        CAPTURE(n);
        CHECK(spreads_nan(op.second, dtype, n));
      }
}

TEST_CASE("special values: a row of one number is normalised to 0") {
  const Tensor x = tensor<float>({1e-3f, 2, 3e4f}, {3, 1}), w = ones({1}), b = full({1}, 2);
  CHECK(layer_norm(x, w, b).to_vector() == std::vector<float>{2, 2, 2});
  CHECK(max(abs(rms_norm(x, w, 0) - 1.0)).item() < 1e-6);
}
