// What gradcheck says about a derivative that does not exist, and about a wrong formula.
#include <doctest/doctest.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "tests/compare.h"

using namespace gradus;

namespace {
std::string message(const Function& f, const Tensor& x) { return gradcheck(f, {x}).message; }
}  // namespace

TEST_CASE("gradcheck: a kink or a jump is named where it is, and does not disturb nearby") {
  const Function bend = [](const auto& in) { return relu(in[0]); };
  const Function jump = [](const auto& in) { return sign(in[0]); };
  for (const Function& f : {bend, jump}) {
    const GradcheckResult at = gradcheck(f, {full({}, 0, F64)});
    CHECK(contains(at.message, "kink"));
    CHECK(at.inconclusive());
    CHECK(gradcheck(f, {tensor<double>({1, 0, -2})}).unjudged == 1);
    for (const double x : {4e-6, -4e-6, 1e-3, -1e-3, 1e-12, -1e-12}) {
      CAPTURE(x);
      CHECK(message(f, full({}, x, F64)).empty());
      CHECK(message(f, tensor<double>({1, x, -2})).empty());
    }
  }
  const Function shifted = [](const auto& in) { return relu(in[0] - 1); };
  for (const double d : {1e-3, 1e-5, 1e-7, 1e-9}) {
    CAPTURE(d);
    CHECK(message(shifted, tensor<double>({1 + d, 1 - d})).empty());
  }
}

TEST_CASE("gradcheck: a steep and curved function has no kink") {
  const Function wrong = [](const auto& in) {
    const Tensor x = in[0];
    return record("exp", exp(x.detach()), {{x, [x](const Tensor& g) { return g * x; }}});
  };
  const std::string said = message(wrong, tensor<double>({3, 5, 9}));
  CHECK(!contains(said, "kink"));
  CHECK(contains(said, "formula"));
}

TEST_CASE("gradcheck: rounding where a gradient is 0 is not an error") {
  const Function one = [](const auto& in) { return sum(softmax(in[0])); };  // the number of rows
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Generator generator(seed);
    CAPTURE(seed);
    CHECK(gradcheck(one, {randn({3, 3}, F64, generator)}, {.seed = seed}).message == "");
  }
}

TEST_CASE("gradcheck: steps scale with the input") {
  const auto one = [](Tensor (*f)(const Tensor&)) {
    return Function([f](const auto& in) { return f(in[0]); });
  };
  CHECK(message(one(square), full({}, 1e6, F64)) == "");
  CHECK(message(one(log), full({}, 1e-3, F64)) == "");
  CHECK(message(one(sqrt), full({}, 1e-3, F64)) == "");
  const Function sum_of_squares = [](const auto& in) { return sum(square(in[0])); };
  CHECK(message(sum_of_squares, uniform({1600}, 90, 110, F64)) == "");
  const Function mixed = [](const auto& in) { return square(in[0]); };
  CHECK(message(mixed, tensor<double>({1e8, -1e-8, 0, 1, -3e4, 1e-3})) == "");
}

TEST_CASE("gradcheck: differences too coarse to judge neither pass nor accuse") {
  const Function offset = [](const auto& in) { return sum(sin(in[0])) + 1e8; };
  const GradcheckResult r = gradcheck(offset, {randn({2, 3}, F64)});
  CHECK_FALSE(r.ok);
  CHECK(r.inconclusive());
  CHECK(r.wrong == 0);
  CHECK(r.unjudged == 6);
  CHECK(r.checked == 6);
  CHECK(contains(r.message, "6 of 6 derivatives could not be judged"));
  CHECK(contains(r.message, "too coarse"));
  // As another output the offset adds no noise: outputs are subtracted one by one.
  const Function apart = [](const auto& in) { return cat({sin(in[0]), full({1}, 1e8, F64)}, 0); };
  CHECK(message(apart, randn({3}, F64)) == "");
  const Function edge = [](const auto& in) { return sqrt(in[0]); };
  const GradcheckResult at_edge = gradcheck(edge, {tensor<double>({0, 1})});
  CHECK(at_edge.inconclusive());
  CHECK(contains(at_edge.message, "f is not finite at this input, or not on both"));
}

TEST_CASE("gradcheck: float32 inside f is named, and nothing is accused") {
  const Function recorded = [](const auto& in) { return to(sin(to(in[0], F32)), F64); };
  const Function hidden = [](const auto& in) {  // recorded as one op; only the values show it
    const Tensor x = in[0];
    return record("sin", raw::to(raw::unary(scalar::Sin{}, raw::to(x, F32)), F64),
                  {{x, [x](const Tensor& g) { return g * cos(x); }}});
  };
  for (const Function& f : {recorded, hidden})
    for (const double size : {1.0, 1e3}) {
      const GradcheckResult r = gradcheck(f, {randn({2, 3}, F64) * size});
      CAPTURE(r.message);
      CHECK(r.wrong == 0);
      CHECK(r.inconclusive());
      CHECK(contains(r.message, "f goes through float32"));
    }
}

