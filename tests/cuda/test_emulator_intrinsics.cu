// Device functions that programs use now and then, compared with values worked out by hand: bytes
// and 24-bit products, loads and stores with cache hints, pairs of 16-bit floats, clocks, groups of
// threads.
#include <cooperative_groups.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <device_launch_parameters.h>
#include <math_constants.h>

#include "tests/cuda/device.h"

namespace cg = cooperative_groups;

__device__ __noinline__ int emulator_not_inlined(int x) { return x + 1; }

__global__ void emulator_integers(unsigned* out) {
  int i = 0;
  out[i++] = __byte_perm(0x33221100, 0x77665544, 0x7531);
  out[i++] = __byte_perm(0x33228100, 0, 0x9981);  // the sign of bytes 0 and 1
  out[i++] = unsigned(__mul24(-3, 0x01000005));   // only 5 counts
  out[i++] = __umul24(0xff000002, 7);
  out[i++] = __sad(-3, 4, 10u) + 100 * __usad(9, 4, 1);
  out[i++] = umin(3u, 4u) + 10 * umax(3u, 4u);
  out[i++] = unsigned(llmax(-1, 5) + 10 * llmin(7, 5));
  out[i++] = unsigned(emulator_not_inlined(41));
}

TEST_CASE("emulator: bytes, sums of differences, 24-bit products") {
  Device<unsigned> out(8);
  launch<emulator_integers>({1, 1}, out.data());
  CHECK(out.host() ==
        std::vector<unsigned>{0x77553311, 0xffff0081, unsigned(-15), 14, 617, 43, 55, 42});
}

__global__ void emulator_floats(const float* x, float* out) {
  int i = 0;
  float sine = 0, cosine = 0;
  sincospif(0.5f, &sine, &cosine);
  __stcs(out + i++, sine + 10 * cosine);
  __stcg(out + i++, __ldg(x) + __ldcs(x + 1) + __ldcg(x + 2) + __ldca(x));
  out[i++] = fdividef(x[2], x[1]);
  out[i++] = norm3df(2, 3, 6) + rnorm3df(0, 3, 4) + rhypotf(3, 4);
  out[i++] = fminf(CUDART_INF_F, CUDART_PI_F);
  out[i++] = float(__uint2double_rn(4000000000u));
}

TEST_CASE("emulator: loads and stores with cache hints, and rarer functions") {
  Device<float> x{1, 2, 3}, out(6);
  launch<emulator_floats>({1, 1}, x.data(), out.data());
  const std::vector<float> got = out.host();
  const float want[] = {1, 7, 1.5f, 7.4f, 3.14159265f, 4e9f};
  for (int i = 0; i < 6; ++i) CHECK(double(got[i]) == doctest::Approx(want[i]).epsilon(1e-6));
}

__global__ void emulator_clocks(long long* out) {
  const long long begin = clock64();
  const clock_t first = clock();
  out[0] = clock() >= first;
  out[1] = clock64() >= begin;
}

TEST_CASE("emulator: clocks go forward") {
  Device<long long> out(2);
  launch<emulator_clocks>({1, 1}, out.data());
  CHECK(out.host() == std::vector<long long>{1, 1});
}

__global__ void emulator_pairs(float* out) {
  int i = 0;
  const __half2 h = make_half2(__float2half(1.0f), __float2half(-2.0f));
  const __half2 larger = __hmax2(h, __float2half2_rn(0.0f)),
                smaller = __hmin2(h, __half2half2(h.x));
  out[i++] = __low2float(larger) + 10 * __high2float(larger) + 100 * __high2float(smaller);
  out[i++] = __low2float(h2exp(__float2half2_rn(0.0f))) + float(__half2int_rz(__float2half(-2.5f)));
  out[i++] =
      float(__half2uint_rn(__float2half(2.5f))) + 10 * float(__half2uint_rz(__float2half(2.75f)));
  out[i++] = float(__hisinf(__float2half(-CUDART_INF_F))) + 10 * float(__hne(h.x, h.y));
  // 1 + 2^-11 + 2^-20 is nearer to 1 + 2^-10, and 1e6 beyond the largest half, 65504.
  out[i++] = __half2float(__float2half_rz(1.0f + 0x1p-11f + 0x1p-20f));
  out[i++] = __half2float(__float2half_rz(-1e6f));
  out[i++] = __half2float(__short_as_half(0x3c00)) + __half2float(__uint2half_rn(7u));
  const __nv_bfloat162 b = __halves2bfloat162(__int2bfloat16_rn(3), __float2bfloat16(2.5f));
  out[i++] = __low2float(b) + 10 * __high2float(b);
  out[i++] = float(__bfloat162int_rn(__high2bfloat16(b))) +
             10 * float(__bfloat162int_rz(__low2bfloat16(b)));
}

TEST_CASE("emulator: pairs of 16-bit floats and their conversions") {
  Device<float> out(9);
  launch<emulator_pairs>({1, 1}, out.data());
  CHECK(out.host() == std::vector<float>{1 - 200, 1 - 2, 2 + 20, -1 + 10, 1, -65504, 8, 28, 32});
}

__global__ void emulator_loose_groups(int* out) {
  const int i = int(threadIdx.x);
  int value = 0;
  if (i % 3 == 1) {
    const cg::coalesced_group g = cg::coalesced_threads();
    const int next = g.shfl_down(i, 1), last = g.shfl(i, int(g.size()) - 1);
    value = next == (g.thread_rank() + 1 < g.size() ? i + 3 : i);
    value += 10 * (last == (i < 32 ? 31 : 61)) + 100 * int(g.size());
    value += 10000 * (g.ballot(g.thread_rank() < 2) == 3);
  }
  const cg::thread_group tile = cg::tiled_partition(cg::this_thread_block(), 16);
  tile.sync();
  const cg::thread_group block = cg::this_thread_block();
  block.sync();
  if (tile.thread_rank() != threadIdx.x % 16 || tile.size() != 16) value = -1;
  if (block.thread_rank() != threadIdx.x || block.size() != blockDim.x) value = -2;
  out[cg::this_grid().thread_rank()] = value;
}

TEST_CASE("emulator: coalesced groups, groups of any kind, and the grid") {
  under_each_schedule([] {
    Device<int> out(2 * 64);
    launch<emulator_loose_groups>({2, 64}, out.data());
    const std::vector<int> got = out.host();
    for (int k = 0; k < 128; ++k) {
      const int i = k % 64, size = i < 32 ? 11 : 10;  // 1, 4, … 31; 34, … 61
      CHECK(got[k] == (i % 3 == 1 ? 11 + 100 * size + 10000 : 0));
    }
  });
}
