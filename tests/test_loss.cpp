// Each loss against its formula and the derivative that its documentation promises, in plain C++.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "nn/loss.h"

using namespace gradus;

namespace {

/// Value and dx elementwise on (3, 5), and the three reductions with their gradients.
template <class Loss, class Value, class Slope>
void check_loss(const Loss& loss, const Tensor& input, const Tensor& target, const Value& value,
                const Slope& slope) {
  const auto x = input.to_vector<double>(), t = target.to_vector<double>();
  const double n = static_cast<double>(x.size());
  double total = 0;
  for (size_t i = 0; i < x.size(); ++i) total += value(x[i], t[i]);

  for (Reduction r : {Reduction::None, Reduction::Sum, Reduction::Mean}) {
    Tensor leaf = raw::clone(input).set_requires_grad();
    const Tensor y = loss(leaf, target, r);
    CHECK(y.shape() == (r == Reduction::None ? input.shape() : Shape{}));
    const auto got = y.to_vector<double>();
    if (r == Reduction::None)
      for (size_t i = 0; i < x.size(); ++i)
        CHECK(got[i] == doctest::Approx(value(x[i], t[i])).epsilon(1e-12));
    else
      CHECK(got[0] == doctest::Approx(r == Reduction::Sum ? total : total / n).epsilon(1e-12));
    backward(r == Reduction::None ? sum(y) : y);
    const auto dx = leaf.grad().to_vector<double>();
    for (size_t i = 0; i < x.size(); ++i)
      CHECK(dx[i] * (r == Reduction::Mean ? n : 1) ==
            doctest::Approx(slope(x[i], t[i])).epsilon(1e-10));
  }
  CHECK_THROWS_AS(loss(input, slice(target, 1, 0, 2), Reduction::Mean), ShapeError);
  CHECK_THROWS_AS(loss(zeros({0, 5}, F64), zeros({0, 5}, F64), Reduction::Mean), ValueError);
  CHECK(loss(zeros({0, 5}, F64), zeros({0, 5}, F64), Reduction::Sum).item() == 0);
}

double sign_of(double d) { return d > 0 ? 1 : d < 0 ? -1 : 0; }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("loss: mse, l1, huber") {
  const Tensor x = randn({3, 5}, F64), t = randn({3, 5}, F64);
  check_loss([](const auto& a, const auto& b, Reduction r) { return mse_loss(a, b, r); }, x, t,
             [](double a, double b) { return (a - b) * (a - b); },
             [](double a, double b) { return 2 * (a - b); });
  check_loss([](const auto& a, const auto& b, Reduction r) { return l1_loss(a, b, r); }, x, t,
             [](double a, double b) { return std::abs(a - b); },
             [](double a, double b) { return sign_of(a - b); });
  for (double delta : {0.3, 1.0, 10.0})
    check_loss(
        [=](const auto& a, const auto& b, Reduction r) { return huber_loss(a, b, delta, r); }, x, t,
        [=](double a, double b) {
          const double d = std::abs(a - b);
          return d <= delta ? d * d / 2 : delta * (d - delta / 2);
        },
        [=](double a, double b) { return std::clamp(a - b, -delta, delta); });
  CHECK_THROWS_AS(huber_loss(x, t, 0), ValueError);
  CHECK_THROWS_AS(mse_loss(zeros({4, 1}), zeros({4})), ShapeError);
}

TEST_CASE("loss: binary cross-entropy of probabilities") {
  const Tensor p = uniform({3, 5}, 0.01, 0.99, F64), t = rand({3, 5}, F64);
  check_loss(
      [](const auto& a, const auto& b, Reduction r) { return binary_cross_entropy(a, b, r); }, p, t,
      [](double a, double b) { return -(b * std::log(a) + (1 - b) * std::log(1 - a)); },
      [](double a, double b) { return (a - b) / (a * (1 - a)); });
  for (DType dtype : {F32, F64}) {
    Tensor sure = raw::to(tensor<double>({0, 1, 0, 1}), dtype).set_requires_grad();
    const Tensor y =
        binary_cross_entropy(sure, raw::to(tensor<double>({0, 1, 1, 0}), dtype), Reduction::None);
    CHECK(y.to_vector<double>() == std::vector<double>{0, 0, 100, 100});
    backward(sum(y));
    for (double g : sure.grad().to_vector<double>()) CHECK(std::isfinite(g));
  }
  CHECK_THROWS_AS(binary_cross_entropy(tensor<float>({1.5f}), ones({1})), ValueError);
  CHECK_THROWS_AS(binary_cross_entropy(tensor<float>({-0.5f}), ones({1})), ValueError);
  CHECK(std::isnan(binary_cross_entropy(tensor<float>({NAN}), ones({1})).item()));
}

TEST_CASE("loss: binary cross-entropy of logits, also far out and with a weight") {
  const Tensor x = randn({3, 5}, F64) * 4.0, t = rand({3, 5}, F64);
  for (double w : {1.0, 3.5}) {
    const Tensor weight = w == 1 ? Tensor() : full({5}, w, F64);
    check_loss([&](const auto& a, const auto& b,
                   Reduction r) { return binary_cross_entropy_with_logits(a, b, weight, r); },
               x, t,
               [=](double a, double b) {
                 return -(w * b * std::log(logistic(a)) + (1 - b) * std::log(logistic(-a)));
               },
               [=](double a, double b) { return (1 - b) - (1 + (w - 1) * b) * logistic(-a); });
  }
  Tensor far = tensor<float>({1e4f, -1e4f, 1e4f, -1e4f}).set_requires_grad();
  const Tensor y =
      binary_cross_entropy_with_logits(far, tensor<float>({1, 0, 0, 1}), {}, Reduction::None);
  CHECK(y.to_vector() == std::vector<float>{0, 0, 1e4f, 1e4f});
  backward(sum(y));
  CHECK(far.grad().to_vector() == std::vector<float>{0, 0, 1, -1});
  CHECK_THROWS_AS(binary_cross_entropy_with_logits(x, t, ones({2, 3, 5}, F64)), ShapeError);
}

TEST_CASE("loss: kl_div, zero where the target is zero") {
  const Tensor x = log_softmax(randn({3, 5}, F64)), t = softmax(randn({3, 5}, F64));
  check_loss([](const auto& a, const auto& b, Reduction r) { return kl_div(a, b, r); }, x, t,
             [](double a, double b) { return b * (std::log(b) - a); },
             [](double, double b) { return -b; });
  CHECK(kl_div(log(t), t, Reduction::Sum).item() == doctest::Approx(0).epsilon(1e-12));
  const Tensor hard = tensor<double>({0, 1});
  CHECK(kl_div(tensor<double>({-3, -2}), hard, Reduction::Sum).item() == doctest::Approx(2));
  Tensor leaf = raw::clone(hard).set_requires_grad();
  backward(kl_div(tensor<double>({-3, -2}), leaf, Reduction::Sum));
  CHECK(std::isfinite(leaf.grad().to_vector<double>()[0]));
}

TEST_CASE(
    "loss: cross_entropy with probabilities that are one-hot is that with indices; dx = softmax - "
    "t") {
  Tensor x = randn({2, 3, 5}, F64).set_requires_grad();
  const Tensor ids = randint(0, 5, {2, 3}), hot = raw::to(one_hot(ids, 5), F64);
  for (Reduction r : {Reduction::None, Reduction::Sum, Reduction::Mean}) {
    const auto a = cross_entropy(x, hot, {.reduction = r}).to_vector<double>();
    const auto b = cross_entropy(x, ids, {.reduction = r}).to_vector<double>();
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-12));
  }
  const Tensor t = softmax(randn({2, 3, 5}, F64));
  backward(cross_entropy(x, t));
  const auto dx = x.grad().to_vector<double>();
  const auto expected = ((softmax(x.detach()) - t) / 6.0).to_vector<double>();
  for (size_t i = 0; i < dx.size(); ++i)
    CHECK(dx[i] == doctest::Approx(expected[i]).epsilon(1e-10));
  CHECK_THROWS_AS(cross_entropy(zeros({0, 5}), zeros({0, 5})), ValueError);
  CHECK_THROWS_AS(cross_entropy(zeros({}), zeros({})), ShapeError);
  CHECK_THROWS_AS(cross_entropy(zeros({2, 5}), zeros({2})), ShapeError);
  CHECK_THROWS_AS(cross_entropy(zeros({2, 5}), zeros({2, 5}, F64)), DTypeError);
}

TEST_CASE("loss: cross_entropy with probabilities and label smoothing equals PyTorch's") {
  Tensor x = tensor<double>({0.5, -1, 2, 1, 0.25, -0.5}, {2, 3}).set_requires_grad();
  const Tensor t = tensor<double>({0.2, 0.5, 0.3, 0.6, 0.1, 0.3}, {2, 3});
  const Tensor loss = cross_entropy(x, t, {.label_smoothing = 0.1});
  backward(loss);
  CHECK(loss.item() == doctest::Approx(1.5433935202562337).epsilon(1e-12));
  const double wanted[] = {-0.019021470596648327, -0.22211038003132294, 0.24113185062797127,
                           0.008232165161739635,  0.07763367793146983,  -0.0858658430932095};
  const auto dx = x.grad().to_vector<double>();
  for (size_t i = 0; i < dx.size(); ++i) CHECK(dx[i] == doctest::Approx(wanted[i]).epsilon(1e-12));
}
