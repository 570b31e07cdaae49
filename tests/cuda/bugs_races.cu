// Races: two threads access the same word, one of them writes, and nothing says which comes first.
#include "tests/cuda/bugs.h"

namespace bugs {

__global__ void read_before_barrier(float* y) {
  SHARED(float, s, [256]);
  const unsigned t = threadIdx.x;
  s[t] = float(t);
  y[t] = s[255 - t];  // BUG: missing __syncthreads
}

// Each thread reads only its lower neighbour, so threads that run in ascending order hide the race.
__global__ void read_lower_neighbour(float* y) {
  SHARED(float, s, [256]);
  const unsigned t = threadIdx.x;
  s[t] = float(t);
  y[t] = t > 0 ? s[t - 1] : 0;  // BUG: missing __syncthreads, lower neighbour
}

__global__ void overwrite_while_read(float* y) {
  SHARED(float, s, [256]);
  const unsigned t = threadIdx.x;
  float sum = 0;
  for (int k = 0; k < 3; ++k) {
    s[t] = float(t) * float(k + 1);  // BUG: missing second __syncthreads in a loop
    __syncthreads();
    sum += s[255 - t];
  }
  y[t] = sum;
}

__global__ void warp_tree(float* y) {
  SHARED(float, s, [32]);
  const unsigned t = threadIdx.x;
  s[t] = 1;
  __syncwarp();
  for (unsigned half = 16; half > 0; half /= 2) {
    if (t < half) s[t] += s[t + half];  // BUG: missing __syncwarp
  }
  if (t == 0) y[0] = s[0];
}

// Only the lower half of the warp meets, but the data crosses the middle.
__global__ void half_a_warp_meets(float* y) {
  SHARED(float, s, [32]);
  const unsigned t = threadIdx.x;
  s[t] = float(t);
  if (t < 16) __syncwarp(0x0000ffffu);
  y[t] = s[31 - t];  // BUG: __syncwarp of too few lanes
}

// All threads of two warps read word 0. The writer itself is the last of the readers.
__global__ void write_what_all_read(float* y) {
  SHARED(float, s, [1]);
  const unsigned t = threadIdx.x;
  if (t == 0) s[0] = 1;
  __syncthreads();
  y[t] = s[0];
  if (t == 63) s[0] = 2;  // BUG: overwriting what others still read
}

__global__ void all_write_one_word(float* y) {
  SHARED(float, s, [1]);
  s[0] = float(threadIdx.x);  // BUG: all threads write one word
  __syncthreads();
  if (threadIdx.x == 0) y[0] = s[0];
}

__global__ void read_a_sum_early(float* y) {
  SHARED(float, sum, [1]);
  if (threadIdx.x == 0) sum[0] = 0;
  __syncthreads();
  atomicAdd(&sum[0], 1.0f);
  y[threadIdx.x] = sum[0];  // BUG: reading an atomic sum without a barrier
}

__global__ void add_without_atomic(float* y) {
  y[threadIdx.x % 4] += 1;  // BUG: lost update
}

__global__ void chain_of_blocks(float* y) {
  if (threadIdx.x > 0) return;
  y[blockIdx.x] =
      blockIdx.x > 0 ? y[blockIdx.x - 1] + 1 : 1;  // BUG: reading another block's result
}

// The last block adds up the others' results. Without a fence, they may arrive after the count.
__global__ void last_block_without_fence(float* y, float* partial, unsigned* count) {
  if (threadIdx.x > 0) return;
  partial[blockIdx.x] = 1;
  if (atomicAdd(count, 1u) < gridDim.x - 1) return;
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) {
    sum += partial[b];  // BUG: last block without __threadfence
  }
  y[0] = sum;
}

__global__ void count_without_a_start(int* y) {
  SHARED(int, count, [1]);
  if (threadIdx.x == 0) count[0] = 0;
  atomicAdd(count, 1);  // BUG: counter set to zero without a barrier
  __syncthreads();
  if (threadIdx.x == 0) y[0] = count[0];
}

__global__ void claim_or_overwrite(int* y) {
  if (threadIdx.x == 0) {
    atomicCAS(y, 0, 1);  // BUG: plain store against an atomic
    atomicCAS(y + 1, 0, 1);
  } else {
    y[0] = 3;
  }
}

// As in CUDA's own guide. On today's hardware it happens to work.
__global__ void max_by_compare_and_swap(int* y) {
  int old = y[0];  // BUG: plain first look of an atomicCAS loop
  for (int seen = old - 1; seen != old;) {
    seen = old;
    old = atomicCAS(y, seen, max(seen, int(threadIdx.x)));
  }
}

__global__ void lock_without_fences(int* lock, int* y) {
  if (threadIdx.x > 0) return;
  while (atomicCAS(lock, 0, 1) != 0) {}
  y[0] += 1;  // BUG: lock without __threadfence
  atomicExch(lock, 0);
}

__global__ void flag_without_a_fence(int* flag, int* y) {
  if (threadIdx.x == 0) {
    y[0] = 7;
    atomicExch(flag, 1);
  }
  if (threadIdx.x == 32) {
    while (atomicAdd(flag, 0) == 0) {}
    y[1] = y[0];  // BUG: flag between warps without a fence
  }
}

