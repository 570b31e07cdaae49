// Puzzle 05, broadcast: a row and a column make a table.
//
//               row   3   1   4
//     column  2       6   2   8       out(r, c) = column[r] * row[c]
//             5      15   5  20
//
// Both arrays are read again and again: each number of `row` by all the threads below it, and each
// number of `column` by all the threads beside it. A tensor library calls this broadcasting. Here
// it is only a matter of which index a thread does not use.
#include "cuda/puzzles/puzzle.h"

__global__ void broadcast(const float* column, const float* row, float* out, int rows,
                          int columns) {
  // exercise[ puzzles.05 pts=1
  //? 1 First find this thread's r and c and guard both, as in puzzle 04.
  //? 2 The number from `column` does not depend on c. The number from `row` does not depend on r.
  //? 3 out[r * columns + c] = column[r] * row[c];
  //= // Your lines: each thread fills one entry of the table. The block is 8 x 8.
  const int r = threadIdx.y, c = threadIdx.x;
  if (r < rows && c < columns) out[r * columns + c] = column[r] * row[c];
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int sizes[][2] = {{2, 3}, {5, 8}, {8, 1}};
  for (const auto& [rows, columns] : sizes) {
    const puzzle::Array column = t.numbers("column", {rows}), row = t.numbers("row", {columns});
    const puzzle::Array out = t.result("out", {rows, columns});
    launch<broadcast>({1, dim3(8, 8)}, column.device(), row.device(), out.device(), rows, columns);
    t.expect(out, [&](int r, int c) { return column[r] * row[c]; });
  }
}
