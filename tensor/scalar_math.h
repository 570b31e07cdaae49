#pragma once
// exp and tanh without a branch, so that the compiler turns loops over them into vector
// instructions without -ffast-math (which would remove NaN and infinity). For double, and on a
// GPU, we use the library's functions.
//   e^x = 2^n e^r,  n = round(x / ln 2),  r = x - n ln 2 in [-0.35, 0.35],
//   e^r by a polynomial of degree 6
// Source of the method: Cody & Waite, Software Manual for the Elementary Functions (1980), ch. 6.
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "tensor/view.h"

namespace gradus::scalar {

/// e^x in single precision, with a relative error below 2e-7. It is 0 below -86.9 and infinity
/// above 88.73; NaN stays NaN. It is computed as (2 e^r) 2^(n-1), because 2^128 would not fit;
/// what overflows then becomes infinity by itself.
inline __attribute__((always_inline)) float exp_float(float x) {
  constexpr float lowest = -86.9f, highest = 89.0f;
  const float c = x > highest ? highest : x;
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const float shifted = c * 1.44269504f + magic;
  const float n = shifted - magic;
  // ln 2 in two parts, the first short enough for n * 0.693359375 to be exact
  const float r = (c - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 2 * 1.3981999507e-3f + r * (2 * 1.9875691500e-4f);
  p = 2 * 8.3334519073e-3f + r * p;
  p = 2 * 4.1665795894e-2f + r * p;
  p = 2 * 1.6666665459e-1f + r * p;
  p = 2 * 5.0000001201e-1f + r * p;
  p = 2.0f + r * (2.0f + r * p);
  const uint32_t exponent = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(magic) + 126;
  const float y = p * std::bit_cast<float>(exponent << 23);
  return x < lowest ? 0.0f : y;
}

template <class T>
GRADUS_HD T exp(T x) {
#if !defined(__CUDA_ARCH__)
  if constexpr (std::is_same_v<T, float>) return exp_float(x);
#endif
  return std::exp(x);
}

/// 1 / (1 + e^-x)
template <class T>
GRADUS_HD T sigmoid(T x) {
  return T(1) / (T(1) + scalar::exp(-x));
}

/// tanh x = 1 - 2 / (e^2x + 1). Near 0, where digits would cancel, it is x + x^3 p(x^2).
template <class T>
GRADUS_HD T tanh(T x) {
#if !defined(__CUDA_ARCH__)
  if constexpr (std::is_same_v<T, float>) {
    const float s = x * x;
    float p = 2.06390887954531e-2f + s * -5.70498872745e-3f;
    p = -5.37397155531e-2f + s * p;
    p = 1.33314422036e-1f + s * p;
    p = -3.33332819422e-1f + s * p;
    const float near = x + x * s * p;
    const float far = 1.0f - 2.0f / (exp_float(2.0f * x) + 1.0f);
    return (x > -0.625f && x < 0.625f) ? near : far;
  }
#endif
  return std::tanh(x);
}

}  // namespace gradus::scalar
