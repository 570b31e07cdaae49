// The counters of the checked build (cuda/emulator/profile.h), compared with figures worked out by
// hand. A warp's request of 32 consecutive floats is 128 bytes: 4 sectors of 32 bytes if it starts
// at a multiple of 32. Shared memory has 32 banks of 4 bytes.
#include "cuda/gpu.h"

#if defined(SIMT_EMULATOR) && defined(__SANITIZE_THREAD__)
  #include <doctest/doctest.h>

  #include "cuda/emulator/profile.h"

namespace counted {

__global__ void copy(const float* x, float* y, int stride, int offset) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = x[i * unsigned(stride) + unsigned(offset)];
}

__global__ void copy_vectors(const float4* x, float4* y) { y[threadIdx.x] = x[threadIdx.x]; }

// The Makefile's -fno-tree-sra keeps g++ from taking the vector apart.
__global__ void scale_vectors(const float4* x, float4* y) {
  float4 v = x[threadIdx.x];
  v.x *= 2;
  v.w += v.y;
  y[threadIdx.x] = v;
}

__global__ void broadcast(const float* x, float* y) { y[threadIdx.x] = x[0]; }

__global__ void half_of_the_lanes(const float* x, float* y) {
  if (threadIdx.x % 2 == 0) y[threadIdx.x] = x[threadIdx.x];
}

constexpr int side = 64;  // of the matrices, which blocks of (32, 32) threads transpose

__global__ void transpose_naive(const float* x, float* y) {
  const unsigned column = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 32 + threadIdx.y;
  y[column * side + row] = x[row * side + column];
}

template <int Width>
__global__ void transpose_by_tiles(const float* x, float* y) {
  SHARED(float, tile, [32][Width]);
  const unsigned column = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 32 + threadIdx.y;
  tile[threadIdx.y][threadIdx.x] = x[row * side + column];
  __syncthreads();
  const unsigned to_column = blockIdx.y * 32 + threadIdx.x, to_row = blockIdx.x * 32 + threadIdx.y;
  y[to_row * side + to_column] = tile[threadIdx.x][threadIdx.y];
}

__global__ void sum_of_256(const float* x, float* y) {
  SHARED(float, s, [256]);
  const unsigned t = threadIdx.x;
  s[t] = x[t];
  __syncthreads();
  for (unsigned half = 128; half > 0; half /= 2) {
    if (t < half) s[t] += s[t + half];
    __syncthreads();
  }
  if (t == 0) y[0] = s[0];
}

__global__ void histogram(const int* x, int* y) {
  SHARED(int, bins, [8]);
  if (threadIdx.x < 8) bins[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bins[x[threadIdx.x]], 1);
  __syncthreads();
  if (threadIdx.x < 8) atomicAdd(&y[threadIdx.x], bins[threadIdx.x]);
}

__global__ void shared_doubles(double* y) {
  SHARED(double, s, [64]);
  s[2 * threadIdx.x] = 1;  // every second double: pairs of lanes in each half-warp share a bank
  __syncthreads();
  y[threadIdx.x] = s[2 * (31 - threadIdx.x)];
}

template <class T>
T* zeros(std::size_t n) {
  T* p = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&p), n * sizeof(T));
  cudaMemset(p, 0, n * sizeof(T));
  return p;
}

/// Counts one launch.
template <auto Kernel, class... Args>
simt::KernelProfile count(const LaunchConfig& config, Args... args) {
  simt::start_profile();
  launch<Kernel>(config, args...);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  REQUIRE(simt::profile().size() == 1);
  CHECK(simt::profile()[0].launches == 1);
  return simt::profile()[0];
}

}  // namespace counted

using namespace counted;

TEST_CASE("counters: a copy") {
  // 1024 threads are 32 warps: 32 loads and 32 stores of 4 sectors each, which is ideal.
  const auto k = count<copy>({4, 256}, zeros<float>(1024), zeros<float>(1024), 1, 0);
  CHECK(k.kernel == "counted::copy");
  CHECK(k.threads == 1024);
  CHECK(k.barriers == 0);
  for (const auto& t : {k.loads, k.stores}) {
    CHECK(t.bytes == 4096);
    CHECK(t.requests == 32);
    CHECK(t.sectors == 128);
    CHECK(t.ideal == 128);
  }
  CHECK(k.shared.requests == 0);
  CHECK(k.global_atomics + k.shared_atomics == 0);
}

TEST_CASE("counters: strided and shifted copies") {
  // Stride 2: a request spans 256 bytes, which is 8 sectors, and needs only half of the bytes.
  const auto two = count<copy>({1, 256}, zeros<float>(512), zeros<float>(256), 2, 0);
  CHECK(two.loads.sectors == 8 * 8);
  CHECK(two.loads.ideal == 8 * 4);
  CHECK(two.stores.sectors == 8 * 4);
  // Stride 32: 128 bytes from lane to lane, so each of the 32 lanes has a sector of its own.
  const auto far = count<copy>({1, 256}, zeros<float>(8192), zeros<float>(256), 32, 0);
  CHECK(far.loads.sectors == 8 * 32);
  CHECK(far.loads.ideal == 8 * 4);
  CHECK(far.loads.bytes == 1024);
  // Shifted by one float: the 128 bytes from byte 4 touch 5 sectors.
  const auto shifted = count<copy>({1, 256}, zeros<float>(257), zeros<float>(256), 1, 1);
  CHECK(shifted.loads.sectors == 8 * 5);
  CHECK(shifted.loads.ideal == 8 * 4);
}

