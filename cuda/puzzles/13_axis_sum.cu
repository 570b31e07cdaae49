// Puzzle 13, sum along an axis: a matrix goes in, the sum of each column comes out.
//
//     a        3   1   4   1           a block of 4 x 4 threads covers 4 columns:
//              5   9   2   6           thread (x, y) adds up rows y, y + 4, y + 8, ... of column x;
//              5   3   5   8           then a tree along y, as in puzzle 10, in each column
//     out     13  13  11  15
//
// This is how the gradient of a bias is computed: each row of the batch adds its share.
// Neighbouring threads read neighbouring numbers, which is what global memory is fast at. One
// thread for each row would be just as correct and many times slower. Every number may be loaded
// once, and the rows of a column must be shared out evenly.
#include "cuda/puzzles/puzzle.h"

constexpr int kSide = 4;

__global__ void axis_sum(const float* a, float* out, int rows, int columns) {
  SHARED(float, sum, [kSide][kSide]);
  // exercise[ puzzles.13 pts=3
  //? 1 First the thread's own sum, in a local variable, over rows y, y + kSide, ... of its column.
  //?   Threads past the last column have the sum 0.
  //? 2 sum[y][x] keeps the columns apart, so that all trees grow side by side. All threads meet at
  //?   each barrier, even those past the last column.
  //? 3 if (y < half) sum[y][x] += sum[y + half][x]; At the end sum[0][x] is the sum of column x.
  //= // Your lines.
  const int x = threadIdx.x, y = threadIdx.y;
  const int column = blockIdx.x * kSide + x;
  float mine = 0;
  if (column < columns) {
    for (int row = y; row < rows; row += kSide) mine += a[row * columns + column];
  }
  sum[y][x] = mine;
  __syncthreads();
  for (int half = kSide / 2; half > 0; half /= 2) {
    if (y < half) sum[y][x] += sum[y + half][x];
    __syncthreads();
  }
  if (y == 0 && column < columns) out[column] = sum[0][x];
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int sizes[][2] = {{3, 4}, {8, 6}, {50, 13}};
  for (const auto& [rows, columns] : sizes) {
    const puzzle::Array a = t.numbers("a", {rows, columns}), out = t.result("out", {columns});
    const int blocks = (columns + kSide - 1) / kSide;
    launch<axis_sum>({blocks, dim3(kSide, kSide)}, a.device(), out.device(), rows, columns);
    t.limit_loads(a, a.size());
    t.limit_loads_per_thread(puzzle::Memory::global, (rows + kSide - 1) / kSide);
    t.expect(out, [&, rows = rows](int column) {
      float sum = 0;
      for (int row = 0; row < rows; ++row) sum += a(row, column);
      return sum;
    });
  }
}
