// Correct programs that look like bugs: nobody may report anything.
#include "tests/cuda/bugs.h"

namespace bugs {

__global__ void reverse(float* y) {
  SHARED(float, s, [256]);
  s[threadIdx.x] = float(threadIdx.x);
  __syncthreads();
  y[blockIdx.x * 256 + threadIdx.x] = s[255 - threadIdx.x];
}

__global__ void sum_by_warps(float* y) {
  SHARED(float, s, [64]);
  const unsigned t = threadIdx.x, lane = t % 32;
  s[t] = 1;
  __syncwarp();
  for (unsigned half = 16; half > 0; half /= 2) {
    if (lane < half) s[t] += s[t + half];
    __syncwarp();
  }
  if (lane == 0) y[t / 32] = s[t];
}

// Quarters of a warp that meet on their own, and read before they overwrite.
__global__ void rotate_quarters(float* y) {
  SHARED(float, s, [32]);
  const unsigned t = threadIdx.x, first = t & ~7u;
  const unsigned quarter = 0xffu << first;
  s[t] = float(t);
  __syncwarp(quarter);
  for (int step = 0; step < 8; ++step) {
    const float next = s[first + (t + 1) % 8];
    __syncwarp(quarter);
    s[t] = next;
    __syncwarp(quarter);
  }
  y[t] = s[t];
}

__global__ void histogram(const int* x, int* y, int n) {
  SHARED(int, bins, [8]);
  if (threadIdx.x < 8) bins[threadIdx.x] = 0;
  __syncthreads();
  for (int i = int(threadIdx.x); i < n; i += int(blockDim.x)) atomicAdd(&bins[x[i]], 1);
  __syncthreads();
  if (threadIdx.x < 8) atomicAdd(&y[threadIdx.x], bins[threadIdx.x]);
}

// Neighbouring bytes belong to different threads.
__global__ void negate_bytes(unsigned char* y) {
  const unsigned t = threadIdx.x;
  y[t] = static_cast<unsigned char>(y[t] + 1);
}

// The block that counts last adds up all blocks' results (CUDA samples, threadFenceReduction).
__global__ void last_block(float* y, float* partial, unsigned* count) {
  SHARED(bool, last, [1]);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = 1;
    __threadfence();
    last[0] = atomicAdd(count, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last[0] || threadIdx.x > 0) return;
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b];
  y[0] = sum;
  *count = 0;  // ready for the next launch
}

__global__ void set(float* y, float value) { y[threadIdx.x] = value; }
__global__ void twice(const float* x, float* y) { y[threadIdx.x] = 2 * x[threadIdx.x]; }

bool streams_with_an_event() {
  float *x = device<float>(64), *y = device<float>(64), *h = nullptr;
  cudaMallocHost(reinterpret_cast<void**>(&h), 256);
  cudaStream_t s, t;
  cudaStreamCreate(&s);
  cudaStreamCreateWithFlags(&t, cudaStreamNonBlocking);
  cudaEvent_t filled;
  cudaEventCreate(&filled);
  cudaDeviceSynchronize();
  launch<set>({1, 64, 0, s}, x, 3.0f);
  cudaEventRecord(filled, s);
  cudaStreamWaitEvent(t, filled, 0);
  launch<twice>({1, 64, 0, t}, x, y);
  cudaMemcpyAsync(h, y, 256, cudaMemcpyDeviceToHost, t);
  cudaStreamSynchronize(t);
  return h[63] == 6 && succeeded();
}

std::vector<Bug> correct_programs() {
  return {
      {"(correct) barrier between two halves",
       [] {
         float* y = device<float>(512);
         launch<reverse>({2, 256}, y);
         return equals(y, 256, [](int i) { return 255 - i; });
       },
       nullptr},
      {"(correct) sum by warps",
       [] {
         float* y = device<float>(2);
         launch<sum_by_warps>({1, 64}, y);
         return equals(y, 2, [](int) { return 32; });
       },
       nullptr},
      {"(correct) __syncwarp of quarters",
       [] {
         float* y = device<float>(32);
         launch<rotate_quarters>({1, 32}, y);
         return equals(y, 32, [](int i) { return i; });
       },
       nullptr},
      {"(correct) histogram by atomics",
       [] {
         std::vector<int> x(1000);
         for (int i = 0; i < 1000; ++i) x[std::size_t(i)] = i % 8;
         int *dx = device<int>(1000), *y = device<int>(8);
         cudaMemcpy(dx, x.data(), 4000, cudaMemcpyHostToDevice);
         launch<histogram>({1, 96}, dx, y, 1000);
         return equals(y, 8, [](int) { return 125; });
       },
       nullptr},
      {"(correct) bytes of one word by four threads",
       [] {
         unsigned char* y = device<unsigned char>(64);
         launch<negate_bytes>({1, 64}, y);
         return equals(y, 64, [](int) { return 1; });
       },
       nullptr},
      {"(correct) last block, with a fence",
       [] {
         float *y = device<float>(1), *partial = device<float>(4);
         launch<last_block>({4, 32}, y, partial, device<unsigned>(1));
         return equals(y, 1, [](int) { return 4; });
       },
       nullptr},
      {"(correct) two streams and an event", streams_with_an_event, nullptr},
  };
}

}  // namespace bugs
