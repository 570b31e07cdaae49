// Puzzle 10, dot product: many threads, one number.
//
//     sums of the threads    6   2   9   1   7   3   2   5        8 threads
//                            |   |   |   |   '---|---|---|--.
//                           13   5  11   6                       4 add: sum[k] += sum[k + 4]
//                           24  11                               2 add: sum[k] += sum[k + 2]
//                           35                                   1 adds
//
// out[0] = x[0] * y[0] + x[1] * y[1] + ... There is one block of 64 threads, and n may be smaller
// or larger. First, thread k adds up the products k, k + 64, k + 128, ... Then comes a tree: half
// of the threads add the sums of the other half to their own, then half of those, and so on. That
// is 6 steps for 64 sums, where one thread alone would need 63. A step must not begin before the
// previous one is complete.
#include "cuda/puzzles/puzzle.h"

constexpr int kThreads = 64;

__global__ void dot(const float* x, const float* y, float* out, int n) {
  SHARED(float, sum, [kThreads]);
  // exercise[ puzzles.10 pts=3
  //? 1 Add up in a local variable: for (int i = threadIdx.x; i < n; i += kThreads) ... A thread
  //?   without any product has the sum 0, and must store it too.
  //? 2 for (int half = kThreads / 2; half > 0; half /= 2): threads below half add their partner's
  //?   sum. All threads run the loop, because the barrier is inside it.
  //? 3 if (k < half) sum[k] += sum[k + half]; __syncthreads(); At the end thread 0 writes sum[0].
  //= // Your lines.
  const int k = threadIdx.x;
  float mine = 0;
  for (int i = k; i < n; i += kThreads) mine += x[i] * y[i];
  sum[k] = mine;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (k < half) sum[k] += sum[k + half];
    __syncthreads();
  }
  if (k == 0) out[0] = sum[0];
  // exercise]
}

void tests(puzzle::Tests& t) {
  for (const int n : {5, 64, 1000}) {
    const puzzle::Array x = t.numbers("x", {n}), y = t.numbers("y", {n});
    const puzzle::Array out = t.result("out", {1});
    launch<dot>({1, kThreads}, x.device(), y.device(), out.device(), n);
    t.limit_loads_per_thread(puzzle::Memory::global, 2 * ((n + kThreads - 1) / kThreads));
    t.limit_loads_per_thread(puzzle::Memory::shared, 2 * 6 + 1);  // two for each step of the tree
    t.expect(out, [&](int) {
      float sum = 0;
      for (int i = 0; i < n; ++i) sum += x[i] * y[i];
      return sum;
    });
  }
}
