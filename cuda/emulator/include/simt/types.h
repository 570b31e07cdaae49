// The words that CUDA adds to C++: the function qualifiers, which mean nothing on one processor
// with one memory; the short vectors (a float4 is 16 bytes at a 16-byte boundary, one load on a
// GPU); dim3; and the four variables that tell a thread where it is.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "simt/location.h"

#define SIMT_EMULATOR 1

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))
// libstdc++'s <memory> uses __attribute__((__noinline__)), which this macro would break. So it is
// included above.
#define __noinline__ __attribute__((noinline))
#define __shared__                                                              \
  static_assert(false,                                                          \
                "write SHARED(float, tile, [32][33]); or DYN_SHARED(float, s);" \
                " instead of __shared__ (cuda/gpu.h)");

#define SIMT_VECTOR(T, Name, Align2, Align4)                            \
  struct Name##1 {                                                      \
    T x;                                                                \
  };                                                                    \
  struct alignas(Align2) Name##2 {                                      \
    T x, y;                                                             \
  };                                                                    \
  struct Name##3 {                                                      \
    T x, y, z;                                                          \
  };                                                                    \
  struct alignas(Align4) Name##4 {                                      \
    T x, y, z, w;                                                       \
  };                                                                    \
  constexpr Name##1 make_##Name##1(T x) { return {x}; }                 \
  constexpr Name##2 make_##Name##2(T x, T y) { return {x, y}; }         \
  constexpr Name##3 make_##Name##3(T x, T y, T z) { return {x, y, z}; } \
  constexpr Name##4 make_##Name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
SIMT_VECTOR(signed char, char, 2, 4)
SIMT_VECTOR(unsigned char, uchar, 2, 4)
SIMT_VECTOR(short, short, 4, 8)
SIMT_VECTOR(unsigned short, ushort, 4, 8)
SIMT_VECTOR(int, int, 8, 16)
SIMT_VECTOR(unsigned, uint, 8, 16)
SIMT_VECTOR(long, long, 16, 16)
SIMT_VECTOR(unsigned long, ulong, 16, 16)
SIMT_VECTOR(long long, longlong, 16, 16)
SIMT_VECTOR(unsigned long long, ulonglong, 16, 16)
SIMT_VECTOR(float, float, 8, 16)
SIMT_VECTOR(double, double, 16, 16)
#undef SIMT_VECTOR

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned nx = 1, unsigned ny = 1, unsigned nz = 1) : x(nx), y(ny), z(nz) {}
  constexpr dim3(uint3 n) : x(n.x), y(n.y), z(n.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};

// Plain variables: the scheduler rewrites them whenever it switches threads. They are real uint3
// and dim3, not objects with conversions, so that min(threadIdx.x, 3u) works as expected.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
extern const int warpSize;  // as under nvcc, not a constant expression
