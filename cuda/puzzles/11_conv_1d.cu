// Puzzle 11, convolution in one dimension: a window of weights slides along.
//
//     a        3   1   4   1   5   9   2   6           weights  2  0  -1
//     window  [2   0  -1]
//                 [2   0  -1]                    out[i] = 2 a[i] + 0 a[i + 1] - 1 a[i + 2]
//     out      2   1   3  -7   8  12   4  12           beyond the end of a there are zeros
//
// A block of 8 threads computes 8 outputs. For these it needs 8 + width - 1 numbers: its own, and
// the first few of the next block, which it must fetch itself, because blocks cannot see each
// other's shared memory. Each block may load each number that it needs once.
#include "cuda/puzzles/puzzle.h"

constexpr int kThreads = 8, kMaxWidth = 5;

__global__ void conv_1d(const float* a, const float* weights, float* out, int n, int width) {
  SHARED(float, near, [kThreads + kMaxWidth - 1]);
  // exercise[ puzzles.11 pts=2
  //? 1 near[j] should be a[first + j], where a[first] is the block's first number. Past the end it
  //?   should be 0.
  //? 2 There are kThreads + width - 1 numbers to fetch, more than threads, so some threads fetch
  //?   two. Use a loop: for (int j = threadIdx.x; j < kThreads + width - 1; j += kThreads).
  //? 3 After the barrier: sum += weights[w] * near[threadIdx.x + w] for each w below width.
  //= // Your lines.
  const int first = blockIdx.x * kThreads;
  const int i = first + threadIdx.x;
  for (int j = threadIdx.x; j < kThreads + width - 1; j += kThreads) {
    near[j] = first + j < n ? a[first + j] : 0;
  }
  __syncthreads();
  if (i < n) {
    float sum = 0;
    for (int w = 0; w < width; ++w) sum += weights[w] * near[threadIdx.x + w];
    out[i] = sum;
  }
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int sizes[][2] = {{8, 3}, {13, 4}, {20, 5}, {99, 1}};
  for (const auto& [n, width] : sizes) {
    const puzzle::Array a = t.numbers("a", {n}), weights = t.numbers("weights", {width});
    const puzzle::Array out = t.result("out", {n});
    const int blocks = (n + kThreads - 1) / kThreads;
    launch<conv_1d>({blocks, kThreads}, a.device(), weights.device(), out.device(), n, width);
    t.limit_loads(a, n + (blocks - 1) * (width - 1));
    t.expect(out, [&, n = n, width = width](int i) {
      float sum = 0;
      for (int w = 0; w < width; ++w) sum += i + w < n ? weights[w] * a[i + w] : 0;
      return sum;
    });
  }
}
