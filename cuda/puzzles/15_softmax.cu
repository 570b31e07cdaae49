// Puzzle 15, online softmax: out = exp(x - max) / sum of exp(x - max), in each row.
//
//     x                  1     3   |   2     5
//     Partial of each   (3, 1.14)  |  (5, 1.05)         largest, and sum of exp(x - largest)
//     merged                  (5, 1.20)                 5, and 1.14 * exp(3 - 5) + 1.05
//
// Without the max, exp(89) is already infinite in float. But the max is known only at the end, and
// the sum needs it from the start. That would take one pass for the max, one for the sum, and one
// for the output. The online method keeps the pair (largest so far, sum relative to it). Two pairs
// merge into one, in any order, so a tree can merge them all, and two passes remain. Attention
// (puzzle 17) builds on this.
//
// There is one block for each row. Every number may be loaded twice.
#include <cfloat>

#include "cuda/puzzles/puzzle.h"

constexpr int kThreads = 16;

struct Partial {  // of some numbers of a row; without any number it is {-FLT_MAX, 0}
  float largest, sum;
};

/// The Partial of the numbers of p and q together.
__device__ Partial merge(Partial p, Partial q) {
  // exercise[ puzzles.15a pts=2
  //? 1 The largest of all is the larger of the two. Each sum is relative to its own largest.
  //? 2 exp(x - new) = exp(x - old) * exp(old - new), so a sum changes its base by one factor.
  //? 3 p.sum * expf(p.largest - largest) + q.sum * expf(q.largest - largest)
  //= return q.sum > 0 ? q : p;  // Your lines.
  const float largest = fmaxf(p.largest, q.largest);
  return {largest, p.sum * expf(p.largest - largest) + q.sum * expf(q.largest - largest)};
  // exercise]
}

__global__ void softmax(const float* x, float* out, int columns) {
  SHARED(Partial, partial, [kThreads]);
  // exercise[ puzzles.15b pts=2
  //? 1 A thread starts with {-FLT_MAX, 0} and merges one number after another: x alone is {x, 1}.
  //? 2 Then comes puzzle 10's tree, with merge in place of +.
  //? 3 partial[0] then holds the largest and the sum of the row. A second loop over the columns
  //?   writes expf(x - largest) / sum.
  //= // Your lines: this thread's columns are threadIdx.x, threadIdx.x + kThreads, ...
  const int k = threadIdx.x;
  const int first = blockIdx.x * columns;
  Partial mine = {-FLT_MAX, 0};
  for (int c = k; c < columns; c += kThreads) mine = merge(mine, {x[first + c], 1});
  partial[k] = mine;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (k < half) partial[k] = merge(partial[k], partial[k + half]);
    __syncthreads();
  }
  const Partial row = partial[0];
  for (int c = k; c < columns; c += kThreads) {
    out[first + c] = expf(x[first + c] - row.largest) / row.sum;
  }
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int sizes[][2] = {{1, 4}, {3, 16}, {5, 100}};
  for (const auto& [rows, columns] : sizes) {
    for (const float centre : {0.0f, 1000.0f, -1000.0f}) {
      const puzzle::Array x = t.reals("x", {rows, columns}, centre, 3);
      const puzzle::Array out = t.result("out", {rows, columns});
      launch<softmax>({rows, kThreads}, x.device(), out.device(), columns);
      t.limit_loads(x, 2 * x.size());
      t.expect(out, [&, columns = columns](int r, int c) {
        double sum = 0;
        for (int j = 0; j < columns; ++j) sum += exp(double(x(r, j)) - x(r, c));
        return float(1 / sum);
      });
    }
  }
}
