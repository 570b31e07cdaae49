// Barriers and warp functions that some of their threads do not reach. On a GPU these hang or
// compute with undefined values. Here the block stops, and the report says which threads wait
// where.
#include "tests/cuda/bugs.h"

namespace bugs {

__global__ void barrier_in_a_branch(float* y) {
  if (threadIdx.x < 40) {
    __syncthreads();  // BUG: divergent barrier
  }
  y[threadIdx.x] = 1;
}

__global__ void return_before_barrier(float* y, int n) {
  if (int(threadIdx.x) >= n) return;
  __syncthreads();  // BUG: early return before a barrier
  y[threadIdx.x] = 1;
}

__global__ void barrier_in_each_branch(float* y) {
  if (threadIdx.x < 32) {
    y[threadIdx.x] = 1;
    __syncthreads();  // BUG: if/else with two barriers
  } else {
    __syncthreads();
    y[threadIdx.x] = 1;
  }
}

__global__ void shuffle_in_a_branch(float* y) {
  float v = 1;
  if (threadIdx.x % 32 < 16) {
    v += __shfl_down_sync(0xffffffffu, v, 8);  // BUG: shuffle by half a warp
  }
  y[threadIdx.x] = v;
}

__global__ void shuffle_from_missing_lanes(float* y) {
  float v = 1;
  for (int o = 16; o > 0; o /= 2) {
    v += __shfl_xor_sync(0xffffffffu, v, o);  // BUG: shuffle in a block of 20 threads
  }
  y[threadIdx.x] = v;
}

__global__ void shuffle_with_two_masks(float* y) {
  float v = 1;
  v = threadIdx.x < 16 ? __shfl_sync(0x0000ffffu, v, 0)
                       : __shfl_sync(0xffffffffu, v, 0);  // BUG: shuffle masks disagree
  y[threadIdx.x] = v;
}

// This works only if all blocks run at the same time, which a launch does not promise.
__global__ void barrier_of_a_grid(unsigned* arrived) {
  if (threadIdx.x == 0) {
    atomicAdd(arrived, 1u);
    while (atomicAdd(arrived, 0u) < gridDim.x) {}
  }
  __syncthreads();
}

template <auto Kernel, class... Args>
bool runs(unsigned threads, Args... args) {
  launch<Kernel>({1, threads}, device<float>(64), args...);
  return succeeded();
}

std::vector<Bug> barriers() {
  return {
      {"divergent barrier", [] { return runs<barrier_in_a_branch>(64); }, "__syncthreads"},
      {"early return before a barrier", [] { return runs<return_before_barrier>(64, 50); },
       "left the kernel"},
      {"if/else with two barriers", [] { return runs<barrier_in_each_branch>(64); },
       "__syncthreads"},
      {"shuffle by half a warp", [] { return runs<shuffle_in_a_branch>(32); },
       "shuffles from lane 16, which does not take part"},
      {"shuffle in a block of 20 threads", [] { return runs<shuffle_from_missing_lanes>(20); },
       "shuffles from lane 20, which does not take part"},
      {"shuffle masks disagree", [] { return runs<shuffle_with_two_masks>(32); }, "mask"},
      {"hand-made barrier of a grid",
       [] {
         launch<barrier_of_a_grid>({2, 64}, device<unsigned>(1));
         return succeeded();
       },
       "waits in a loop"},
  };
}

}  // namespace bugs
