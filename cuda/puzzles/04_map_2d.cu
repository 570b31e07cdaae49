// Puzzle 04, map in two dimensions: a picture and its negative.
//
//     column   0     1     2                 in memory, row after row:
//     row 0  [ 9 ] [ 0 ] [ 2 ]
//     row 1  [ 4 ] [ 7 ] [ 1 ]               9  0  2  4  7  1
//
// A block may have two dimensions. Then a thread has two numbers: threadIdx.x, along a row, and
// threadIdx.y, down a column. Memory has only one dimension: in a picture that is `columns` wide,
// pixel (row, column) is at index row * columns + column. The block is 8 x 8, and the picture may
// be smaller.
//
// Each pixel p, between 0 and 9, becomes 9 - p.
#include "cuda/puzzles/puzzle.h"

__global__ void map_2d(const float* picture, float* out, int rows, int columns) {
  // exercise[ puzzles.04 pts=1
  //? 1 x counts columns and y counts rows, so that neighbours in x are neighbours in memory.
  //? 2 The guard needs two conditions: a thread may have a row but no column, or the reverse.
  //? 3 if (row < rows && column < columns) out[row * columns + column] = ...
  //= // Your lines: 9 - p for each pixel p.
  const int row = threadIdx.y, column = threadIdx.x;
  if (row < rows && column < columns) {
    const int i = row * columns + column;
    out[i] = 9 - picture[i];
  }
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int sizes[][2] = {{2, 3}, {7, 5}, {8, 8}};
  for (const auto& [rows, columns] : sizes) {
    const puzzle::Array picture = t.numbers("picture", {rows, columns}, 0);
    const puzzle::Array out = t.result("out", {rows, columns});
    launch<map_2d>({1, dim3(8, 8)}, picture.device(), out.device(), rows, columns);
    t.expect(out, [&](int row, int column) { return 9 - picture(row, column); });
  }
}
