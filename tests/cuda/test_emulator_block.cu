// What the threads of a block do together, compared with results worked out by hand: indices,
// shared memory, barriers, atomics. This is real CUDA throughout, so it also runs on a GPU.
#include <cstring>

#include "tests/cuda/device.h"

namespace {
constexpr int kBlock = 96;  // three warps
}

// ---- Indices ------------------------------------------------------------------------------------

__global__ void emulator_where_am_i(uint4* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned size = blockDim.x * blockDim.y * blockDim.z;
  out[block * size + thread] = make_uint4(threadIdx.x + 100 * threadIdx.y + 10000 * threadIdx.z,
                                          blockIdx.x + 100 * blockIdx.y + 10000 * blockIdx.z,
                                          unsigned(warpSize), block * size + thread);
}

TEST_CASE("emulator: every thread of a 3-d grid of 3-d blocks runs once and knows where it is") {
  under_each_schedule([] {
    const dim3 grid(3, 2, 2), block(5, 3, 2);
    Device<uint4> out(12 * 30);
    cudaMemset(out.data(), 0, out.bytes());
    launch<emulator_where_am_i>({grid, block}, out.data());
    const std::vector<uint4> got = out.host();
    for (unsigned i = 0; i < 12 * 30; ++i) {
      const unsigned b = i / 30, t = i % 30;
      CHECK(got[i].x == t % 5 + 100 * (t / 5 % 3) + 10000 * (t / 15));
      CHECK(got[i].y == b % 3 + 100 * (b / 3 % 2) + 10000 * (b / 6));
      CHECK(got[i].z == 32);
      CHECK(got[i].w == i);
    }
  });
}

struct EmulatorScale {
  float factor;
  char unused;
  __host__ __device__ float operator()(float x) const { return factor * x; }
};

template <class F>
__global__ void emulator_map(float* x, char padding, double shift, F f, int n) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) x[i] = f(x[i]) + float(shift) + float(padding);
}

TEST_CASE("emulator: arguments are converted to the parameters' types, structs among them") {
  Device<float> x{1, 2, 3};
  launch<emulator_map<EmulatorScale>>({1, 32}, x.data(), 1, 2, EmulatorScale{10, 'x'}, 3u);
  CHECK(x.host() == std::vector<float>{13, 23, 33});
#if defined(__clang__)  // clang 14 leaves the arguments out
  CHECK(kernel_name<emulator_map<EmulatorScale>>().starts_with("emulator_map"));
#else
  CHECK(kernel_name<emulator_map<EmulatorScale>>() == "emulator_map<EmulatorScale>");
#endif
}

// ---- Shared memory ------------------------------------------------------------------------------

__global__ void emulator_reverse(float* x) {
  SHARED(float, tile, [kBlock]);
  float& mine = x[blockIdx.x * kBlock + threadIdx.x];
  tile[threadIdx.x] = mine;
  __syncthreads();
  mine = tile[kBlock - 1 - threadIdx.x];
}

// One declaration is one array, no matter how many functions reach it. Two types make two arrays.
template <class T>
__device__ T* emulator_room() {
  SHARED_ALIGNED(16, T, room, [kBlock]);
  return room;
}

__global__ void emulator_rooms(double* out) {
  DYN_SHARED(double, dynamic);
  emulator_room<int>()[threadIdx.x] = int(threadIdx.x);
  emulator_room<float>()[threadIdx.x] = 0.5f;
  dynamic[threadIdx.x] = 1000;
  __syncthreads();
  const int other = kBlock - 1 - int(threadIdx.x);
  out[threadIdx.x] =
      emulator_room<int>()[other] + double(emulator_room<float>()[other]) + dynamic[other];
}

