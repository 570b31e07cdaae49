// Values and gradients that were once wrong, each an example of its kind: digits lost to a
// reciprocal, to an offset, to a long sum; the rule for NaN; second derivatives where the first one
// has a special case.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "tests/compare.h"

using namespace gradus;

namespace {

Tensor leaf(const std::vector<float>& values, const Shape& shape) {
  return tensor<float>(values, shape).set_requires_grad();
}

double second_derivative(const std::function<Tensor(const Tensor&)>& f, double at) {
  const Tensor x = full({}, at, F64).set_requires_grad();
  const Tensor dx = grad(f(x), {x}, {.create_graph = true})[0];
  return dx.requires_grad() ? grad(dx, {x})[0].item() : 0;
}

}  // namespace

TEST_CASE("right values: division is IEEE's") {
  for (int i = 1; i < 300; ++i) {
    CHECK((full({}, i, F64) / static_cast<double>(i)).item() == 1);
    CHECK((static_cast<double>(i) / full({}, i, F64)).item() == 1);
    CHECK((full({}, i) / 255.0).item() == static_cast<float>(i) / 255.0f);
    CHECK(mean(full({i}, 0.25, F64)).item() == 0.25);
  }
  CHECK((full({}, 0, F64) / 1e-310).item() == 0);
  CHECK(mean(full({49}, 49.0 / 49, F64)).item() == 1);
  CHECK_THROWS_AS(arange(3) / 2.0, DTypeError);
  CHECK_THROWS_AS(2.0 / arange(3), DTypeError);
}

TEST_CASE("right values: an offset of the logits costs no digits of a gradient") {
  for (const float offset : {0.f, 1e3f, 1e4f, 1e7f, -1e7f})
    for (const bool create_graph : {false, true}) {
      CAPTURE(offset);
      CAPTURE(create_graph);
      const Tensor x = leaf({offset, offset}, {1, 2});
      const Tensor target = tensor<int64_t>({0});
      const auto gradient = [&](const Tensor& y) {
        return grad(y, {x}, {.create_graph = create_graph})[0].to_vector();
      };
      CHECK(gradient(cross_entropy(x, target)) == std::vector<float>{-0.5, 0.5});
      CHECK(gradient(select(flatten(softmax(x)), 0, 0)) == std::vector<float>{0.25, -0.25});
      CHECK(gradient(select(flatten(log_softmax(x)), 0, 0)) == std::vector<float>{0.5, -0.5});
      CHECK(gradient(logsumexp(x)) == std::vector<float>{0.5, 0.5});
    }
}

TEST_CASE("right values: NaN goes on into the gradient of max and of minimum") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = leaf({1, nan, 3, nan}, {4});
  for (auto* max_or_min : {&max, &min})
    CHECK(grad((*max_or_min)(x, {}, false), {x})[0].to_vector() ==
          std::vector<float>{0, .5, 0, .5});
  const Tensor a = leaf({nan, 1, 2}, {3}), b = leaf({1, nan, 2}, {3});
  for (auto* pick : {static_cast<Tensor (*)(const Tensor&, const Tensor&)>(&maximum), &minimum})
    for (const Tensor& side : {a, b})
      CHECK(grad(sum((*pick)(a, b)), {side})[0].to_vector() == std::vector<float>{1, 1, 0.5});
}

TEST_CASE("right values: second derivatives at special points") {
  const auto huber = [](const Tensor& x) { return huber_loss(x, full({}, 0, F64)); };
  CHECK(second_derivative(huber, 0) == 1);
  CHECK(second_derivative(huber, -0.5) == 1);
  CHECK(second_derivative(huber, 2) == 0);

  const Tensor a = full({}, 2, F64).set_requires_grad(), b = full({}, 0, F64).set_requires_grad();
  const auto first = grad(pow(a, b), {a, b}, {.create_graph = true});
  CHECK(first[0].item() == 0);
  CHECK(grad(first[0], {b}, {.retain_graph = true})[0].item() == 0.5);  // the Hessian is symmetric
  CHECK(grad(first[1], {a})[0].item() == 0.5);

  const Tensor zero = full({}, 0, F64).set_requires_grad(),
               minus = full({}, -1, F64).set_requires_grad();
  CHECK(grad(pow(zero, minus), {minus})[0].item() == 0);
}

TEST_CASE("right values: long sums in float32 keep their digits") {
  const int64_t n = 1'000'000;
  const double exact = static_cast<double>(0.1f) * static_cast<double>(n);
  const Tensor tall = full({n, 3}, 0.1), wide = full({3, n}, 0.1);
  for (const double s : sum(tall, {0}).to_vector<double>()) CHECK(std::abs(s / exact - 1) < 1e-6);
  for (const double s : sum(wide, {1}).to_vector<double>()) CHECK(std::abs(s / exact - 1) < 3e-7);
  const Tensor shifted = randn({n, 2}) + 1e5;
  const Tensor want = var(to(shifted, F64), {0});
  CHECK(max_difference(to(var(shifted, {0}), F64), want) < 2e-7);
  const Tensor equal = full({1, 4'000'000}, 1.1);
  CHECK(max_difference(layer_norm(equal, ones({4'000'000}), zeros({4'000'000})),
                       zeros({1, 4'000'000})) < 1e-4);
}

TEST_CASE("right values: empty tensors, and draws that are impossible") {
  CHECK(cat(split(ones({0, 3}), 2, 0), 0).shape() == Shape{0, 3});
  CHECK(split(ones({5, 3}), std::numeric_limits<int64_t>::max(), 0).size() == 1);
  CHECK_THROWS_WITH_AS(cross_entropy(ones({2, 0}), arange(2)), doctest::Contains("has no classes"),
                       ShapeError);
  CHECK_THROWS_AS(uniform({5}, -3e38, 3e38), ValueError);
  CHECK(uniform({5}, -3e38, 3e38, F64).dtype() == F64);
  CHECK(arange(2.5).to_vector<int64_t>() == std::vector<int64_t>{0, 1, 2});
}
