// Arithmetic in a kernel: device functions, bit intrinsics, conversions, half and bfloat16. The
// expected values are worked out by hand or come from the C library in double.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "tests/cuda/device.h"

namespace {
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
}  // namespace

__global__ void emulator_functions(const float* x, float* out) {
  const float v = x[threadIdx.x];
  float* const mine = out + 12 * threadIdx.x;
  mine[0] = __expf(v);
  mine[1] = __logf(v);
  mine[2] = rsqrtf(v);
  mine[3] = tanhf(v);
  mine[4] = erff(v);
  mine[5] = fmaf(v, v, 1);
  mine[6] = __fdividef(1, v);
  mine[7] = __powf(v, 3);
  mine[8] = cosf(v) * __cosf(v) + sinf(v) * __sinf(v);
  mine[9] = float(rsqrt(double(v)));
  mine[10] = exp2f(log2f(v));
  mine[11] = normcdff(v);
}

TEST_CASE("emulator: device functions agree with double") {
  const std::vector<float> x = {0.25f, 0.5f, 1, 1.5f, 3};
  Device<float> d(x), out(12 * x.size());
  launch<emulator_functions>({1, x.size()}, d.data(), out.data());
  const std::vector<float> got = out.host();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = x[i];
    const double want[] = {exp(v), log(v),      1 / sqrt(v), tanh(v),
                           erf(v), v * v + 1,   1 / v,       v * v * v,
                           1,      1 / sqrt(v), v,           0.5 * erfc(-v / sqrt(2.0))};
    for (int k = 0; k < 12; ++k)
      CHECK(double(got[12 * i + k]) == doctest::Approx(want[k]).epsilon(2e-6));
  }
}

__global__ void emulator_min_max(const float* x, float* out, int* ints) {
  out[0] = min(x[0], x[1]);
  out[1] = max(x[0], x[1]);
  out[2] = min(x[2], x[1]);  // of a NaN and a number, the number
  out[3] = max(x[1], x[2]);
  out[4] = fminf(x[2], x[0]);
  ints[0] = min(-3, 4);
  ints[1] = max(-3, 4);
  ints[2] = int(min(threadIdx.x + 7, 5u));
  ints[3] = int(max(7ll, -9ll));
}

TEST_CASE("emulator: min and max of integers and floats") {
  Device<float> x{-1, 2, kNan}, out(5);
  Device<int> ints(4);
  launch<emulator_min_max>({1, 1}, x.data(), out.data(), ints.data());
  CHECK(out.host() == std::vector<float>{-1, 2, 2, 2, -1});
  CHECK(ints.host() == std::vector<int>{-3, 4, 5, 7});
}

__global__ void emulator_bits(unsigned long long* out) {
  int i = 0;
  out[i++] = __popc(0xf0f0u) + 100 * __popcll(~0ull);
  out[i++] = __clz(1) + 100 * __clz(0);
  out[i++] = __clzll(1) + 1000 * __clz(-1);
  out[i++] = __ffs(0) + 10 * __ffs(8) + 1000 * __ffsll(1ll << 40);
  out[i++] = __brev(0x00000003u);
  out[i++] = __brevll(1ull);
  out[i++] = __umulhi(0xffffffffu, 0xffffffffu);
  out[i++] = static_cast<unsigned>(__mulhi(-2, 3));
  out[i++] = __umul64hi(~0ull, ~0ull);
  out[i++] = __funnelshift_l(0x80000000u, 1u, 4);
  out[i++] = __funnelshift_r(0x12345678u, 0x9abcdef0u, 8);
  out[i++] = __float_as_uint(1.0f) + (__uint_as_float(0x40000000u) == 2.0f);
  out[i++] = __double_as_longlong(-2.0);
}

TEST_CASE("emulator: bit intrinsics") {
  using Long = unsigned long long;
  Device<Long> out(13);
  launch<emulator_bits>({1, 1}, out.data());
  CHECK(out.host() == std::vector<Long>{8 + 6400, 31 + 3200, 63, 40 + 41000, 0xc0000000,
                                        Long(1) << 63, 0xfffffffe, 0xffffffff, ~Long(0) - 1, 0x18,
                                        0xf0123456, 0x3f800001, 0xc000000000000000});
}

__global__ void emulator_conversions(const float* x, int* out) {
  const float v = x[threadIdx.x];
  int* const mine = out + 6 * threadIdx.x;
  mine[0] = __float2int_rn(v);
  mine[1] = __float2int_rz(v);
  mine[2] = __float2int_rd(v);
  mine[3] = __float2int_ru(v);
  mine[4] = static_cast<int>(__float2uint_rz(v));
  mine[5] = __double2int_rn(double(v));
}

