// The engine: hooks, functional gradients, higher derivatives, debugging. And whether gradcheck
// finds planted mistakes in derivatives.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "autograd/debug.h"
#include "tests/compare.h"

using namespace gradus;

namespace {

using Doubles = std::vector<double>;

Tensor leaf(double value) { return full({}, value, F64).set_requires_grad(); }
Tensor random_leaf(const Shape& shape, uint64_t seed) {
  Generator generator(seed);
  return randn(shape, F64, generator).set_requires_grad();
}
Doubles values(const Tensor& x) { return x.to_vector<double>(); }
double far(const Tensor& a, const Tensor& b) { return max(abs(a.detach() - b.detach())).item(); }

}  // namespace

TEST_CASE("autograd: backward accumulates into leaves, and only there") {
  const Tensor a = leaf(3), b = leaf(5), constant = full({}, 2, F64);
  const Tensor y = a * b + constant * a;
  backward(y);
  CHECK(a.grad().item() == 7);
  CHECK(b.grad().item() == 3);
  CHECK_FALSE(constant.grad().defined());
  CHECK_THROWS_AS(y.grad(), GradError);  // a result gets none
  backward(a * 1.0);
  CHECK(a.grad().item() == 8);
  a.zero_grad();
  CHECK_FALSE(a.grad().defined());
}

TEST_CASE("autograd: what backward refuses") {
  const Tensor x = random_leaf({2, 3}, 1);
  CHECK_THROWS_WITH_AS(backward(x * 2.0), doctest::Contains("(2, 3)"), ShapeError);
  CHECK_THROWS_AS(backward(ones({}, F64)), GradError);
  CHECK_THROWS_AS(backward(x * 2.0, ones({3, 2}, F64)), ShapeError);
  CHECK_THROWS_AS(backward(x * 2.0, ones({2, 3})), DTypeError);
  CHECK_THROWS_AS(grad(sum(x), {ones({2}, F64)}), GradError);
  CHECK_THROWS_AS(arange(3).set_requires_grad(), DTypeError);
  CHECK_THROWS_AS((x * 2.0).set_requires_grad(), GradError);
  CHECK_FALSE((x.detach() * 2.0).requires_grad());
  CHECK_FALSE(gt(x, 0).requires_grad());
  CHECK_FALSE(argmax(x).requires_grad());
}

TEST_CASE("autograd: grad is functional") {
  const Tensor x = random_leaf({2, 3}, 1), other = random_leaf({5}, 2);
  const Tensor h = square(x), y = sum(h * 3.0);
  const auto g = grad(y, {x, h, other}, {.retain_graph = true});
  CHECK(far(g[0], x * 6.0) < 1e-14);
  CHECK(values(g[1]) == Doubles(6, 3));  // of an interior tensor
  CHECK(values(g[2]) == Doubles(5, 0));  // of one that y does not depend on
  CHECK_FALSE(x.grad().defined());
  CHECK(grad(y, {y})[0].item() == 1);
}

TEST_CASE("autograd: create_graph, up to the third derivative") {
  const Tensor x = leaf(0.7);
  const Tensor y = sin(x) * exp(x * 2.0);
  const Tensor first = grad(y, {x}, {.create_graph = true})[0];
  const Tensor second = grad(first, {x}, {.create_graph = true})[0];
  const Tensor third = grad(second, {x}, {.create_graph = true})[0];
  const double s = std::sin(0.7), c = std::cos(0.7), e = std::exp(1.4);
  CHECK(first.item() == doctest::Approx(e * (2 * s + c)).epsilon(1e-12));
  CHECK(second.item() == doctest::Approx(e * (3 * s + 4 * c)).epsilon(1e-12));
  CHECK(third.item() == doctest::Approx(e * (2 * s + 11 * c)).epsilon(1e-12));
  // The third derivative of a fused op goes through its composite.
  const Tensor z = grad(
      grad(grad(silu(x), {x}, {.create_graph = true})[0], {x}, {.create_graph = true})[0], {x})[0];
  const auto slope2 = [](double v) {
    const double p = 1 / (1 + std::exp(-v)), q = p * (1 - p);
    return q * (2 + v * (1 - 2 * p));
  };
  CHECK(z.item() ==
        doctest::Approx((slope2(0.7 + 1e-5) - slope2(0.7 - 1e-5)) / 2e-5).epsilon(1e-8));
  backward(y, {}, {.create_graph = true});
  backward(x.grad());  // .grad has a history; this adds the second derivative
  CHECK(x.grad().item() == doctest::Approx(first.item() + second.item()).epsilon(1e-12));
  x.zero_grad();  // x.grad() refers to x: a cycle, broken here
}

