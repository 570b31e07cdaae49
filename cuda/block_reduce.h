#pragma once
// One number from every thread of a block, combined into one that every thread receives. All of
// CUDA's warp shuffles in this folder are here. A block of 256 threads, 8 warps of 32 lanes:
//
//     warp 0                    warp 1               …   warp 7
//     v v v v … v (32 lanes)    v v v v … v              v v v v … v
//      \\ // butterfly: lane i    \\ //                    \\ //
//       \V/  with i^16, i^8,       \V/                      \V/
//        |   i^4, i^2, i^1          |                        |
//     partial[0]                partial[1]           …   partial[7]        shared memory, a barrier
//        └──────────────┬───────────┴────────────────────────┘
//     every warp reads the eight partial results and runs the butterfly once more: no broadcast.
//
// In a butterfly two lanes exchange values, and both compute a ⊕ b: after five steps all lanes hold
// the same bits, because ⊕ is commutative. The tree's shape depends on the block's size alone, so a
// sum has the same bits in every run. The functors are those of tensor/scalar_ops.h.
#include <limits>

#include "cuda/gpu.h"
#include "cuda/grid.h"
#include "tensor/scalar_ops.h"

namespace gradus::cuda {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

/// Combines v over groups of `lanes` neighbours, a power of two up to 32; all threads of the warp
/// must call it. Every thread receives its group's result.
template <int lanes = kWarp, class T, class Op>
__device__ inline T warp_reduce(T v, Op op) {
#pragma unroll
  for (int distance = lanes / 2; distance > 0; distance /= 2)
    v = op(v, static_cast<T>(__shfl_xor_sync(kAllLanes, v, distance)));
  return v;
}

/// Combines v over all threads of a one-dimensional block, whose size is a multiple of 32; all must
/// call it. `identity` is what changes nothing: 0 for a sum, -inf for a maximum.
template <class T, class Op>
__device__ inline T block_reduce(T v, Op op, T identity) {
  v = warp_reduce(v, op);
  if (blockDim.x <= kWarp) return v;
  SHARED(T, partial, [kWarp]);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  if (lane == 0) partial[warp] = v;
  __syncthreads();
  v = warp_reduce(lane < warps ? partial[lane] : identity, op);
  __syncthreads();  // a caller's next block_reduce writes `partial` again
  return v;
}

template <class T>
__device__ inline T block_sum(T v) {
  return block_reduce(v, scalar::Add{}, T(0));
}
/// NaN if any thread brings one: scalar::Maximum passes it on.
template <class T>
__device__ inline T block_max(T v) {
  return block_reduce(v, scalar::Maximum{}, -std::numeric_limits<T>::infinity());
}

/// How many threads should share a row of n elements: about four elements each, whole warps, and
/// at most 512, of which two blocks or more fit on a multiprocessor. One warp needs no barrier.
inline unsigned threads_for_row(int64_t n) {
  const int64_t wanted = (n + 4 * kWarp - 1) / (4 * kWarp) * kWarp;
  return static_cast<unsigned>(wanted < kWarp ? kWarp : wanted > 512 ? 512 : wanted);
}

}  // namespace gradus::cuda