TEST_CASE("emulator: conversions round as named, and saturate") {
  Device<float> x{2.5f, -1.5f, 3e10f, kNan, -kInf};
  Device<int> out(5 * 6);
  launch<emulator_conversions>({1, 5}, x.data(), out.data());
  const std::vector<int> got = out.host();
  const int most = INT32_MAX, least = INT32_MIN;
  CHECK(std::vector<int>(&got[0], &got[6]) == std::vector<int>{2, 2, 2, 3, 2, 2});
  CHECK(std::vector<int>(&got[6], &got[12]) == std::vector<int>{-2, -1, -2, -1, 0, -2});
  CHECK(std::vector<int>(&got[12], &got[18]) == std::vector<int>{most, most, most, most, -1, most});
  CHECK(std::vector<int>(&got[24], &got[24] + 6) ==
        std::vector<int>{least, least, least, least, 0, least});
  for (int k = 0; k < 5; ++k) CHECK(got[18 + k] == 0);
}

// ---- 16-bit floats ------------------------------------------------------------------------------

__global__ void emulator_to_16(const float* x, unsigned short* half_bits,
                               unsigned short* bfloat_bits, float* back) {
  const __half h = __float2half(x[threadIdx.x]);
  const __nv_bfloat16 b = __float2bfloat16(x[threadIdx.x]);
  half_bits[threadIdx.x] = __half_as_ushort(h);
  bfloat_bits[threadIdx.x] = __bfloat16_as_ushort(b);
  back[2 * threadIdx.x] = __half2float(h);
  back[2 * threadIdx.x + 1] = __bfloat162float(b);
}

struct HalfRow {
  float x;
  unsigned short half, bfloat;
};
// clang-format off
constexpr HalfRow kHalfRows[] = {
    {0.0f, 0x0000, 0x0000},
    {-0.0f, 0x8000, 0x8000},
    {1.0f, 0x3c00, 0x3f80},
    {-2.0f, 0xc000, 0xc000},
    {65504.0f, 0x7bff, 0x4780},  // the largest half
    {65519.9f, 0x7bff, 0x4780},
    {65520.0f, 0x7c00, 0x4780},  // halfway to 2^16: infinity
    {0x1p-24f, 0x0001, 0x3380},  // the smallest half
    {0x1p-25f, 0x0000, 0x3300},  // halfway to 0, which is even
    {0x1.8p-25f, 0x0001, 0x3340},
    {0x1.ffcp-15f, 0x0400, 0x3880},  // rounds up to the smallest normal
    {0x1.002p0f, 0x3c00, 0x3f80},    // 1 + 2^-11: halfway, down to even
    {0x1.006p0f, 0x3c02, 0x3f80},    // 1 + 3 * 2^-11: halfway, up to even
    {0x1.01p0f, 0x3c04, 0x3f80},
    {0x1.03p0f, 0x3c0c, 0x3f82},  // the same for bfloat16's 2^-8
    {kInf, 0x7c00, 0x7f80},
    {-kInf, 0xfc00, 0xff80},
    {kNan, 0x7fff, 0x7fff},
};
// clang-format on

TEST_CASE("emulator: float to half and bfloat16, to nearest even, with every kind of value") {
  std::vector<float> x;
  for (const HalfRow& r : kHalfRows) x.push_back(r.x);
  Device<float> d(x), back(2 * x.size());
  Device<unsigned short> halves(x.size()), bfloats(x.size());
  launch<emulator_to_16>({1, x.size()}, d.data(), halves.data(), bfloats.data(), back.data());
  const auto h = halves.host(), b = bfloats.host();
  const auto f = back.host();
  for (std::size_t i = 0; i < x.size(); ++i) {
    INFO("value ", x[i]);
    CHECK(h[i] == kHalfRows[i].half);
    CHECK(b[i] == kHalfRows[i].bfloat);
    if (std::isnan(x[i]))
      CHECK((std::isnan(f[2 * i]) && std::isnan(f[2 * i + 1])));
    else if (std::isinf(x[i]))
      CHECK((f[2 * i] == x[i] && f[2 * i + 1] == x[i]));
    else
      CHECK(f[2 * i + 1] == doctest::Approx(x[i]).epsilon(0.004));
  }
}

__global__ void emulator_half_back(const unsigned short* bits, unsigned short* again,
                                   float* value) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  value[i] = __half2float(__ushort_as_half(bits[i]));
  again[i] = __half_as_ushort(__float2half(value[i]));
}

TEST_CASE("emulator: each of the 65536 halves survives the conversion to float and back") {
  std::vector<unsigned short> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<unsigned short>(i);
  Device<unsigned short> d(bits), again(bits.size());
  Device<float> value(bits.size());
  launch<emulator_half_back>({256, 256}, d.data(), again.data(), value.data());
  const auto got = again.host();
  const auto values = value.host();
  int wrong = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const int exponent = int(i >> 10 & 31), fraction = int(i & 1023);
    float magnitude = std::ldexp(float(fraction), -24);  // subnormal
    if (exponent > 0) magnitude = std::ldexp(float(1024 + fraction), exponent - 25);
    if (exponent == 31) magnitude = kInf;
    const float want = i & 0x8000 ? -magnitude : magnitude;
    if (exponent == 31 && fraction != 0)  // NaN
      wrong += !std::isnan(values[i]) || (got[i] & 0x7fff) <= 0x7c00;
    else
      wrong += values[i] != want || got[i] != bits[i];
  }
  CHECK(wrong == 0);
}

