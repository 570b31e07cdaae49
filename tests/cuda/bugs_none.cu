// Correct programs that look like bugs. Nothing may be reported.
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

// The quarters of a warp meet on their own, and read before they overwrite.
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

// The last block to finish adds up the results of all blocks (CUDA samples, threadFenceReduction).
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

// The same with a counter that is a __device__ variable, and with the results of all threads.
__device__ unsigned blocks_done;
__global__ void last_block_by_symbol(float* y, float* partial) {
  SHARED(bool, last, [1]);
  const unsigned t = threadIdx.x;
  partial[blockIdx.x * blockDim.x + t] = 1;
  __syncthreads();
  if (t == 0) {
    __threadfence();
    last[0] = atomicInc(&blocks_done, gridDim.x) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last[0]) return;
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b * blockDim.x + t];
  y[t] = sum;
  if (t == 0) blocks_done = 0;
}

// Every thread has its own fence. After the barrier, one thread can publish for all.
__global__ void last_block_all_fence(float* y, float* partial, unsigned* count) {
  SHARED(bool, last, [1]);
  const unsigned t = threadIdx.x;
  partial[blockIdx.x * blockDim.x + t] = 1;
  __threadfence();
  __syncthreads();
  if (t == 0) last[0] = atomicAdd(count, 1u) == gridDim.x - 1;
  __syncthreads();
  if (!last[0]) return;
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b * blockDim.x + t];
  y[t] = sum;
}

__device__ void add_under_lock(int* lock, int* y) {
  while (atomicCAS(lock, 0, 1) != 0) {}
  __threadfence();
  y[0] += 1;
  __threadfence();
  atomicExch(lock, 0);
}
__global__ void lock_of_blocks(int* lock, int* y) {
  if (threadIdx.x == 0) add_under_lock(lock, y);
}
__global__ void lock_of_warps(int* lock, int* y) {
  if (threadIdx.x % 32 == 0) add_under_lock(lock, y);
}

__global__ void flag_of_a_warp(int* y) {
  SHARED(int, flag, [1]);
  if (threadIdx.x == 0) flag[0] = 0;
  __syncthreads();
  if (threadIdx.x == 0) {
    y[0] = 7;
    __threadfence_block();
    atomicExch(flag, 1);
  }
  if (threadIdx.x == 32) {
    while (atomicAdd(flag, 0) == 0) {}
    __threadfence_block();
    y[1] = y[0];
  }
}

// Thread 0 sets the counter and counts at once. After a barrier the others count.
__global__ void count_in_turns(int* y) {
  SHARED(int, count, [1]);
  if (threadIdx.x == 0) {
    count[0] = 0;
    atomicAdd(count, 5);
  }
  __syncthreads();
  atomicAdd(count, 1);
  __syncthreads();
  if (threadIdx.x == 0) y[0] = count[0];
}

struct Padded {
  char letter;  // followed by three bytes that are never written
  int number;
};
__global__ void fill_padded(Padded* p) {
  p[threadIdx.x].letter = 'a';
  p[threadIdx.x].number = 2;
}
__global__ void copy_padded(const Padded* p, Padded* q) { q[threadIdx.x] = p[threadIdx.x]; }

bool structs_with_padding() {
  Padded *p = nullptr, *q = nullptr;
  cudaMalloc(&p, 32 * sizeof(Padded));
  cudaMalloc(&q, 32 * sizeof(Padded));
  launch<fill_padded>({1, 32}, p);
  launch<copy_padded>({1, 32}, p, q);
  return host(q, 32)[31].number == 2 && succeeded();
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
      {"(correct) last block, with a __device__ counter",
       [] {
         float *y = device<float>(32), *partial = device<float>(128);
         launch<last_block_by_symbol>({4, 32}, y, partial);
         launch<last_block_by_symbol>({4, 32}, y, partial);
         return equals(y, 32, [](int) { return 4; });
       },
       nullptr},
      {"(correct) last block, where every thread fences",
       [] {
         float *y = device<float>(32), *partial = device<float>(128);
         launch<last_block_all_fence>({4, 32}, y, partial, device<unsigned>(1));
         return equals(y, 32, [](int) { return 4; });
       },
       nullptr},
      {"(correct) lock between blocks",
       [] {
         int *lock = device<int>(1), *y = device<int>(1);
         launch<lock_of_blocks>({8, 32}, lock, y);
         return equals(y, 1, [](int) { return 8; });
       },
       nullptr},
      {"(correct) lock between warps",
       [] {
         int *lock = device<int>(1), *y = device<int>(1);
         launch<lock_of_warps>({3, 128}, lock, y);
         return equals(y, 1, [](int) { return 12; });
       },
       nullptr},
      {"(correct) flag between warps",
       [] {
         int* y = device<int>(2);
         launch<flag_of_a_warp>({1, 64}, y);
         return equals(y, 2, [](int) { return 7; });
       },
       nullptr},
      {"(correct) counter set and used in turns",
       [] {
         int* y = device<int>(1);
         launch<count_in_turns>({1, 64}, y);
         return equals(y, 1, [](int) { return 69; });
       },
       nullptr},
      {"(correct) structs with padding", structs_with_padding, nullptr},
      {"(correct) two streams and an event", streams_with_an_event, nullptr},
  };
}

}  // namespace bugs
