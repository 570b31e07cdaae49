// A 16-bit float, defined by its conversions to and from float. cuda_fp16.h and cuda_bf16.h define
// one each. A double is rounded twice on its way here, first to float. CUDA rounds only once, so
// the results differ for about one double in 2^29. Everything is always inlined, so that the
// checker finds the line of the kernel that loads or stores one.
#pragma once
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "simt/types.h"

namespace simt {

template <class Format>
class Float16 {
 public:
  Float16() = default;  // trivial, so that shared memory can hold it
  template <class T>
  requires std::is_arithmetic_v<T> __forceinline__ Float16(T x)
      : bits_(Format::bits(static_cast<float>(x))) {}
  __forceinline__ operator float() const { return Format::value(bits_); }

  static __forceinline__ Float16 from_bits(std::uint16_t bits) {
    Float16 x;
    x.bits_ = bits;
    return x;
  }
  __forceinline__ std::uint16_t bits() const { return bits_; }

  friend __forceinline__ Float16 operator+(Float16 a, Float16 b) { return float(a) + float(b); }
  friend __forceinline__ Float16 operator-(Float16 a, Float16 b) { return float(a) - float(b); }
  friend __forceinline__ Float16 operator*(Float16 a, Float16 b) { return float(a) * float(b); }
  friend __forceinline__ Float16 operator/(Float16 a, Float16 b) { return float(a) / float(b); }
  friend __forceinline__ Float16 operator-(Float16 a) { return from_bits(a.bits_ ^ 0x8000); }
  __forceinline__ Float16& operator+=(Float16 b) { return *this = *this + b; }
  __forceinline__ Float16& operator-=(Float16 b) { return *this = *this - b; }
  __forceinline__ Float16& operator*=(Float16 b) { return *this = *this * b; }
  __forceinline__ Float16& operator/=(Float16 b) { return *this = *this / b; }
  friend __forceinline__ bool operator==(Float16 a, Float16 b) { return float(a) == float(b); }
  friend __forceinline__ bool operator!=(Float16 a, Float16 b) { return float(a) != float(b); }
  friend __forceinline__ bool operator<(Float16 a, Float16 b) { return float(a) < float(b); }
  friend __forceinline__ bool operator>(Float16 a, Float16 b) { return float(a) > float(b); }
  friend __forceinline__ bool operator<=(Float16 a, Float16 b) { return float(a) <= float(b); }
  friend __forceinline__ bool operator>=(Float16 a, Float16 b) { return float(a) >= float(b); }

  friend __forceinline__ Float16 __hadd(Float16 a, Float16 b) { return a + b; }
  friend __forceinline__ Float16 __hsub(Float16 a, Float16 b) { return a - b; }
  friend __forceinline__ Float16 __hmul(Float16 a, Float16 b) { return a * b; }
  friend __forceinline__ Float16 __hdiv(Float16 a, Float16 b) { return a / b; }
  friend __forceinline__ Float16 __hneg(Float16 a) { return -a; }
  friend __forceinline__ Float16 __habs(Float16 a) { return from_bits(a.bits_ & 0x7fff); }
  friend __forceinline__ Float16 __hfma(Float16 a, Float16 b, Float16 c) {
    // The exact product and sum of three 11-bit numbers fit into a double, except for its last
    // bits.
    return float(std::fma(double(float(a)), double(float(b)), double(float(c))));
  }
  friend __forceinline__ Float16 __hmax(Float16 a, Float16 b) {
    return std::fmax(float(a), float(b));
  }
  friend __forceinline__ Float16 __hmin(Float16 a, Float16 b) {
    return std::fmin(float(a), float(b));
  }
  friend __forceinline__ bool __hne(Float16 a, Float16 b) { return a != b; }
  friend __forceinline__ bool __heq(Float16 a, Float16 b) { return a == b; }
  friend __forceinline__ bool __hlt(Float16 a, Float16 b) { return a < b; }
  friend __forceinline__ bool __hle(Float16 a, Float16 b) { return a <= b; }
  friend __forceinline__ bool __hgt(Float16 a, Float16 b) { return a > b; }
  friend __forceinline__ bool __hge(Float16 a, Float16 b) { return a >= b; }
  friend __forceinline__ bool __hisnan(Float16 a) { return std::isnan(float(a)); }
  /// 1 for infinity, -1 for -infinity, 0 for anything else.
  friend __forceinline__ int __hisinf(Float16 a) {
    if (!std::isinf(float(a))) return 0;
    return float(a) > 0 ? 1 : -1;
  }
  friend __forceinline__ Float16 hrcp(Float16 a) { return 1.0f / float(a); }
  friend __forceinline__ Float16 htanh(Float16 a) { return std::tanh(float(a)); }
  friend __forceinline__ Float16 hsin(Float16 a) { return std::sin(float(a)); }
  friend __forceinline__ Float16 hcos(Float16 a) { return std::cos(float(a)); }
  friend __forceinline__ Float16 hexp(Float16 a) { return std::exp(float(a)); }
  friend __forceinline__ Float16 hlog(Float16 a) { return std::log(float(a)); }
  friend __forceinline__ Float16 hsqrt(Float16 a) { return std::sqrt(float(a)); }
  friend __forceinline__ Float16 hrsqrt(Float16 a) { return 1.0f / std::sqrt(float(a)); }

