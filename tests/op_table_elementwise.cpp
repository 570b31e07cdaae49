// Rows of the elementwise ops. A reference is a function of one or two doubles, from std::.
#include <cmath>
#include <numbers>

#include "tests/op_table.h"

namespace gradus::test {

namespace {

using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);

/// y = f(x), on numbers in [low, high].
OpRow unary(std::string name, Unary f, double (*reference)(double), double low = -2,
            double high = 2) {
  return {.name = std::move(name),
          .inputs = {{{2, 3, 5}, low, high}},
          .f = [f](const Tensors& in) { return f(in[0]); },
          .reference =
              [reference](const Tensors& in) {
                return build(in[0].shape(),
                             [&](const Index& i) { return reference(at(in[0], i)); });
              },
          .also = {{{}}, {{7}}, {{0, 3}}}};
}

/// y = f(a, b), each in its own range; broadcasting either operand, and both.
OpRow binary(std::string name, Binary f, double (*reference)(double, double), double a_low = -2,
             double b_low = -2) {
  return {.name = std::move(name),
          .inputs = {{{2, 3, 5}, a_low, 2}, {{2, 3, 5}, b_low, 2}},
          .f = [f](const Tensors& in) { return f(in[0], in[1]); },
          .reference = [reference](const Tensors& in) { return combine(in[0], in[1], reference); },
          .also = {{{}, {}},
                   {{2, 3, 5}, {3, 5}},
                   {{5}, {2, 3, 5}},
                   {{2, 1, 5}, {3, 1}},
                   {{3, 2}, {}},
                   {{2, 0}, {0}}}};
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

std::vector<OpRow> arithmetic() {
  return {
      binary("add", add, [](double a, double b) { return a + b; }),
      binary("sub", sub, [](double a, double b) { return a - b; }),
      binary("mul", mul, [](double a, double b) { return a * b; }),
      binary(
          "div", div, [](double a, double b) { return a / b; }, -2, 0.5),
      binary(
          "pow", pow, [](double a, double b) { return std::pow(a, b); }, 0.5, -2),
      unary(
          "add_scalar", [](const Tensor& x) { return x + 0.7; }, [](double x) { return x + 0.7; }),
      unary(
          "mul_scalar", [](const Tensor& x) { return x * -1.3; },
          [](double x) { return x * -1.3; }),
      unary(
          "pow_scalar", [](const Tensor& x) { return pow(x, 1.5); },
          [](double x) { return std::pow(x, 1.5); }, 0.3, 2),
      unary(
          "pow_scalar/cube", [](const Tensor& x) { return pow(x, 3); },
          [](double x) { return x * x * x; }),
      unary(
          "pow/constant base", [](const Tensor& x) { return pow(1.7, x); },
          [](double x) { return std::pow(1.7, x); }),
      unary("neg", neg, [](double x) { return -x; }),
  };
}

std::vector<OpRow> functions() {
  return {
      unary("exp", exp, [](double x) { return std::exp(x); }),
      unary(
          "log", log, [](double x) { return std::log(x); }, 0.3, 3),
      unary(
          "sqrt", sqrt, [](double x) { return std::sqrt(x); }, 0.3, 3),
      unary(
          "rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.3, 3),
      unary(
          "reciprocal", reciprocal, [](double x) { return 1 / x; }, 0.3, 3),
      unary("square", square, [](double x) { return x * x; }),
      unary("abs", abs, [](double x) { return std::fabs(x); }),
      unary("sign", sign, [](double x) { return x > 0   ? 1.0
                                                : x < 0 ? -1.0
                                                        : 0.0; }),
      unary("sin", sin, [](double x) { return std::sin(x); }),
      unary("cos", cos, [](double x) { return std::cos(x); }),
      unary("erf", erf, [](double x) { return std::erf(x); }),
      unary("tanh", tanh, [](double x) { return std::tanh(x); }),
      unary("sigmoid", sigmoid, logistic, -4, 4),
      unary("relu", relu, [](double x) { return std::fmax(x, 0); }),
      unary(
          "leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); },
          [](double x) { return x > 0 ? x : 0.2 * x; }),
      unary(
          "silu", silu, [](double x) { return x * logistic(x); }, -4, 4),
      unary(
          "softplus", softplus, [](double x) { return std::log(1 + std::exp(x)); }, -4, 4),
      unary(
          "gelu", [](const Tensor& x) { return gelu(x); },
          [](double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); }, -4, 4),
      unary(
          "gelu_tanh", [](const Tensor& x) { return gelu(x, GeluForm::Tanh); },
          [](double x) {
            const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
            return 0.5 * x * (1 + std::tanh(u));
          },
          -4, 4),
      unary(
          "clamp", [](const Tensor& x) { return clamp(x, -0.81, 1.13); },
          [](double x) { return std::fmin(std::fmax(x, -0.81), 1.13); }),
  };
}

std::vector<OpRow> choices() {
  return {
      binary("maximum", maximum, [](double a, double b) { return std::fmax(a, b); }),
      binary("minimum", minimum, [](double a, double b) { return std::fmin(a, b); }),
      {.name = "clamp/bounds",
       .inputs = {{{2, 3, 5}}, {{3, 5}, -1, 0}, {{2, 1, 5}, 0.1, 1}},
       .f = [](const Tensors& in) { return clamp(in[0], in[1], in[2]); },
       .reference =
           [](const Tensors& in) {
             const auto larger = [](double a, double b) { return std::fmax(a, b); };
             return combine(combine(in[0], in[1], larger), in[2],
                            [](double a, double b) { return std::fmin(a, b); });
           },
       .also = {{{7}, {}, {7}}},
       .composite = true},
      {.name = "where",
       .inputs = {{.shape = {2, 3, 5}, .below = 2}, {{2, 3, 5}}, {{2, 3, 5}}},
       .f = [](const Tensors& in) { return where(in[0], in[1], in[2]); },
       .reference =
           [](const Tensors& in) {
             const Shape ab = broadcast_shape("where", in[1].shape(), in[2].shape());
             return build(broadcast_shape("where", in[0].shape(), ab), [&](const Index& i) {
               return at(in[0], i) != 0 ? at(in[1], i) : at(in[2], i);
             });
           },
       .also = {{{}, {}, {}}, {{3, 1}, {5}, {2, 3, 5}}, {{2, 3, 5}, {}, {3, 5}}, {{0}, {0}, {}}}},
      {.name = "masked_fill",
       .inputs = {{{2, 3, 5}}, {.shape = {2, 3, 5}, .below = 2}},
       .f = [](const Tensors& in) { return masked_fill(in[0], in[1], 0.6); },
       .reference =
           [](const Tensors& in) {
             return combine(in[0], in[1], [](double x, double m) { return m != 0 ? 0.6 : x; });
           },
       .also = {{{}, {}}, {{2, 3, 5}, {3, 5}}, {{2, 3, 5}, {2, 1, 5}}, {{2, 0}, {2, 0}}}},
  };
}

}  // namespace

std::vector<OpRow> elementwise_rows() {
  std::vector<OpRow> rows = arithmetic();
  for (auto more : {functions, choices})
    for (OpRow& row : more()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace gradus::test