TEST_CASE("autograd: a fused op of something that depends on its other input") {
  // f(x, h(x)): if the composite were differentiated through h as well, that path would count
  // twice.
  const auto f = [](const std::vector<Tensor>& in) {
    const Tensor &x = in[0], h = tanh(x);
    const Tensor norm = layer_norm(x, select(h, 0, 0) + 2.0, select(h, 0, 1));
    return softmax(norm * h);
  };
  const Tensor x = random_leaf({2, 5}, 3);
  CHECK(gradcheck(f, {x}).ok);
  const GradcheckResult second = gradgradcheck(f, {x});
  CHECK_MESSAGE(second.ok, second.message);
  const auto attend = [](const std::vector<Tensor>& in) {
    const Tensor q = in[0];
    return scaled_dot_product_attention(q, sin(q), q * q, {.causal = true});
  };
  const GradcheckResult third = gradgradcheck(attend, {random_leaf({2, 3, 5, 4}, 4)});
  CHECK_MESSAGE(third.ok, third.message);
}

TEST_CASE("autograd: a fused op without a composite refuses a second derivative") {
  const auto once = [](const Tensor& x) {
    return record_fused("halve", raw::mul(x, full({}, 0.5, F64)), {x},
                        [](const Tensor& g, const Tensor&) {
                          return std::vector{raw::mul(g, full({}, 0.5, F64))};
                        });
  };
  const Tensor x = leaf(3);
  CHECK(grad(once(x), {x})[0].item() == 0.5);
  CHECK_THROWS_WITH_AS(grad(once(x), {x}, {.create_graph = true}),
                       doctest::Contains("halve: no second derivative"), GradError);
}

TEST_CASE("autograd: hooks see and replace the whole gradient") {
  const Tensor x = leaf(3);
  const Tensor h = x * 2.0;
  Doubles seen;
  register_hook(x, [&](const Tensor& g) {
    seen.push_back(g.item());
    return Tensor();
  });
  register_hook(h, [&](const Tensor& g) {
    seen.push_back(g.item());
    return g * 10.0;
  });
  backward(h * h + h);              // dh = 2 h + 1 = 13, once, not in two pieces
  CHECK(seen == Doubles{13, 260});  // then 130 through the 2
  CHECK(x.grad().item() == 260);
  const Tensor y = leaf(1);
  register_hook(y, [](const Tensor&) { return zeros({2}, F64); });
  CHECK_THROWS_AS(backward(y * 2.0), ShapeError);
  CHECK_THROWS_AS(register_hook(zeros({2}), [](const Tensor& g) { return g; }), GradError);
}

TEST_CASE("autograd: a chain of views and broadcasts, by hand") {
  const Tensor x = random_leaf({2, 3}, 5), b = random_leaf({3}, 6), c = random_leaf({2, 1}, 7);
  backward(sum((t(x + b) * t(c))));
  for (double v : values(b.grad())) CHECK(v == doctest::Approx(sum(c.detach()).item()));
  const Tensor rows = sum(x.detach() + b.detach(), {1}, true);
  CHECK(far(c.grad(), rows) < 1e-14);
  CHECK(x.grad().is_contiguous());
  CHECK(x.grad().unique());
}