// CUDA has bfloat16's __hfma from sm_80 on.
template <class T>
__device__ T emulator_fused(T a, T b, T c) {
#if defined(SIMT_EMULATOR) || (defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800)
  return __hfma(a, b, c);
#else
  return T(fmaf(float(a), float(b), float(c)));
#endif
}

template <class T>
__global__ void emulator_arithmetic_16(float* out) {
  const T three = T(3.0f), seventh = T(1.0f) / T(7.0f), big = T(256.0f), one = T(1.0f);
  out[0] = float(seventh);
  out[1] = float(three * seventh);
  out[2] = float(big * big + one);
  out[3] = float(emulator_fused(three, seventh, -seventh));
  out[4] =
      float(__hmax(one, three)) + (one < three ? 10.0f : 0.0f) + (__heq(one, one) ? 100.0f : 0.0f);
  T sum = one;
  for (int i = 0; i < 4; ++i) sum += seventh;
  out[5] = float(sum);
}

TEST_CASE("emulator: arithmetic in half and bfloat16 rounds every result") {
  Device<float> out(6);
  launch<emulator_arithmetic_16<__half>>({1, 1}, out.data());
  // 1/7 in half: 1170 * 2^-13. 3 * 1170 = 3510 needs 12 bits: 1755 * 2^-12. 256^2 overflows.
  // 3/7 - 1/7 = 2340 * 2^-13 = 1170 * 2^-12. 1 + 4/7 by steps of 2^-10, where 1/7 is 146.25: 146
  // each time, 1024 + 584.
  CHECK(out.host() == std::vector<float>{1170 * 0x1p-13f, 1755 * 0x1p-12f, kInf, 1170 * 0x1p-12f,
                                         113, 1608 * 0x1p-10f});
  launch<emulator_arithmetic_16<__nv_bfloat16>>({1, 1}, out.data());
  // 1/7 in bfloat16: 146 * 2^-10. 3 * 146 = 438 needs 9 bits: 219 * 2^-9. 65536 + 1 is 65536.
  // 438 - 146 = 292 = 146 * 2. Steps of 2^-7, where 1/7 is 18.25: 128 + 4 * 18.
  CHECK(out.host() == std::vector<float>{146 * 0x1p-10f, 219 * 0x1p-9f, 65536, 146 * 0x1p-9f, 113,
                                         200 * 0x1p-7f});
}

__global__ void emulator_vectors(const float4* x, float4* y, float2* z, __half2* h) {
  const float4 v = x[threadIdx.x];
  y[threadIdx.x] = make_float4(v.w, v.z, v.y, v.x);
  z[threadIdx.x] = make_float2(v.x + v.y, v.z + v.w);
  h[threadIdx.x] = __hadd2(__floats2half2_rn(v.x, v.y), __float2half2_rn(1.0f));
}

TEST_CASE("emulator: vector types have CUDA's sizes and alignments, and move whole") {
  static_assert(sizeof(float3) == 12 && alignof(float3) == 4);
  static_assert(sizeof(float4) == 16 && alignof(float4) == 16);
  static_assert(sizeof(double2) == 16 && alignof(double2) == 16);
  static_assert(sizeof(uchar4) == 4 && alignof(uchar4) == 4 && sizeof(char2) == 2);
  static_assert(sizeof(short4) == 8 && alignof(short4) == 8 && sizeof(longlong2) == 16);
  static_assert(sizeof(__half2) == 4 && alignof(__half2) == 4 && sizeof(__nv_bfloat16) == 2);
  Device<float> x{1, 2, 3, 4, 5, 6, 7, 8}, y(8), z(4), h(2);
  launch<emulator_vectors>({1, 2}, reinterpret_cast<const float4*>(x.data()),
                           reinterpret_cast<float4*>(y.data()), reinterpret_cast<float2*>(z.data()),
                           reinterpret_cast<__half2*>(h.data()));
  CHECK(y.host() == std::vector<float>{4, 3, 2, 1, 8, 7, 6, 5});
  CHECK(z.host() == std::vector<float>{3, 7, 11, 15});
  const std::vector<float> halves = h.host();
  const auto* pairs = reinterpret_cast<const __half2*>(halves.data());
  CHECK(__half22float2(pairs[1]).x == 6.0f);
  CHECK(__half22float2(pairs[1]).y == 7.0f);
}
