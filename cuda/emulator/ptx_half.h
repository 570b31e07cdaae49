#pragma once
// 16-bit numbers: 1 bit for the sign, E for the exponent, the rest for the fraction. E is 5 for f16
// and 8 for bf16. A double represents each of them exactly.
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdint>

namespace simt::ptx {

template <int E>
inline double from_half(uint16_t bits) {
  constexpr int fraction_bits = 15 - E, bias = (1 << (E - 1)) - 1;
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const int exponent = bits >> fraction_bits & ((1 << E) - 1);
  double value = exponent == 0
                     ? std::ldexp(fraction, 1 - bias - fraction_bits)
                     : std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  if (exponent == (1 << E) - 1) value = fraction ? std::nan("") : HUGE_VAL;
  return bits & 0x8000 ? -value : value;
}

template <int E>
inline uint16_t to_half(double x, int mode = FE_TONEAREST) {
  constexpr int fraction_bits = 15 - E, bias = (1 << (E - 1)) - 1;
  constexpr int infinity = ((1 << E) - 1) << fraction_bits;
  const int sign = std::signbit(x) ? 0x8000 : 0;
  if (x != x) return 0x7FFF;
  if (std::isinf(x)) return static_cast<uint16_t>(sign | infinity);
  if (x == 0) return static_cast<uint16_t>(sign);
  int exponent = 0;
  std::frexp(x, &exponent);  // |x| in [2^(exponent-1), 2^exponent)
  const int unit = std::max(exponent - 1, 1 - bias) - fraction_bits;
  // In units of the last place the result is a whole number. If it is rounded up past the fraction,
  // the carry goes into the exponent by itself.
  const double units = std::ldexp(x, -unit);
  std::fesetround(mode);
  const double whole = std::fabs(std::nearbyint(units));
  std::fesetround(FE_TONEAREST);
  const int bits = static_cast<int>(whole) + ((unit + fraction_bits + bias - 1) << fraction_bits);
  const bool away = mode == FE_TONEAREST || mode == (sign ? FE_DOWNWARD : FE_UPWARD);
  return static_cast<uint16_t>(sign | (bits < infinity ? bits : infinity - (away ? 0 : 1)));
}

}  // namespace simt::ptx
