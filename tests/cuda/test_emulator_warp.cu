// What the 32 lanes of a warp do together, compared with results worked out by hand: shuffles and
// their widths, votes, matches, reductions, and cooperative groups, which are the same under other
// names.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>

#include "tests/cuda/device.h"

namespace cg = cooperative_groups;

namespace {
constexpr unsigned kAll = 0xffffffff;
}

// ---- Shuffles -----------------------------------------------------------------------------------

__global__ void emulator_shuffles(int* out) {
  const int i = int(threadIdx.x), value = 100 + i % 32;
  int* const mine = out + 8 * i;
  mine[0] = __shfl_sync(kAll, value, 5);
  mine[1] = __shfl_sync(kAll, value, i + 3, 8);  // wraps around in each piece of 8
  mine[2] = __shfl_up_sync(kAll, value, 3);
  mine[3] = __shfl_up_sync(kAll, value, 3, 16);
  mine[4] = __shfl_down_sync(kAll, value, 3);
  mine[5] = __shfl_down_sync(kAll, value, 3, 16);
  mine[6] = __shfl_xor_sync(kAll, value, 9);
  mine[7] = __shfl_xor_sync(kAll, value, 9, 8);
}

TEST_CASE("emulator: shuffles read the lane that CUDA says, within their width") {
  under_each_schedule([] {
    Device<int> out(64 * 8);
    launch<emulator_shuffles>({1, 64}, out.data());
    const std::vector<int> got = out.host();
    for (int thread = 0; thread < 64; ++thread) {
      const int i = thread % 32;
      const int* mine = &got[8 * thread];
      CHECK(mine[0] == 105);
      CHECK(mine[1] == 100 + i / 8 * 8 + (i + 3) % 8);
      CHECK(mine[2] == 100 + (i >= 3 ? i - 3 : i));
      CHECK(mine[3] == 100 + (i % 16 >= 3 ? i - 3 : i));
      CHECK(mine[4] == 100 + (i < 29 ? i + 3 : i));
      CHECK(mine[5] == 100 + (i % 16 < 13 ? i + 3 : i));
      CHECK(mine[6] == 100 + (i ^ 9));
      // A lane of a higher piece of 8 is not read, but a lane of a lower piece is.
      CHECK(mine[7] == 100 + ((i ^ 9) / 8 > i / 8 ? i : i ^ 9));
    }
  });
}

template <class T>
__global__ void emulator_warp_sum(const T* x, T* sums) {
  T v = x[blockIdx.x * blockDim.x + threadIdx.x];
  for (int d = 16; d > 0; d /= 2) v += __shfl_down_sync(kAll, v, unsigned(d));
  if (threadIdx.x % 32 == 0) sums[(blockIdx.x * blockDim.x + threadIdx.x) / 32] = v;
}

template <class T>
void check_warp_sums() {
  std::vector<T> x(2 * 96), want(6, T(0));
  for (std::size_t i = 0; i < x.size(); ++i) want[i / 32] += x[i] = T(i % 7);
  Device<T> d(x), sums(6);
  launch<emulator_warp_sum<T>>({2, 96}, d.data(), sums.data());
  CHECK(sums.host() == want);
}

TEST_CASE("emulator: a warp's sum by halving, in 4 and 8 bytes") {
  under_each_schedule([] {
    check_warp_sums<int>();
    check_warp_sums<float>();
    check_warp_sums<double>();
    check_warp_sums<long long>();
  });
}

// ---- Votes, matches, parts of a warp ------------------------------------------------------------