TEST_CASE("emulator: shared memory belongs to a block, static and dynamic") {
  under_each_schedule([] {
    std::vector<float> x(3 * kBlock);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(i);
    Device<float> d(x);
    launch<emulator_reverse>({3, kBlock}, d.data());
    const std::vector<float> got = d.host();
    for (int b = 0; b < 3; ++b)
      for (int i = 0; i < kBlock; ++i) CHECK(got[b * kBlock + i] == x[b * kBlock + kBlock - 1 - i]);

    Device<double> out(kBlock);
    launch<emulator_rooms>({1, kBlock, kBlock * sizeof(double)}, out.data());
    const std::vector<double> rooms = out.host();
    for (int i = 0; i < kBlock; ++i) CHECK(rooms[i] == kBlock - 1 - i + 1000.5);
  });
}

// ---- Barriers -----------------------------------------------------------------------------------

// A prefix sum by doubling: 7 rounds, two barriers each. A barrier that opens early gives wrong
// sums.
__global__ void emulator_prefix_sum(int* x) {
  SHARED(int, sum, [kBlock]);
  const int i = int(threadIdx.x);
  sum[i] = x[i];
  for (int distance = 1; distance < kBlock; distance *= 2) {
    __syncthreads();
    const int left = i >= distance ? sum[i - distance] : 0;
    __syncthreads();
    sum[i] += left;
  }
  x[i] = sum[i];
}

__global__ void emulator_votes(int* out) {
  const int i = int(threadIdx.x);
  const int count = __syncthreads_count(i % 3 == 0);
  const int all = __syncthreads_and(i < kBlock), not_all = __syncthreads_and(i != 50);
  const int any = __syncthreads_or(i == 50), none = __syncthreads_or(i > kBlock);
  out[i] = count * 10000 + (all != 0) * 1000 + (not_all != 0) * 100 + (any != 0) * 10 + (none != 0);
}

TEST_CASE("emulator: barriers hold all threads of the block, and count, and, or their predicates") {
  under_each_schedule([] {
    Device<int> x(std::vector<int>(kBlock, 1));
    launch<emulator_prefix_sum>({1, kBlock}, x.data());
    const std::vector<int> sums = x.host();
    for (int i = 0; i < kBlock; ++i) CHECK(sums[i] == i + 1);

    launch<emulator_votes>({1, kBlock}, x.data());
    CHECK(x.host() == std::vector<int>(kBlock, 32 * 10000 + 1000 + 10));
  });
}

// ---- Atomics ------------------------------------------------------------------------------------

// Every thread of 4 blocks of 96 threads contributes its number, 0 … 383.
template <class T>
__global__ void emulator_atomics(T* r) {
  const T i = T(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&r[0], i);
  atomicMin(&r[1], i + 5);
  atomicMax(&r[2], i);
  atomicExch(&r[3], T(7));
  T seen = atomicAdd(&r[4], T(0));  // compare-and-swap: add 2 by hand
  for (T old; (old = atomicCAS(&r[4], seen, seen + 2)) != seen;) seen = old;
}

__global__ void emulator_atomic_bits(unsigned* r) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  atomicSub(&r[0], 1u);
  atomicAnd(&r[1], ~(1u << i % 16));
  atomicOr(&r[2], 1u << i % 16);
  atomicXor(&r[3], i);
  atomicInc(&r[4], 99u);  // counts 0 … 99, 0 …
  atomicDec(&r[5], 99u);  // counts down from 99
}

__global__ void emulator_atomic_float(float* r, double* d) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&r[0], 0.5f);  // multiples of 0.5 and 0.25: exact in any order
  atomicExch(&r[1], 3.0f);
  atomicAdd(d, i * 0.25);
}

