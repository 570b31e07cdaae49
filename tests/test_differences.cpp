// Where gradus deliberately differs from PyTorch: the list of autograd/README.md, point by point.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "optim/clip.h"
#include "optim/optimizer.h"

using namespace gradus;

namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Numbers = std::vector<double>;

Numbers gradient(const std::function<Tensor(const Tensor&)>& f, const Numbers& at) {
  const Tensor x = tensor<double>(at).set_requires_grad();
  return grad(sum(f(x)), {x})[0].to_vector<double>();
}
}  // namespace

TEST_CASE("differences: causal attention counts from the last key") {
  const Tensor q = zeros({1, 1, 2, 1}), k = zeros({1, 1, 3, 1}),
               v = tensor<float>({3, 6, 9}, {1, 1, 3, 1});
  CHECK(scaled_dot_product_attention(q, k, v, {.causal = true}).to_vector<double>() ==
        Numbers{4.5, 6});  // PyTorch: 3, 4.5
}

TEST_CASE("differences: the largest shares its gradient among ties, also along a dimension") {
  const auto along = [](const Tensor& x) { return max(x, {0}); };
  CHECK(gradient(along, {1, 2, 2}) == Numbers{0, 0.5, 0.5});  // torch.max(x, 0): 0, 1, 0
}

TEST_CASE("differences: nothing to compute is an error, not NaN") {
  CHECK_THROWS_AS(var(zeros({1})), ValueError);
  CHECK_THROWS_AS(var(zeros({2}), {}, false, -1), ValueError);
  CHECK_THROWS_AS(cross_entropy(zeros({1, 3}), tensor<int64_t>({-100})), ValueError);
  CHECK_THROWS_AS(mse_loss(zeros({0}), zeros({0})), ValueError);
}

TEST_CASE("differences: dtypes never change by themselves") {
  CHECK_THROWS_AS(ones({2}) + ones({2}, F64), DTypeError);
  CHECK_THROWS_AS(ones({2}) * arange(2), DTypeError);
  CHECK_THROWS_AS(mean(arange(3)), DTypeError);
  CHECK_THROWS_AS(arange(3) / 2, DTypeError);
  CHECK_THROWS_AS(arange(3) + 0.5, ValueError);
  CHECK((ones({2}) > 0).dtype() == I64);  // there is no bool
}

TEST_CASE("differences: classes come last") {
  CHECK(cross_entropy(zeros({2, 5, 3}), zeros({2, 5}, I64)).item() ==
        doctest::Approx(std::log(3)).epsilon(1e-6));
}

TEST_CASE("differences: defaults") {
  CHECK(argmax(zeros({2, 3})).shape() == Shape{2});  // torch.argmax: of all elements
  CHECK(t(zeros({2, 3, 5})).shape() == Shape{2, 5, 3});
  CHECK(rms_norm(full({1}, 1e-3, F64), {}).item() ==
        doctest::Approx(std::sqrt(0.5)));  // PyTorch's eps is 1.2e-7: 0.945
}

TEST_CASE("differences: ties keep their order") {
  const auto picked = topk(ones({7}), 3).indices.to_vector<int64_t>();
  CHECK(picked == std::vector<int64_t>{0, 1, 2});  // PyTorch does not say which
  CHECK(argmax(ones({7})).item_int() == 0);
}

TEST_CASE("differences: NaN goes through sign, abs, relu and their gradients") {
  CHECK(std::isnan(gradient([](const Tensor& x) { return abs(x); }, {kNaN})[0]));   // PyTorch: 0
  CHECK(std::isnan(gradient([](const Tensor& x) { return relu(x); }, {kNaN})[0]));  // PyTorch: 1
  CHECK(std::isnan(sign(tensor<double>({kNaN})).item()));                           // PyTorch: 0
}

TEST_CASE("differences: no infinite or enormous gradients at the end of a range") {
  const auto power = [](const Tensor& exponent) { return pow(0, exponent); };
  CHECK(gradient(power, {-1}) == Numbers{0});  // PyTorch: -inf
  const auto surely_wrong = [](const Tensor& p) {
    return binary_cross_entropy(p, tensor<double>({1, 0}), Reduction::Sum);
  };
  CHECK(gradient(surely_wrong, {0, 1}) == Numbers{0, 0});                  // PyTorch: -1e12, 1e12
  CHECK(gradient(surely_wrong, {1e-20, 0})[0] == doctest::Approx(-1e20));  // PyTorch: -1e12
}

TEST_CASE("differences: writing in place, and what an optimizer takes") {
  Linear layer(2, 2);
  const auto before = layer.weight.to_vector();
  Tensor w = layer.weight;
  w -= 1.0;  // a new tensor by the name of w
  CHECK(layer.weight.to_vector() == before);
  CHECK(grad(sum(layer.weight), {layer.bias})[0].to_vector() == std::vector<float>{0, 0});
  CHECK_THROWS_AS(w.grad(), GradError);

  layer.bias.set_requires_grad(false);
  CHECK_THROWS_WITH_AS(SGD(layer.parameters(), 0.1), doctest::Contains("trainable("), GradError);
  CHECK(trainable(layer.parameters()).size() == 1);
  SGD optimizer(trainable(layer.parameters()), 0.1);
  layer.weight.set_grad(full({2, 2}, std::nan("")));
  CHECK_THROWS_AS(clip_grad_norm(trainable(layer.parameters()), 1), GradError);
}

TEST_CASE("differences: ranges and masks") {
  CHECK_THROWS_AS(clamp(ones({2}), 2, 1), ValueError);
  CHECK_THROWS_AS(arange(3) < 0.5, ValueError);
  CHECK_THROWS_AS(
      cross_entropy(zeros({1, 2}), tensor<int64_t>({0}), {.weight = tensor<float>({0, 1})}),
      ValueError);
  const Tensor q = zeros({1, 1, 1, 1}), k = zeros({1, 1, 2, 1}),
               v = tensor<float>({3, 6}, {1, 1, 2, 1}), mask = tensor<int64_t>({0, 1}, {1, 2});
  CHECK(scaled_dot_product_attention(q, k, v, {.key_mask = mask}).item() == 6);
}

TEST_CASE("differences: shapes must be said") {
  CHECK_THROWS_AS(mse_loss(zeros({4, 1}), zeros({4})), ShapeError);  // PyTorch: a warning
  CHECK_THROWS_AS(scatter_add(zeros({3, 4}), 0, zeros({2, 2}, I64), ones({3, 3})), ShapeError);
}