__global__ void emulator_ballots(unsigned* out) {
  const int i = int(threadIdx.x);
  unsigned* const mine = out + 6 * i;
  mine[0] = __ballot_sync(kAll, i % 3 == 0);
  mine[1] = unsigned(__any_sync(kAll, i == 7)) + 2 * unsigned(__any_sync(kAll, i < 0));
  mine[2] = unsigned(__all_sync(kAll, i < 32)) + 2 * unsigned(__all_sync(kAll, i != 7));
  mine[3] = __match_any_sync(kAll, i / 3);
  int same = 5, other = 5;
  mine[4] = __match_all_sync(kAll, 1.5, &same) + __match_all_sync(kAll, i / 31, &other);
  mine[5] = unsigned(10 * same + other);
}

TEST_CASE("emulator: votes and matches") {
  under_each_schedule([] {
    Device<unsigned> out(32 * 6);
    launch<emulator_ballots>({1, 32}, out.data());
    const std::vector<unsigned> got = out.host();
    for (int i = 0; i < 32; ++i) {
      const unsigned* mine = &got[6 * i];
      CHECK(mine[0] == 0x49249249u);  // bits 0, 3, 6, … 30
      CHECK(mine[1] == 1);
      CHECK(mine[2] == 1);
      CHECK(mine[3] == 7u << i / 3 * 3);  // three neighbours, or just lanes 30 and 31
      CHECK(mine[4] == kAll);
      CHECK(mine[5] == 10);
    }
  });
}

// The halves of a warp go separate ways, and each exchanges values among its own lanes. Then lanes
// leave.
__global__ void emulator_halves(int* out, unsigned* active) {
  const int i = int(threadIdx.x);
  int sum = i;
  if (i < 16) {
    for (int d = 8; d > 0; d /= 2) sum += __shfl_xor_sync(0x0000ffff, sum, d);
  } else {
    for (int d = 8; d > 0; d /= 2) sum += __shfl_xor_sync(0xffff0000, sum, d);
    __syncwarp(0xffff0000);
  }
  __syncwarp();
  out[i] = sum;
  active[i] = i % 4 == 0 ? __activemask() : 0;
  if (i >= 8) return;
  out[i] += __shfl_sync(0xff, 1000, 3);
  out[i] += int(__ballot_sync(kAll, 1)) << 16;  // does not wait for lanes that have left
}

TEST_CASE("emulator: parts of a warp work separately, and nothing waits for lanes that have left") {
  under_each_schedule([] {
    Device<int> out(32);
    Device<unsigned> active(32);
    launch<emulator_halves>({1, 32}, out.data(), active.data());
    const std::vector<int> sums = out.host();
    const std::vector<unsigned> masks = active.host();
    for (int i = 0; i < 32; ++i) {
      CHECK(sums[i] == (i < 16 ? 120 : 376) + (i < 8 ? 1000 + (0xff << 16) : 0));
      // A GPU may name fewer lanes, but only lanes that are there.
      if (i % 4 == 0) CHECK((masks[i] & ~0x11111111u) == 0);
      if (i % 4 == 0) CHECK((masks[i] >> i & 1) == 1);
#if defined(SIMT_EMULATOR)
      if (i % 4 == 0) CHECK(masks[i] == 0x11111111u);
#endif
    }
  });
}

// Neighbours exchange values through shared memory. __syncwarp orders that, without a block
// barrier.
__global__ void emulator_neighbours(int* out) {
  SHARED(int, cell, [64]);
  const int i = int(threadIdx.x);
  for (int round = 0; round < 5; ++round) {
    cell[i] = i * 10 + round;
    __syncwarp();
    out[i] = cell[i ^ 1];
    __syncwarp();
  }
}

TEST_CASE("emulator: __syncwarp orders the lanes' accesses") {
  under_each_schedule([] {
    Device<int> out(64);
    launch<emulator_neighbours>({1, 64}, out.data());
    const std::vector<int> got = out.host();
    for (int i = 0; i < 64; ++i) CHECK(got[i] == (i ^ 1) * 10 + 4);
  });
}