TEST_CASE("counters: vectors, broadcasts, and idle lanes") {
  // One request of 32 float4 is 512 bytes: 16 sectors.
  const auto vectors = count<copy_vectors>({1, 32}, zeros<float4>(32), zeros<float4>(32));
  CHECK(vectors.loads.requests == 1);
  CHECK(vectors.loads.bytes == 512);
  CHECK(vectors.loads.sectors == 16);
  CHECK(vectors.stores.requests == 1);
  CHECK(vectors.stores.sectors == 16);
  const auto scaled = count<scale_vectors>({1, 32}, zeros<float4>(32), zeros<float4>(32));
  CHECK(scaled.loads.requests == 1);
  CHECK(scaled.loads.sectors == 16);
  CHECK(scaled.stores.requests == 1);
  CHECK(scaled.stores.sectors == 16);
  // 32 lanes ask for the same 4 bytes.
  const auto same = count<broadcast>({1, 32}, zeros<float>(1), zeros<float>(32));
  CHECK(same.loads.bytes == 128);
  CHECK(same.loads.sectors == 1);
  CHECK(same.loads.ideal == 1);
  // 16 lanes ask for 64 bytes, spread over 128.
  const auto half = count<half_of_the_lanes>({1, 32}, zeros<float>(32), zeros<float>(32));
  CHECK(half.loads.bytes == 64);
  CHECK(half.loads.sectors == 4);
  CHECK(half.loads.ideal == 2);
}

TEST_CASE("counters: a transposed copy") {
  // 64 x 64 floats in 4 blocks of 32 warps: 128 loads and 128 stores. A warp writes down a column:
  // 32 rows, 256 bytes apart, 32 sectors.
  const float* x = zeros<float>(side * side);
  float* y = zeros<float>(side * side);
  const LaunchConfig config{dim3(2, 2), dim3(32, 32)};
  const auto naive = count<transpose_naive>(config, x, y);
  CHECK(naive.loads.sectors == 128 * 4);
  CHECK(naive.stores.sectors == 128 * 32);
  CHECK(naive.stores.ideal == 128 * 4);
  // Through a tile, warps both load and store rows. They also write the tile by rows, but read it
  // by columns. With 32 floats in a row, all 32 lanes want the same bank: 31 extra passes for each
  // of 128 warps.
  const auto tile = count<transpose_by_tiles<32>>(config, x, y);
  CHECK(tile.loads.sectors == 128 * 4);
  CHECK(tile.stores.sectors == 128 * 4);
  CHECK(tile.barriers == 4);
  CHECK(tile.shared.requests == 2 * 128);
  CHECK(tile.shared.bytes == 2 * 4096 * 4);
  CHECK(tile.shared.conflicts == 31 * 128);
  // With one more column, each row starts one bank further on.
  const auto padded = count<transpose_by_tiles<33>>(config, x, y);
  CHECK(padded.shared.requests == 2 * 128);
  CHECK(padded.shared.conflicts == 0);
}

TEST_CASE("counters: a sum by halving") {
  const auto k = count<sum_of_256>({1, 256}, zeros<float>(256), zeros<float>(1));
  CHECK(k.barriers == 1 + 8);
  CHECK(k.loads.sectors == 8 * 4);
  CHECK(k.stores.bytes == 4);
  CHECK(k.stores.sectors == 1);
  // First 8 warps store. Then halves of 128, 64, 32, 16, …, 1 threads are 4 + 2 + 1 + 5 = 12
  // warps, which load twice and store once. At the end there is one load.
  CHECK(k.shared.requests == 8 + 12 * 3 + 1);
  // 256 threads store; 255 add; one loads.
  CHECK(k.shared.bytes == 4 * (256 + 255 * 3 + 1));
  CHECK(k.shared.conflicts == 0);
}

TEST_CASE("counters: atomics") {
  // 64 threads count into shared memory, 8 of them add the result to global memory.
  const auto k = count<histogram>({1, 64}, zeros<int>(64), zeros<int>(8));
  CHECK(k.shared_atomics == 64);
  CHECK(k.global_atomics == 8);
  CHECK(k.stores.requests == 0);
  CHECK(k.barriers == 2);
}

TEST_CASE("counters: bank conflicts of doubles") {
  // 16 lanes are served at a time. With a stride of 16 bytes, lanes 0 and 8 share two banks: one
  // extra pass for each half, once for the store and once for the load.
  const auto k = count<shared_doubles>({1, 32}, zeros<double>(32));
  CHECK(k.shared.requests == 2);
  CHECK(k.shared.conflicts == 2 * 2);
}

TEST_CASE("counters: the same kernel twice, and two kernels") {
  simt::start_profile();
  for (int i = 0; i < 2; ++i) launch<copy>({1, 32}, zeros<float>(32), zeros<float>(32), 1, 0);
  launch<broadcast>({1, 32}, zeros<float>(1), zeros<float>(32));
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  REQUIRE(simt::profile().size() == 2);
  CHECK(simt::profile("counted::copy").launches == 2);
  CHECK(simt::profile("counted::copy").loads.sectors == 8);
  CHECK(simt::profile("counted::broadcast").launches == 1);
  CHECK(simt::profile("nobody").launches == 0);
}

#endif
