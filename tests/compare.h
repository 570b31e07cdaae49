#pragma once
// Comparing tensors and errors in tests.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "tensor/tensor.h"

namespace gradus {

/// The largest |a - b|, or NaN if there is one. The shapes must agree.
inline double max_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double d = std::abs(x[i] - y[i]);
    worst = d <= worst ? worst : d;  // a NaN stays
  }
  return worst;
}

/// The message of the E that f throws.
template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& e) { return e.what(); }
  FAIL("no error of the expected type");
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace gradus
