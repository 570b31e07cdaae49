// A table of functions for gradcheck: some with a right derivative, some with a derivative that is
// wrong in a known way, at inputs from 1e-8 to 1e8. No right one may be called wrong, no wrong one
// may pass, and the cause that is named must be the true one.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "tests/compare.h"

using namespace gradus;

namespace {

using Inputs = std::vector<Tensor>;
using Unary = std::function<Tensor(const Tensor&)>;

struct Case {
  std::string name;
  Function f;
  std::vector<Shape> shapes = {{2, 3}};
  double least = 1e-8, most = 1e8;  // the sizes of inputs at which f can be computed
  bool positive = false;            // only positive inputs
  std::string cause = {};           // part of the message, if the derivative is wrong
  std::vector<double> coarse = {};  // sizes at which differences cannot judge it
};

Function one(Unary f) {
  return [f](const Inputs& in) { return f(in[0]); };
}
Function of(Tensor (*f)(const Tensor&)) { return one(f); }
Function of(Tensor (*f)(const Tensor&, const Tensor&)) {
  return [f](const Inputs& in) { return f(in[0], in[1]); };
}

/// Numbers between half and twice `size`, of both signs unless positive.
Inputs inputs_of(const Case& c, double size, uint64_t seed) {
  Generator generator(seed);
  Inputs in;
  for (const Shape& shape : c.shapes) {
    const Tensor x = uniform(shape, 0.5, 2, F64, generator) * size;
    const Tensor flip = uniform(shape, -1, 1, F64, generator);
    in.push_back(c.positive ? x : x * sign(flip));
  }
  return in;
}

// ---- Right ones

std::vector<Case> right_ones() {
  // Where a derivative is 1e-8 of its function, or less, the differences keep too few digits.
  const auto coarse = [](const char* name, Function f, std::vector<double> sizes) {
    Case c{name, std::move(f)};
    c.coarse = std::move(sizes);
    return c;
  };
  const Tensor twice = tensor<int64_t>({1, 0, 1}), targets = tensor<int64_t>({1, 2});
  const Tensor c = tensor<double>({3, -1, 2});
  const std::vector<Shape> square_pair = {{3, 3}, {3, 3}};
  return {
      {"square", one([](const Tensor& x) { return square(x); })},
      {"cube", one([](const Tensor& x) { return pow(x, 3); })},
      {"product", of(mul), {{2, 3}, {3}}},
      {"quotient", of(div), {{2, 3}, {3}}},
      {"log", of(log), {{2, 3}}, 1e-8, 1e8, true},
      {"sqrt", of(sqrt), {{2, 3}}, 1e-8, 1e8, true},
      {"rsqrt", of(rsqrt), {{2, 3}}, 1e-8, 1e8, true},
      {"reciprocal", of(reciprocal)},
      {"exp", of(exp), {{2, 3}}, 1e-8, 1},
      coarse("sin", of(sin), {1e-8}),
      coarse("cos", of(cos), {1e-8}),
      coarse("sum of sin, and 1e8", one([](const Tensor& x) { return sum(sin(x)) + 1e8; }),
             {1e-8, 1e-4, 1, 1e4, 1e8}),
      coarse("sum of squares, and 1e8", one([](const Tensor& x) { return sum(square(x)) + 1e8; }),
             {1e-4}),
      {"1e8 added, and taken away", one([](const Tensor& x) { return (x + 1e8) - 1e8; })},
      coarse("tanh", of(tanh), {1e-8}),
      coarse("sigmoid", of(sigmoid), {1e-8}),
      coarse("erf", of(erf), {1e-8}),
      {"softplus", of(softplus)},
      {"gelu", one([](const Tensor& x) { return gelu(x); })},
      {"silu", of(silu)},
      {"relu", of(relu)},
      {"abs", of(abs)},
      {"clamp", one([](const Tensor& x) { return clamp(x, -0.01, 1e3); })},
      {"maximum", of(maximum), {{2, 3}, {2, 3}}},
      {"max", one([](const Tensor& x) { return max(x, {1}); })},
      {"sum", one([](const Tensor& x) { return sum(x, {0}); })},
      {"mean", one([](const Tensor& x) { return mean(x); })},
      {"var", one([](const Tensor& x) { return var(x, {1}); })},
      {"cumsum", one([](const Tensor& x) { return cumsum(x, 1); })},
      {"logsumexp", one([](const Tensor& x) { return logsumexp(x, {1}); })},
      {"softmax", one([](const Tensor& x) { return softmax(x); })},
      {"sum of a softmax", one([](const Tensor& x) { return sum(softmax(x)); })},
      {"log softmax", one([](const Tensor& x) { return log_softmax(x); })},
      {"cross entropy", one([=](const Tensor& x) { return cross_entropy(x, targets); })},
      {"layer norm", one([=](const Tensor& x) { return layer_norm(x, c, c); })},
      {"rms norm", one([=](const Tensor& x) { return rms_norm(x, c); })},
      {"matmul", of(matmul), square_pair},
      {"index_select", one([=](const Tensor& x) { return index_select(x, 0, twice); })},
      {"sign", of(sign)},
      {"a part", one([](const Tensor& x) { return slice(x, 1, 0, 2); })},
  };
}

// ---- Wrong ones: the value is right, the derivative is not

/// y = f(x), with a derivative of our own.
Function with(Unary f, std::function<Tensor(const Tensor& g, const Tensor& x)> derivative) {
  return [=](const Inputs& in) {
    const Tensor x = in[0];
    return record("planted", f(x.detach()),
                  {{x, [=](const Tensor& g) { return derivative(g, x); }}});
  };
}

Tensor rotated(const Tensor& g) { return cat({slice(g, 1, 1, 3), slice(g, 1, 0, 1)}, 1); }
Tensor without_last(const Tensor& g) { return g * tensor<double>({1, 1, 1, 1, 1, 0}, {2, 3}); }

/// The gradient of slice(x, 1, 0, 2), one column too far to the right.
Tensor one_too_far(const Tensor& g) { return cat({zeros({2, 1}, F64), g}, 1); }
/// The gradient of index_select for rows 1, 0, 1, with = instead of +=.
Tensor last_only(const Tensor& g) { return cat({slice(g, 0, 1, 2), slice(g, 0, 2, 3)}, 0); }

std::vector<Case> wrong_ones() {
  const Tensor twice = tensor<int64_t>({1, 0, 1});
  const Tensor nudge = tensor<double>({1, 1, 1, 1.0001, 1, 1}, {2, 3});
  const Unary square_ = [](const Tensor& x) { return square(x); };
  const Unary exp_ = [](const Tensor& x) { return exp(x); };
  const auto times = [=](double c) {
    return with(square_, [c](const Tensor& g, const Tensor& x) { return g * x * (2 * c); });
  };
  const auto two = [](std::function<Tensor(const Tensor&, const Tensor&)> f,
                      std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> da,
                      std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> db) {
    return Function([=](const Inputs& in) {
      const Tensor a = in[0], b = in[1];
      return record("planted", f(a.detach(), b.detach()),
                    {{a, [=](const Tensor& g) { return da(g, a, b); }},
                     {b, [=](const Tensor& g) { return db(g, a, b); }}});
    });
  };
  using T = const Tensor&;
  const std::vector<Shape> one_input = {{2, 3}}, pair = {{2, 3}, {2, 3}},
                           squares = {{3, 3}, {3, 3}};
  const std::string sign_ = "the sign is wrong everywhere", zero = "0 everywhere",
                    formula = "every element is wrong: look at the formula",
                    transposed = "transposed", missing = "this element gets no gradient",
                    infinite = "not finite", some = "elements are wrong: look at how";
  const auto case_of = [&](const char* name, Function f, const std::string& cause,
                           double least = 1e-8, double most = 1e8) {
    return Case{name, std::move(f), one_input, least, most, true, cause};
  };
  const auto signed_case = [&](const char* name, Function f, const std::string& cause,
                               double least = 1e-8, double most = 1e8) {
    return Case{name, std::move(f), one_input, least, most, false, cause};
  };
  const auto pair_case = [&](const char* name, Function f, const std::string& cause,
                             const std::vector<Shape>& shapes) {
    return Case{name, std::move(f), shapes, 1e-8, 1e8, false, cause};
  };
  return {
      signed_case("half of it", times(0.5), "0.5 times"),
      signed_case("twice", times(2), " 2 times"),
      signed_case("1e-4 too much", times(1.0001), " 1.0001 times"),
      signed_case("1e-5 too little", times(0.99999), " 0.99999 times"),
      signed_case("negative", times(-1), sign_),
      signed_case("nothing", times(0), zero),
      signed_case("one detached", one([](T x) { return x * x.detach(); }), "0.5 times"),
      signed_case("the last one missing",
                  with(square_, [](T g, T x) { return without_last(g * x * 2); }), missing),
      signed_case("one of them 1e-4 too much",
                  with(square_, [=](T g, T x) { return g * x * 2 * nudge; }), "1 of 6 " + some),
      signed_case("rotated by one column",
                  with(square_, [](T g, T x) { return rotated(g * x * 2); }), formula),
      signed_case("infinite", with(square_, [](T g, T) { return g / 0; }), infinite),
      signed_case("cube: 2 x^2",
                  with([](T x) { return pow(x, 3); }, [](T g, T x) { return g * x * x * 2; }),
                  "0.666667 times"),
      signed_case("exp: x", with(exp_, [](T g, T x) { return g * x; }), formula, 1e-8, 1),
      case_of("sqrt: 1 / y",
              with([](T x) { return sqrt(x); }, [](T g, T x) { return g / sqrt(x); }), " 2 times"),
      case_of("log: 1", with([](T x) { return log(x); }, [](T g, T) { return g; }), formula),
      signed_case("reciprocal: no minus",
                  with([](T x) { return reciprocal(x); }, [](T g, T x) { return g / square(x); }),
                  sign_),
      signed_case("reciprocal: -y",
                  with([](T x) { return reciprocal(x); }, [](T g, T x) { return -g / x; }),
                  formula),
      signed_case("sin: sin", with([](T x) { return sin(x); }, [](T g, T x) { return g * sin(x); }),
                  formula),
      signed_case("tanh: 1 - y",
                  with([](T x) { return tanh(x); }, [](T g, T x) { return g * (1 - tanh(x)); }),
                  formula, 1, 1),
      signed_case("gelu: one term",
                  with([](T x) { return gelu(x); },
                       [](T g, T x) { return g * (erf(x * 0.70710678) + 1) / 2; }),
                  formula, 1, 1),
      signed_case("relu: no mask", with([](T x) { return relu(x); }, [](T g, T) { return g; }),
                  some),
      signed_case("abs: no sign", with([](T x) { return abs(x); }, [](T g, T) { return g; }), some),
      signed_case("max: to all",
                  with([](T x) { return max(x, {1}, true); },
                       [](T g, T x) { return expand(g, x.shape()); }),
                  some),
      signed_case("mean: no 1 / n",
                  with([](T x) { return mean(x); }, [](T g, T x) { return expand(g, x.shape()); }),
                  " 6 times"),
      signed_case("var: n for n - 1",
                  with([](T x) { return var(x, {1}, true); },
                       [](T g, T x) { return g * (x - mean(x, {1}, true)) * (2.0 / 3); }),
                  "0.666667 times"),
      signed_case("cumsum: forwards",
                  with([](T x) { return cumsum(x, 1); }, [](T g, T) { return cumsum(g, 1); }),
                  formula),
      signed_case("softmax: no mean",
                  with([](T x) { return softmax(x); }, [](T g, T x) { return g * softmax(x); }),
                  formula, 1e-8, 1),
      signed_case("log softmax: no sum",
                  with([](T x) { return log_softmax(x); }, [](T g, T x) { return g - softmax(x); }),
                  formula, 1e-8, 1),
      signed_case(
          "slice: one too far",
          with([](T x) { return slice(x, 1, 0, 2); }, [](T g, T) { return one_too_far(g); }),
          formula),
      signed_case(
          "index_select: = for +=",
          with([=](T x) { return index_select(x, 0, twice); }, [](T g, T) { return last_only(g); }),
          "3 of 6 " + some),
      signed_case(
          "sum of sin, and 1e8: twice",
          with([](T x) { return sum(sin(x)) + 1e8; }, [](T g, T x) { return g * cos(x) * 2; }),
          " 2 times"),
      signed_case("sum of sin, and 1e8: nothing",
                  with([](T x) { return sum(sin(x)) + 1e8; }, [](T g, T x) { return g * x * 0; }),
                  zero),
      signed_case(
          "sum of squares, and 1e8: negative",
          with([](T x) { return sum(square(x)) + 1e8; }, [](T g, T x) { return g * x * -2; }),
          sign_, 1e-4),
      pair_case(
          "matmul: transposed",
          two([](T a, T b) { return matmul(a, b); }, [](T g, T, T b) { return t(matmul(g, t(b))); },
              [](T g, T a, T) { return matmul(t(a), g); }),
          transposed, squares),
      pair_case("sub: plus",
                two([](T a, T b) { return a - b; }, [](T g, T, T) { return g; },
                    [](T g, T, T) { return g; }),
                sign_, pair),
      pair_case("mul: the other factor",
                two([](T a, T b) { return a * b; }, [](T g, T a, T) { return g * a; },
                    [](T g, T a, T) { return g * a; }),
                formula, pair),
      pair_case("bias: one row of the batch",
                two([](T a, T b) { return a + b; }, [](T g, T, T) { return g; },
                    [](T g, T, T) { return select(g, 0, 0); }),
                formula, {{2, 3}, {3}}),
      pair_case("bias: the mean of the batch",
                two([](T a, T b) { return a + b; }, [](T g, T, T) { return g; },
                    [](T g, T, T) { return mean(g, {0}); }),
                "0.5 times", {{2, 3}, {3}}),
  };
}

/// Calls check_one(inputs, size, seed) for each size of the case and three seeds.
void for_each_input(const Case& c,
                    const std::function<void(const Inputs&, double, uint64_t)>& check_one) {
  for (const double size : {1e-8, 1e-4, 1.0, 1e4, 1e8})
    for (uint64_t seed = 1; seed <= 3; ++seed)
      if (size >= c.least && size <= c.most) check_one(inputs_of(c, size, seed), size, seed);
}

}  // namespace

