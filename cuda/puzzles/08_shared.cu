// Puzzle 08, shared memory: necklaces.
//
//     necklace 0   3  1  4  1  5  9  2  6        each bead becomes the sum of itself and the two
//     out         10  8  6 10 15 16 17 11        beside it; the first and the last are neighbours
//
// Global memory is far away: a load takes hundreds of cycles. Shared memory is close and small, and
// it belongs to one block. So each thread fetches one bead, and the threads of the block get their
// neighbours' beads from each other. But they do not run in step: before a thread reads what
// another has written, all of them must have reached __syncthreads().
//
// Each necklace has a block, and each bead has a thread. Every bead may be loaded once.
#include "cuda/puzzles/puzzle.h"

constexpr int kBeads = 8;

__global__ void shared(const float* a, float* out) {
  SHARED(float, bead, [kBeads]);  // in CUDA itself: __shared__ float bead[kBeads];
  // exercise[ puzzles.08 pts=2
  //? 1 Three steps: fetch this thread's bead into shared memory, wait, add up three beads there.
  //? 2 On a ring the neighbours are (k + 1) % kBeads and (k + kBeads - 1) % kBeads.
  //? 3 bead[k] = a[i]; __syncthreads(); with k = threadIdx.x and i = blockIdx.x * kBeads + k.
  //= // Your lines.
  const int k = threadIdx.x;
  const int i = blockIdx.x * kBeads + k;
  bead[k] = a[i];
  __syncthreads();
  out[i] = bead[(k + kBeads - 1) % kBeads] + bead[k] + bead[(k + 1) % kBeads];
  // exercise]
}

void tests(puzzle::Tests& t) {
  for (const int necklaces : {1, 2, 20}) {
    const puzzle::Array a = t.numbers("a", {necklaces, kBeads});
    const puzzle::Array out = t.result("out", {necklaces, kBeads});
    launch<shared>({necklaces, kBeads}, a.device(), out.device());
    t.limit_loads(a, a.size());
    t.expect(out, [&](int r, int k) {
      return a(r, (k + kBeads - 1) % kBeads) + a(r, k) + a(r, (k + 1) % kBeads);
    });
  }
}
