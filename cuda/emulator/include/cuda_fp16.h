// half: 1 sign bit, 5 exponent bits and 10 fraction bits. Every operation is done in float and then
// rounded to 16 bits. For + - * / that gives the hardware's result, because float has more than
// twice the bits.
#pragma once
#include <bit>
#include <cstdint>

#include "simt/float16.h"
#include "simt/math.h"
#include "simt/types.h"

namespace simt {

/// Rounds to nearest even by hand, because not every compiler has _Float16.
inline std::uint16_t half_bits(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const auto sign = std::uint16_t(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7fff;                         // NaN, as a GPU's
  if (magnitude >= 0x477ff000) return std::uint16_t(sign | 0x7c00);  // 65520 and more: infinity
  if (magnitude < 0x38800000) {  // below 2^-14: adding 0.5 rounds to a multiple of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return std::uint16_t(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000));
  }
  const std::uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return std::uint16_t(sign | ((rounded - 0x38000000) >> 13));
}

inline float half_value(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t(bits & 0x8000) << 16, magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00)  // infinity and NaN
    return std::bit_cast<float>(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  if (magnitude < 0x400) {  // a multiple of 2^-24
    const float value = float(magnitude) * 0x1p-24f;
    return sign ? -value : value;
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000));
}

struct HalfFormat {
  static std::uint16_t bits(float x) { return half_bits(x); }
  static float value(std::uint16_t bits) { return half_value(bits); }
};

}  // namespace simt

using __half = simt::Float16<simt::HalfFormat>;
using __half2 = simt::Float16x2<__half>;
using half = __half;
using half2 = __half2;

inline __half __float2half(float x) { return __half(x); }
inline __half __float2half_rn(float x) { return __half(x); }
inline __half __double2half(double x) { return __half(x); }
inline __half __int2half_rn(int x) { return __half(float(x)); }
inline __half __uint2half_rn(unsigned x) { return __half(float(x)); }
/// Rounds towards zero: if the nearest half is further from zero, takes one step back.
inline __half __float2half_rz(float x) {
  const __half nearest(x);
  const bool away = std::abs(float(nearest)) > std::abs(x);
  return away ? __half::from_bits(std::uint16_t(nearest.bits() - 1)) : nearest;
}
inline float __half2float(__half x) { return float(x); }
inline int __half2int_rn(__half x) { return __float2int_rn(float(x)); }
inline int __half2int_rz(__half x) { return __float2int_rz(float(x)); }
inline unsigned __half2uint_rn(__half x) { return __float2uint_rn(float(x)); }
inline unsigned __half2uint_rz(__half x) { return __float2uint_rz(float(x)); }
inline __half __short_as_half(short bits) { return __half::from_bits(std::uint16_t(bits)); }
inline short __half_as_short(__half x) { return short(x.bits()); }
inline __half __ushort_as_half(unsigned short bits) { return __half::from_bits(bits); }
inline unsigned short __half_as_ushort(__half x) { return x.bits(); }
inline __half2 __floats2half2_rn(float a, float b) { return {__half(a), __half(b)}; }
inline __half2 __float2half2_rn(float a) { return {__half(a), __half(a)}; }
inline __half2 __halves2half2(__half a, __half b) { return {a, b}; }
inline __half2 __half2half2(__half a) { return {a, a}; }
inline __half2 __float22half2_rn(float2 a) { return {__half(a.x), __half(a.y)}; }
inline float2 __half22float2(__half2 a) { return {float(a.x), float(a.y)}; }
inline __half2 make_half2(__half a, __half b) { return {a, b}; }
