// bfloat16: the upper half of a float. It has float's range and 8 bits of precision. Every
// operation is done in float and rounded once, to nearest even.
#pragma once
#include <bit>
#include <cstdint>

#include "simt/float16.h"
#include "simt/math.h"
#include "simt/types.h"

namespace simt {

struct BfloatFormat {
  static std::uint16_t bits(float x) {
    const auto b = std::bit_cast<std::uint32_t>(x);
    if ((b & 0x7fffffff) > 0x7f800000) return 0x7fff;  // NaN, as a GPU's
    return std::uint16_t((b + 0x7fff + (b >> 16 & 1)) >> 16);
  }
  static float value(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }
};

}  // namespace simt

using __nv_bfloat16 = simt::Float16<simt::BfloatFormat>;
using __nv_bfloat162 = simt::Float16x2<__nv_bfloat16>;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

inline __nv_bfloat16 __float2bfloat16(float x) { return __nv_bfloat16(x); }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return __nv_bfloat16(x); }
inline __nv_bfloat16 __double2bfloat16(double x) { return __nv_bfloat16(x); }
inline float __bfloat162float(__nv_bfloat16 x) { return float(x); }
inline __nv_bfloat16 __int2bfloat16_rn(int x) { return __nv_bfloat16(float(x)); }
inline int __bfloat162int_rn(__nv_bfloat16 x) { return __float2int_rn(float(x)); }
inline int __bfloat162int_rz(__nv_bfloat16 x) { return __float2int_rz(float(x)); }
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) { return {a, b}; }
inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 a) { return {a, a}; }
inline __nv_bfloat162 make_bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) { return {a, b}; }
inline __nv_bfloat16 __low2bfloat16(__nv_bfloat162 a) { return a.x; }
inline __nv_bfloat16 __high2bfloat16(__nv_bfloat162 a) { return a.y; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
  return __nv_bfloat16::from_bits(bits);
}
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.bits(); }
inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) {
  return {__nv_bfloat16(a), __nv_bfloat16(b)};
}
inline __nv_bfloat162 __float2bfloat162_rn(float a) { return {__nv_bfloat16(a), __nv_bfloat16(a)}; }
inline float2 __bfloat1622float2(__nv_bfloat162 a) { return {float(a.x), float(a.y)}; }
