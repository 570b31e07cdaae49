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

TEST_CASE("gradcheck: a kink or a jump is named, at it and near it") {
  const Function bend = [](const auto& in) { return relu(in[0]); };
  const Function jump = [](const auto& in) { return sign(in[0]); };
  for (const double x : {0.0, 4e-6, -4e-6}) {
    CAPTURE(x);
    CHECK(contains(message(bend, full({}, x, F64)), "kink"));
    CHECK(contains(message(jump, full({}, x, F64)), "kink"));
  }
  CHECK(message(bend, full({}, 2e-5, F64)).empty());
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
    CHECK(gradcheck(one, {randn({3, 3}, F64, generator)}, {.seed = seed}).ok);
  }
}