TEST_CASE("gradcheck: a random f is refused by name") {
  Generator own(3);
  const Tensor x = randn({1}, F64);
  for (const double p : {0.1, 0.5}) {
    const Function drops = [p](const auto& in) { return dropout(in[0], p); };
    const Function drops_by_itself = [p, &own](const auto& in) { return dropout(in[0], p, own); };
    for (int i = 0; i < 20; ++i) {
      CHECK_THROWS_WITH_AS(gradcheck(drops, {x}), doctest::Contains("draws from default_generator"),
                           ValueError);
      CHECK_THROWS_WITH_AS(gradgradcheck(drops, {x}), doctest::Contains("f is random"), ValueError);
      const Tensor several = randn({6}, F64);
      CHECK_THROWS_WITH_AS(gradcheck(drops_by_itself, {several}), doctest::Contains("f is random"),
                           ValueError);
    }
  }
  const Function seeded = [](const auto& in) {
    manual_seed(1);
    return dropout(in[0], 0.5);
  };
  CHECK(message(seeded, randn({6}, F64)) == "");
  const Function unused = [](const auto& in) { return square(in[0]) + 0 * sum(randn({2}, F64)); };
  CHECK(message(unused, randn({3}, F64)) == "");
}

TEST_CASE("gradgradcheck: its message says that it is about second derivatives") {
  const Function detached = [](const auto& in) {
    const Tensor x = in[0];
    return record("square", raw::mul(x, x),
                  {{x, [v = x.detach()](const Tensor& g) { return g * v * 2; }}});
  };
  for (const double size : {1e-8, 1e-4, 1.0, 1e4, 1e8}) {
    CAPTURE(size);
    const GradcheckResult r = gradgradcheck(detached, {randn({2, 3}, F64) * size});
    CAPTURE(r.message);
    CHECK(r.wrong == 6);
    CHECK(contains(r.message, "second derivative of input 0 at"));
    CHECK(contains(r.message, "0 everywhere"));
  }
  const Function half = [](const auto& in) {  // only half of the derivative is differentiable
    const Tensor x = in[0];
    return record("cube", pow(x.detach(), 3),
                  {{x, [x](const Tensor& g) { return g * x * x.detach() * 3; }}});
  };
  for (const double size : {1e-8, 1e-4, 1.0, 1e4, 1e8}) {
    CAPTURE(size);
    const GradcheckResult r = gradgradcheck(half, {randn({2, 3}, F64) * size});
    CAPTURE(r.message);
    CHECK(r.wrong == 6);
    CHECK(contains(r.message, "0.5 times"));
  }
}

TEST_CASE("gradcheck: where f is not finite nothing is accused, and a check must check something") {
  const Function overflow = [](const auto& in) { return exp(in[0]); };
  const auto r = gradcheck(overflow, {tensor<double>({1, 800})});
  CHECK(r.inconclusive());
  CHECK(r.message.find("f is not finite") != std::string::npos);
  const Tensor x = tensor<double>({1});
  CHECK_THROWS_AS(gradcheck(overflow, {x}, {.tolerance = std::nan("")}), ValueError);
  CHECK_THROWS_AS(gradcheck(overflow, {x}, {.step = 0}), ValueError);
  CHECK_THROWS_AS(gradcheck(overflow, {x}, {.differentiate = {false}}), ValueError);
  CHECK_THROWS_AS(gradcheck([](const auto& in) { return in[0] > 0; }, {x}), DTypeError);
}

TEST_CASE("gradcheck: rounding left over by values that cancel inside f is not called wrong") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    Generator generator(seed);
    const Tensor x = randn({3}, F64, generator) * 1e-9, logits = randn({2, 3}, F64, generator);
    const Function versine = [](const auto& in) { return 1.0 - cos(in[0]); };
    const Function loss = [](const auto& in) {
      return cross_entropy(in[0], tensor<int64_t>({0, 2}));
    };
    CHECK(gradcheck(versine, {x}).wrong == 0);
    for (const double size : {30.0, 300.0, 1000.0}) {
      CHECK(gradcheck(loss, {logits * size}).wrong == 0);
      CHECK(gradgradcheck(loss, {logits * size}).wrong == 0);
    }
  }
}