 private:
  std::uint16_t bits_;
};

/// Two 16-bit floats in one register.
template <class T>
struct alignas(4) Float16x2 {
  T x, y;
  friend __forceinline__ Float16x2 operator+(Float16x2 a, Float16x2 b) {
    return {a.x + b.x, a.y + b.y};
  }
  friend __forceinline__ Float16x2 operator-(Float16x2 a, Float16x2 b) {
    return {a.x - b.x, a.y - b.y};
  }
  friend __forceinline__ Float16x2 operator*(Float16x2 a, Float16x2 b) {
    return {a.x * b.x, a.y * b.y};
  }
  friend __forceinline__ Float16x2 operator/(Float16x2 a, Float16x2 b) {
    return {a.x / b.x, a.y / b.y};
  }
  friend __forceinline__ Float16x2 __hadd2(Float16x2 a, Float16x2 b) { return a + b; }
  friend __forceinline__ Float16x2 __hsub2(Float16x2 a, Float16x2 b) { return a - b; }
  friend __forceinline__ Float16x2 __hmul2(Float16x2 a, Float16x2 b) { return a * b; }
  friend __forceinline__ Float16x2 __hfma2(Float16x2 a, Float16x2 b, Float16x2 c) {
    return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
  }
  friend __forceinline__ Float16x2 __hmax2(Float16x2 a, Float16x2 b) {
    return {__hmax(a.x, b.x), __hmax(a.y, b.y)};
  }
  friend __forceinline__ Float16x2 __hmin2(Float16x2 a, Float16x2 b) {
    return {__hmin(a.x, b.x), __hmin(a.y, b.y)};
  }
  friend __forceinline__ Float16x2 __hneg2(Float16x2 a) { return {-a.x, -a.y}; }
  friend __forceinline__ Float16x2 h2exp(Float16x2 a) { return {hexp(a.x), hexp(a.y)}; }
  friend __forceinline__ Float16x2 h2log(Float16x2 a) { return {hlog(a.x), hlog(a.y)}; }
  friend __forceinline__ Float16x2 h2sqrt(Float16x2 a) { return {hsqrt(a.x), hsqrt(a.y)}; }
  friend __forceinline__ Float16x2 h2rsqrt(Float16x2 a) { return {hrsqrt(a.x), hrsqrt(a.y)}; }
  friend __forceinline__ float __low2float(Float16x2 a) { return float(a.x); }
  friend __forceinline__ float __high2float(Float16x2 a) { return float(a.y); }
  friend __forceinline__ T __low2half(Float16x2 a) { return a.x; }
  friend __forceinline__ T __high2half(Float16x2 a) { return a.y; }
};

}  // namespace simt