TEST_CASE("autograd: GRADUS_CHECK_NAN names the operation") {
  struct On {
    On() { set_check_nan(true); }
    ~On() { set_check_nan(false); }
  } on;
  const Tensor x = tensor<double>({4, 0, 1}).set_requires_grad();
  CHECK_THROWS_WITH_AS(exp(log(x)),
                       doctest::Contains("log: the output of shape (3,) holds -inf at "
                                         "position 1"),
                       Error);
  const Tensor root = sqrt(x);  // finite, but its slope at 0 is not
  CHECK_THROWS_WITH_AS(backward(sum(root)), doctest::Contains("sqrt: the gradient of an input"),
                       Error);
  CHECK_NOTHROW(backward(sum(sqrt(x + 1.0))));
}

namespace {

/// 3 x, with a derivative of our own, which may be wrong.
Tensor planted(const Tensor& x, const std::function<Tensor(const Tensor&)>& backward_of) {
  return record("planted", raw::mul(x, full({}, 3, F64)), {{x, Vjp(backward_of)}});
}

std::string verdict(const std::function<Tensor(const Tensor&)>& backward_of, const Shape& shape) {
  const auto f = [&](const std::vector<Tensor>& in) { return planted(in[0], backward_of); };
  const GradcheckResult r = gradcheck(f, {random_leaf(shape, 9)});
  CHECK(r.ok == r.message.empty());
  CHECK(r.checked == shape.numel());
  return r.message;
}

}  // namespace

TEST_CASE("gradcheck: finds planted mistakes and names their cause") {
  const Shape shape = {2, 3};
  CHECK(verdict([](const Tensor& g) { return g * 3.0; }, shape) == "");
  CHECK(contains(verdict([](const Tensor& g) { return g * 0.0; }, shape), "0 everywhere"));
  CHECK(contains(verdict([](const Tensor& g) { return g * -3.0; }, shape), "sign is wrong"));
  CHECK(contains(verdict([](const Tensor& g) { return g * 6.0; }, shape), "2 times what it"));
  CHECK(contains(verdict([](const Tensor& g) { return t(g) * 3.0; }, {3, 3}), "transposed"));
  CHECK(contains(verdict([](const Tensor& g) { return g / 0.0; }, shape), "not finite"));
  const auto one_missing = [](const Tensor& g) {
    return where(eq(reshape(arange(6), {2, 3}), 4), zeros_like(g), g * 3.0);
  };
  CHECK(contains(verdict(one_missing, shape), "at (1, 1)"));
  CHECK(contains(verdict(one_missing, shape), "this element gets no gradient"));
  const auto kink = [](const std::vector<Tensor>& in) { return relu(in[0]); };
  const GradcheckResult at_zero = gradcheck(kink, {tensor<double>({1, 0, -2})});
  CHECK(contains(at_zero.message, "kink"));
  CHECK(at_zero.inconclusive());
  CHECK_THROWS_AS(gradcheck(kink, {ones({2})}), DTypeError);
}

TEST_CASE("gradcheck: a random upstream gradient sees what ones cannot") {
  // The outputs of softmax sum to 1, so for an upstream gradient of ones, zero would be right.
  const auto f = [](const std::vector<Tensor>& in) {
    return record("planted", raw::softmax(in[0]),
                  {{in[0], [](const Tensor& g) { return zeros_like(g); }}});
  };
  CHECK_FALSE(gradcheck(f, {random_leaf({2, 5}, 1)}).ok);
}

TEST_CASE("gradgradcheck: finds a first derivative that is right and not differentiable") {
  const auto f = [](const std::vector<Tensor>& in) {
    return record("planted", raw::unary(scalar::Square{}, in[0]),
                  {{in[0], [x = in[0].detach()](const Tensor& g) { return g * x * 2.0; }}});
  };
  const Tensor x = random_leaf({2, 3}, 1);
  CHECK(gradcheck(f, {x}).ok);
  CHECK_FALSE(gradgradcheck(f, {x}).ok);
  const auto right = [](const std::vector<Tensor>& in) { return square(in[0]); };
  CHECK(gradgradcheck(right, {x}).ok);
}