TEST_CASE("emulator: atomics lose nothing") {
  under_each_schedule([] {
    const int n = 4 * kBlock;
    Device<int> i{0, 1000, -1, 0, 0};
    launch<emulator_atomics<int>>({4, kBlock}, i.data());
    CHECK(i.host() == std::vector<int>{n * (n - 1) / 2, 5, n - 1, 7, 2 * n});

    using Long = unsigned long long;
    Device<Long> l{Long(1) << 40, 1000, 0, 0, 0};
    launch<emulator_atomics<Long>>({4, kBlock}, l.data());
    CHECK(l.host() ==
          std::vector<Long>{(Long(1) << 40) + n * (n - 1) / 2, 5, n - 1, 7, Long(2 * n)});

    Device<unsigned> u{1000, 0xffffffff, 0, 0, 0, 0};
    launch<emulator_atomic_bits>({4, kBlock}, u.data());
    // The exclusive or of 0 … 4 m - 1 is 0. 384 increments modulo 100; 384 steps down: 0, 99, 98
    // …
    CHECK(u.host() == std::vector<unsigned>{1000 - 384, 0xffff0000, 0xffff, 0, 84, 16});

    Device<float> f{0, 0};
    Device<double> d{0};
    launch<emulator_atomic_float>({4, kBlock}, f.data(), d.data());
    CHECK(f.host() == std::vector<float>{192, 3});
    CHECK(d.host()[0] == n * (n - 1) / 2 * 0.25);
  });
}

// The last block to finish adds up the results of all: the usual way to reduce in one launch.
__global__ void emulator_last_block(const int* x, int* partial, unsigned* done, int* total) {
  SHARED(bool, last);
  int sum = __syncthreads_count(x[blockIdx.x * blockDim.x + threadIdx.x]);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = sum;
    __threadfence();
    last = atomicAdd(done, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  sum = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) sum += atomicAdd(&partial[i], 0);
  *total = sum;
}

TEST_CASE("emulator: the last block to finish sees the others' results") {
  under_each_schedule([] {
    std::vector<int> x(5 * kBlock);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 3 == 0;
    Device<int> d(x), partial(5), total(1);
    Device<unsigned> done{0};
    launch<emulator_last_block>({5, kBlock}, d.data(), partial.data(), done.data(), total.data());
    CHECK(total.host()[0] == 160);
  });
}

// The threads of a block take turns. This works only if a waiting thread lets the others run.
__global__ void emulator_turns(int* turn, int* order) {
  while (atomicAdd(turn, 0) != int(blockDim.x - 1 - threadIdx.x)) {}
  const int mine = atomicAdd(turn, 1);
  order[mine] = int(threadIdx.x);
}

TEST_CASE("emulator: threads that wait for each other in a loop of atomics get there") {
  under_each_schedule([] {
    Device<int> turn{0}, order(40);
    launch<emulator_turns>({1, 40}, turn.data(), order.data());
    const std::vector<int> got = order.host();
    for (int i = 0; i < 40; ++i) CHECK(got[i] == 39 - i);
  });
}

// ---- Constant and __device__ variables ----------------------------------------------------------

__constant__ float emulator_table[4];
__device__ int emulator_counter;

__global__ void emulator_symbols(float* out) {
  out[threadIdx.x] = emulator_table[threadIdx.x % 4] * __ldg(&emulator_table[1]);
  if (threadIdx.x == 0) emulator_counter += 1;
}

TEST_CASE("emulator: constant and device variables are reached by their symbols") {
  const float table[] = {1, 2, 3, 4}, last = 40;
  CHECK(cudaMemcpyToSymbol(emulator_table, table, sizeof table) == cudaSuccess);
  CHECK(cudaMemcpyToSymbol(emulator_table, &last, 4, 12) == cudaSuccess);
  const int start = 41;
  CHECK(cudaMemcpyToSymbol(emulator_counter, &start, 4) == cudaSuccess);
  Device<float> out(5);
  launch<emulator_symbols>({1, 5}, out.data());
  CHECK(out.host() == std::vector<float>{2, 4, 6, 80, 2});
  int counter = 0;
  CHECK(cudaMemcpyFromSymbol(&counter, emulator_counter, 4) == cudaSuccess);
  CHECK(counter == 42);
  const Quiet quiet;
  CHECK(cudaMemcpyToSymbol(emulator_table, table, sizeof table, 4) == cudaErrorInvalidValue);
  cudaGetLastError();
}
