// What gradcheck says about a derivative that is not there, and about a formula that is wrong.
#include <doctest/doctest.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"

using namespace gradus;

namespace {
bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}
std::string message(const Function& f, const Tensor& x) { return gradcheck(f, {x}).message; }
}  // namespace

TEST_CASE("gradcheck: a kink or a jump is named at it, and does not disturb near it") {
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

TEST_CASE("gradcheck: the roundoff where a gradient is 0 is no error") {
  const Function one = [](const auto& in) { return sum(softmax(in[0])); };  // the number of rows
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Generator generator(seed);
    CAPTURE(seed);
    CHECK(gradcheck(one, {randn({3, 3}, F64, generator)}, {.seed = seed}).message == "");
  }
}