TEST_CASE("gradcheck: calls no right derivative wrong, at any size of its inputs") {
  for (const Case& c : right_ones())
    for_each_input(c, [&](const Inputs& in, double size, uint64_t seed) {
      for (const bool second : {false, true}) {
        const GradcheckOptions options{.seed = seed};
        const GradcheckResult r =
            second ? gradgradcheck(c.f, in, options) : gradcheck(c.f, in, options);
        CAPTURE(c.name);
        CAPTURE(size);
        CAPTURE(seed);
        CHECK_MESSAGE(r.wrong == 0, r.message);
        const bool listed = std::count(c.coarse.begin(), c.coarse.end(), size) > 0;
        CHECK_MESSAGE((r.ok || listed), r.message);
        if (!r.ok) CHECK(contains(r.message, "too coarse to judge"));
        CHECK(r.ok == r.message.empty());
      }
    });
}

TEST_CASE("gradcheck: accepts no wrong derivative, and names its cause") {
  for (const Case& c : wrong_ones())
    for_each_input(c, [&](const Inputs& in, double size, uint64_t seed) {
      const GradcheckResult r = gradcheck(c.f, in, {.seed = seed});
      CAPTURE(c.name);
      CAPTURE(size);
      CAPTURE(seed);
      CHECK_FALSE(r.ok);
      CHECK(r.wrong > 0);
      CHECK_MESSAGE(contains(r.message, c.cause), r.message);
    });
}
