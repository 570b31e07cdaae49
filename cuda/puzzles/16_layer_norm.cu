// Puzzle 16, layer norm: each row gets mean 0 and variance 1, then gamma and beta.
//
//     x          3    1    4    4           mean = 3, variance = (0 + 4 + 1 + 1) / 4 = 1.5
//     out        0  -1.63  0.82  0.82       out = (x - mean) / sqrt(variance + eps) * gamma + beta
//
// The short formula for the variance, mean of squares minus square of the mean, subtracts two large
// numbers that are nearly equal: with a mean of 1000, few of float's 7 digits are left. So compute
// the mean first, and then the mean of (x - mean) squared. To load each number only once all the
// same, keep the row in shared memory. Its size is set at the launch: "dynamic" shared memory.
//
// There is one block for each row. block_sum is given.
#include "cuda/puzzles/puzzle.h"

constexpr int kThreads = 16;

/// The sum of v over all threads of the block, which must all call it; every thread gets it.
__device__ float block_sum(float v) {
  SHARED(float, part, [kThreads]);
  const int k = threadIdx.x;
  part[k] = v;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (k < half) part[k] += part[k + half];
    __syncthreads();
  }
  const float sum = part[0];
  __syncthreads();  // all threads have read it before the next call writes to part
  return sum;
}

__global__ void layer_norm(const float* x, const float* gamma, const float* beta, float* out,
                           int columns, float eps) {
  DYN_SHARED(float, row);  // `columns` floats; in CUDA itself: extern __shared__ float row[];
  // exercise[ puzzles.16 pts=4
  //? 1 Three loops over this thread's columns k, k + kThreads, ...: fetch and add up; add up the
  //?   squares of (row[c] - mean); write. Call block_sum after the first and after the second.
  //? 2 block_sum contains barriers: never call it inside an if or inside a loop over columns.
  //? 3 const float scale = rsqrtf(block_sum(squares) / columns + eps); rsqrtf(v) is 1 / sqrt(v).
  //= // Your lines.
  const int k = threadIdx.x;
  const int first = blockIdx.x * columns;
  float sum = 0, squares = 0;
  for (int c = k; c < columns; c += kThreads) {
    row[c] = x[first + c];
    sum += row[c];
  }
  const float mean = block_sum(sum) / float(columns);
  for (int c = k; c < columns; c += kThreads) squares += (row[c] - mean) * (row[c] - mean);
  const float scale = rsqrtf(block_sum(squares) / float(columns) + eps);
  for (int c = k; c < columns; c += kThreads) {
    out[first + c] = (row[c] - mean) * scale * gamma[c] + beta[c];
  }
  // exercise]
}

void tests(puzzle::Tests& t) {
  const float eps = 1e-5f, tolerance = 1e-3f;
  const int sizes[][2] = {{1, 4}, {3, 16}, {5, 100}};
  for (const auto& [rows, columns] : sizes) {
    for (const float centre : {0.0f, 1000.0f}) {
      const puzzle::Array x = t.reals("x", {rows, columns}, centre, 1);
      const puzzle::Array gamma = t.reals("gamma", {columns}, 1, 0.5f);
      const puzzle::Array beta = t.reals("beta", {columns}, 0, 1);
      const puzzle::Array out = t.result("out", {rows, columns});
      launch<layer_norm>({rows, kThreads, columns * sizeof(float)}, x.device(), gamma.device(),
                         beta.device(), out.device(), columns, eps);
      t.limit_loads(x, x.size());
      const auto expected = [&, columns = columns](int r, int c) {
        double mean = 0, variance = 0;
        for (int j = 0; j < columns; ++j) mean += double(x(r, j)) / columns;
        for (int j = 0; j < columns; ++j) variance += pow(x(r, j) - mean, 2) / columns;
        return float((x(r, c) - mean) / sqrt(variance + eps) * gamma[c] + beta[c]);
      };
      t.expect(out, expected, tolerance);
    }
  }
}
