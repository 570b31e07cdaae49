// The vectorisable exp and tanh against the library's, in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>

#include "tensor/scalar_math.h"

using namespace gradus;

TEST_CASE("scalar: exp_float over the whole range of float") {
  double worst = 0;
  for (uint64_t bits = 0; bits <= 0xFFFFFFFFu; bits += 997) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (!(x >= -86.9f && x <= 88.72f)) continue;
    worst = std::max(worst, std::abs(scalar::exp_float(x) / std::exp(double{x}) - 1));
  }
  CHECK(worst < 2e-7);
  constexpr float inf = std::numeric_limits<float>::infinity();
  CHECK(scalar::exp_float(0.0f) == 1.0f);
  CHECK(scalar::exp_float(-0.0f) == 1.0f);
  for (float x : {-87.0f, -90.0f, -1e4f, -1e30f, -inf}) CHECK(scalar::exp_float(x) == 0.0f);
  for (float x : {88.73f, 89.5f, 1e4f, 1e30f, inf}) CHECK(scalar::exp_float(x) == inf);
  CHECK(std::isnan(scalar::exp_float(std::nanf(""))));
  CHECK(std::isnan(scalar::exp_float(-std::nanf(""))));
}

TEST_CASE("scalar: tanh of float") {
  double worst = 0;
  for (int i = -200000; i <= 200000; ++i) {
    const float x = static_cast<float>(i) * 1e-4f;
    worst = std::max(worst, std::abs(scalar::tanh(x) - std::tanh(double{x})));
  }
  CHECK(worst < 3e-7);
  CHECK(scalar::tanh(1e-30f) == 1e-30f);
  CHECK(scalar::tanh(1e30f) == 1.0f);
  CHECK(scalar::tanh(-1e30f) == -1.0f);
  CHECK(std::isnan(scalar::tanh(std::nanf(""))));
}