// The flag tells the warp that waits for it that y is ready, but not the third warp.
__global__ void one_warp_knows(int* flag, int* y) {
  if (threadIdx.x == 0) {
    y[0] = 7;
    __threadfence_block();
    atomicExch(flag, 1);
  }
  if (threadIdx.x == 32) {
    while (atomicAdd(flag, 0) == 0) {}
  }
  if (threadIdx.x == 64) y[1] = y[0];  // BUG: flag that a third warp does not look at
}

// A fence for the block is not a fence for other blocks.
__global__ void last_block_with_a_small_fence(int* y, unsigned* count) {
  if (threadIdx.x > 0) return;
  y[blockIdx.x] = 1;
  __threadfence_block();
  if (atomicAdd(count, 1u) < gridDim.x - 1) return;
  for (unsigned b = 0; b < gridDim.x - 1; ++b) {
    y[blockIdx.x] += y[b];  // BUG: last block with __threadfence_block
  }
}

std::vector<Bug> races() {
  return {
      {"missing __syncthreads",
       [] {
         float* y = device<float>(256);
         launch<read_before_barrier>({1, 256}, y);
         return equals(y, 256, [](int i) { return 255 - i; });
       },
       "uninitialised (never written, or a barrier is missing)"},
      {"missing __syncthreads, lower neighbour",
       [] {
         float* y = device<float>(256);
         launch<read_lower_neighbour>({1, 256}, y);
         return equals(y, 256, [](int i) { return i > 0 ? i - 1 : 0; });
       },
       "orders the two: data race"},
      {"missing second __syncthreads in a loop",
       [] {
         float* y = device<float>(256);
         launch<overwrite_while_read>({1, 256}, y);
         return equals(y, 256, [](int i) { return (255 - i) * 6; });
       },
       "no __syncthreads() orders the two: data race"},
      {"missing __syncwarp",
       [] {
         float* y = device<float>(1);
         launch<warp_tree>({1, 32}, y);
         return equals(y, 1, [](int) { return 32; });
       },
       "no __syncwarp() or __syncthreads() orders the two: data race"},
      {"__syncwarp of too few lanes",
       [] {
         float* y = device<float>(32);
         launch<half_a_warp_meets>({1, 32}, y);
         return equals(y, 32, [](int i) { return 31 - i; });
       },
       "a barrier is missing"},
      {"overwriting what others still read",
       [] {
         float* y = device<float>(64);
         launch<write_what_all_read>({1, 64}, y);
         return equals(y, 64, [](int) { return 1; });
       },
       "data race"},
      {"all threads write one word",
       [] {
         float* y = device<float>(1);
         launch<all_write_one_word>({1, 64}, y);
         return equals(y, 1, [](int) { return 63; });
       },
       "wrote them"},
      {"reading an atomic sum without a barrier",
       [] {
         float* y = device<float>(64);
         launch<read_a_sum_early>({1, 64}, y);
         return equals(y, 64, [](int) { return 64; });
       },
       "atomically updates"},
      {"lost update",
       [] {
         float* y = device<float>(4);
         launch<add_without_atomic>({1, 64}, y);
         return equals(y, 4, [](int) { return 16; });
       },
       "data race"},
      {"reading another block's result",
       [] {
         float* y = device<float>(8);
         launch<chain_of_blocks>({8, 32}, y);
         return equals(y, 8, [](int i) { return i + 1; });
       },
       "nothing orders two blocks of a launch"},
      {"last block without __threadfence",
       [] {
         float *y = device<float>(1), *partial = device<float>(4);
         launch<last_block_without_fence>({4, 32}, y, partial, device<unsigned>(1));
         return equals(y, 1, [](int) { return 4; });
       },
       "nothing orders two blocks of a launch"},
      {"counter set to zero without a barrier",
       [] {
         int* y = device<int>(1);
         launch<count_without_a_start>({1, 64}, y);
         return equals(y, 1, [](int) { return 64; });
       },
       "thread (0,0,0) wrote them"},
      {"plain store against an atomic",
       [] {
         int* y = device<int>(2);
         launch<claim_or_overwrite>({1, 2}, y);
         return equals(y, 1, [](int) { return 3; });
       },
       "data race"},
      {"plain first look of an atomicCAS loop",
       [] {
         int* y = device<int>(1);
         launch<max_by_compare_and_swap>({1, 64}, y);
         return equals(y, 1, [](int) { return 63; });
       },
       "load it with atomicAdd(p, 0)"},
      {"lock without __threadfence",
       [] {
         int *lock = device<int>(1), *y = device<int>(1);
         launch<lock_without_fences>({8, 32}, lock, y);
         return equals(y, 1, [](int) { return 8; });
       },
       "nothing orders two blocks of a launch"},
      {"flag between warps without a fence",
       [] {
         int *flag = device<int>(1), *y = device<int>(2);
         launch<flag_without_a_fence>({1, 64}, flag, y);
         return equals(y, 2, [](int) { return 7; });
       },
       "no __syncthreads() orders the two"},
      {"flag that a third warp does not look at",
       [] {
         int *flag = device<int>(1), *y = device<int>(2);
         launch<one_warp_knows>({1, 96}, flag, y);
         return equals(y, 2, [](int) { return 7; });
       },
       "no __syncthreads() orders the two"},
      {"last block with __threadfence_block",
       [] {
         int* y = device<int>(4);
         launch<last_block_with_a_small_fence>({4, 32}, y, device<unsigned>(1));
         return equals(y, 4, [](int i) { return i < 3 ? 1 : 4; });
       },
       "nothing orders two blocks of a launch"},
  };
}

}  // namespace bugs