#if defined(SIMT_EMULATOR)  // nvcc has these only for sm_80 and later
__global__ void emulator_reductions(int* out) {
  const int i = int(threadIdx.x);
  const unsigned u = unsigned(i) + 1;
  int* const mine = out + 9 * i;
  mine[0] = int(__reduce_add_sync(kAll, u));
  mine[1] = int(__reduce_min_sync(kAll, u));
  mine[2] = int(__reduce_max_sync(kAll, u));
  mine[3] = int(__reduce_and_sync(kAll, u | 64));
  mine[4] = int(__reduce_or_sync(kAll, u));
  mine[5] = int(__reduce_xor_sync(kAll, u));
  mine[6] = __reduce_add_sync(kAll, i - 16);
  mine[7] = __reduce_min_sync(kAll, i - 16);
  mine[8] = __reduce_max_sync(kAll, i - 40);
}

TEST_CASE("emulator: reductions of a warp, signed and unsigned") {
  under_each_schedule([] {
    Device<int> out(32 * 9);
    launch<emulator_reductions>({1, 32}, out.data());
    const std::vector<int> got = out.host();
    // 1 ^ 2 ^ … ^ 32: 1 ^ … ^ 31 is 0, then 32.
    const std::vector<int> want = {528, 1, 32, 64, 63, 32, -16, -16, -9};
    for (int i = 0; i < 32; ++i) CHECK(std::vector<int>(&got[9 * i], &got[9 * i] + 9) == want);
  });
}
#endif

// ---- Cooperative groups -------------------------------------------------------------------------

__device__ int place_among(const cg::thread_block_tile<8>& tile) {
  return int(tile.meta_group_rank() * 100 + tile.meta_group_size());
}

__global__ void emulator_groups(int* out) {
  const cg::thread_block block = cg::this_thread_block();
  const cg::thread_block_tile<32> warp = cg::tiled_partition<32>(block);
  const auto tile = cg::tiled_partition<8>(block);
  const int i = int(block.thread_rank());
  int* const mine = out + 10 * i;
  mine[0] = int(block.size() * 1000 + warp.size() * 10 + tile.thread_rank());
  mine[1] = place_among(tile) * 1000 + place_among(cg::tiled_partition<8>(warp));
  mine[2] = tile.shfl(i, 2);
  mine[3] = tile.shfl_up(i, 1);
  mine[4] = tile.shfl_down(i, 1);
  mine[5] = tile.shfl_xor(i, 4);
  mine[6] = int(tile.ballot(i % 8 > 5));
  mine[7] = tile.any(i == 9) * 10 + tile.all(i < 16);
  mine[8] = cg::reduce(tile, i, cg::plus<int>()) * 1000 + cg::reduce(warp, i, cg::greater<int>());
  block.sync();
  tile.sync();
  mine[9] = cg::reduce(tile, i, cg::less<int>());
}

TEST_CASE("emulator: cooperative groups: the block and tiles of 8 and 32") {
  under_each_schedule([] {
    Device<int> out(64 * 10);
    launch<emulator_groups>({1, dim3(16, 4)}, out.data());
    const std::vector<int> got = out.host();
    for (int i = 0; i < 64; ++i) {
      const int* mine = &got[10 * i];
      const int first = i / 8 * 8;
      CHECK(mine[0] == 64000 + 320 + i % 8);
      CHECK(mine[1] == (i / 8 * 100 + 8) * 1000 + i / 8 % 4 * 100 + 4);
      CHECK(mine[2] == first + 2);
      CHECK(mine[3] == (i % 8 > 0 ? i - 1 : i));
      CHECK(mine[4] == (i % 8 < 7 ? i + 1 : i));
      CHECK(mine[5] == (i ^ 4));
      CHECK(mine[6] == 0xc0);
      CHECK((mine[7] / 10 != 0) == (first == 8));
      CHECK((mine[7] % 10 != 0) == (first < 16));
      CHECK(mine[8] == (8 * first + 28) * 1000 + i / 32 * 32 + 31);
      CHECK(mine[9] == first);
    }
  });
}
