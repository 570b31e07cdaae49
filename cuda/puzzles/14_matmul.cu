// Puzzle 14, matrix product: tiles.
//
//                         b   .  1  .
//                             .  2  .        c(row, column) = sum over k of a(row, k) b(k, column)
//                             .  3  .
//     a   .  .  .         c   .  .  .        each symbol is a tile: for tile # of c, a block walks
//         1  2  3             .  #  .        along the tiles of a and down those of b, in step:
//         .  .  .             .  .  .        1 with 1, 2 with 2, 3 with 3
//
// Thread by thread, every number of a would be loaded once for each column of c. A block of 4 x 4
// threads does better. Together they fetch a 4 x 4 tile of a and one of b, one load from each per
// thread, and then each number serves 4 threads from shared memory. That divides the traffic by 4,
// or by 32 with tiles of 32. Where a tile extends past the edge of its matrix, it holds zeros.
//
// a is (rows, inner), b is (inner, columns), c is (rows, columns).
#include "cuda/puzzles/puzzle.h"

constexpr int kTile = 4;

__global__ void matmul(const float* a, const float* b, float* c, int rows, int inner, int columns) {
  SHARED(float, tile_a, [kTile][kTile]);
  SHARED(float, tile_b, [kTile][kTile]);
  // exercise[ puzzles.14 pts=4
  //? 1 Loop over tiles: for (int first = 0; first < inner; first += kTile). In the loop: fetch,
  //?   wait, multiply, wait. Without the second wait, fast threads overwrite what slow ones read.
  //? 2 Thread (x, y) fetches a(row, first + x) and b(first + y, column). Guard each with the sizes
  //?   of its own matrix, and store 0 where the guard fails.
  //? 3 for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
  //= // Your lines.
  const int x = threadIdx.x, y = threadIdx.y;
  const int row = blockIdx.y * kTile + y, column = blockIdx.x * kTile + x;
  float sum = 0;
  for (int first = 0; first < inner; first += kTile) {
    tile_a[y][x] = row < rows && first + x < inner ? a[row * inner + first + x] : 0;
    tile_b[y][x] = first + y < inner && column < columns ? b[(first + y) * columns + column] : 0;
    __syncthreads();
    for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
    __syncthreads();
  }
  if (row < rows && column < columns) c[row * columns + column] = sum;
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int sizes[][3] = {{2, 3, 4}, {4, 8, 4}, {5, 6, 7}, {18, 21, 11}};
  for (const auto& [rows, inner, columns] : sizes) {
    const puzzle::Array a = t.numbers("a", {rows, inner}), b = t.numbers("b", {inner, columns});
    const puzzle::Array c = t.result("c", {rows, columns});
    const dim3 grid((columns + kTile - 1) / kTile, (rows + kTile - 1) / kTile);
    launch<matmul>({grid, dim3(kTile, kTile)}, a.device(), b.device(), c.device(), rows, inner,
                   columns);
    t.limit_loads(a, a.size() * int(grid.x));
    t.limit_loads(b, b.size() * int(grid.y));
    t.expect(c, [&, inner = inner](int row, int column) {
      float sum = 0;
      for (int k = 0; k < inner; ++k) sum += a(row, k) * b(k, column);
      return sum;
    });
  }
}
