// Puzzle 09, pooling: the largest of three neighbours.
//
//     a      3   1   4   1   5          out[c] = max(a[c - 1], a[c], a[c + 1]) in each row;
//     out    3   4   4   5   5          at both ends of a row there are only two
//
// There is one block for each row, and a block has 16 threads even if the row is shorter. The
// threads past the end have nothing to fetch and nothing to write. Even so, they must not leave
// before the barrier: __syncthreads() waits for all threads of the block. Every number may be
// loaded once.
#include "cuda/puzzles/puzzle.h"

constexpr int kThreads = 16;

__global__ void pooling(const float* a, float* out, int columns) {
  SHARED(float, row, [kThreads]);
  // exercise[ puzzles.09 pts=2
  //? 1 The barrier must be outside every if. Only the load and the store may be inside one.
  //? 2 Start with largest = row[c]. Look left only if c > 0, and right only if c + 1 < columns.
  //? 3 if (c < columns) row[c] = a[first + c]; __syncthreads(); if (c < columns) { ... }
  //= // Your lines.
  const int c = threadIdx.x, first = blockIdx.x * columns;
  if (c < columns) row[c] = a[first + c];
  __syncthreads();
  if (c < columns) {
    float largest = row[c];
    if (c > 0) largest = fmaxf(largest, row[c - 1]);
    if (c + 1 < columns) largest = fmaxf(largest, row[c + 1]);
    out[first + c] = largest;
  }
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int sizes[][2] = {{1, 5}, {3, 16}, {40, 13}};
  for (const auto& [rows, columns] : sizes) {
    const puzzle::Array a = t.numbers("a", {rows, columns}), out = t.result("out", {rows, columns});
    launch<pooling>({rows, kThreads}, a.device(), out.device(), columns);
    t.limit_loads(a, a.size());
    t.expect(out, [&, last = columns - 1](int r, int c) {
      const float left = a(r, c > 0 ? c - 1 : c), right = a(r, c < last ? c + 1 : c);
      return fmaxf(fmaxf(left, a(r, c)), right);
    });
  }
}
