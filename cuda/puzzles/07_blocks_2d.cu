// Puzzle 07, blocks in two dimensions: a matrix and its transpose.
//
//     a (5 x 3)    3  1  4             out (3 x 5)    3  1  5  3  5
//                  1  5  9                            1  5  3  5  9
//     block (0, 0) 5  3  5                            4  9  5  8  7
//                  3  5  8
//                  - - - -
//     block (0, 1) 5  9  7
//
// The grid covers `a` with blocks of 4 x 4 threads, as many across and down as it takes. blockIdx.x
// and blockIdx.y tell them apart. Row r of a becomes column r of out. Note that `out` is as wide as
// `a` is high, so a number's index in out differs from its index in a.
#include "cuda/puzzles/puzzle.h"

__global__ void transpose(const float* a, float* out, int rows, int columns) {
  // exercise[ puzzles.07 pts=2
  //? 1 Use puzzle 06's formula once for x, which counts the columns of a, and once for y.
  //? 2 a(r, c) is a[r * columns + c]. A row of out has `rows` numbers.
  //? 3 if (r < rows && c < columns) out[c * rows + r] = a[r * columns + c];
  //= // Your lines: out(c, r) = a(r, c).
  const int r = blockIdx.y * blockDim.y + threadIdx.y;
  const int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (r < rows && c < columns) out[c * rows + r] = a[r * columns + c];
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int block = 4;
  const int sizes[][2] = {{5, 3}, {4, 4}, {9, 17}};
  for (const auto& [rows, columns] : sizes) {
    const puzzle::Array a = t.numbers("a", {rows, columns}), out = t.result("out", {columns, rows});
    const dim3 grid((columns + block - 1) / block, (rows + block - 1) / block);
    launch<transpose>({grid, dim3(block, block)}, a.device(), out.device(), rows, columns);
    t.expect(out, [&](int row, int column) { return a(column, row); });
  }
}
