// Puzzle 06, blocks: an array longer than a block, reversed.
//
//     block       0           1           2
//     thread   0  1  2  3  0  1  2  3  0  1  2  3
//     a        3  1  4  1  5  9  2  6  5  3            n = 10
//     out      3  5  6  2  9  5  1  4  1  3
//
// A block has at most 1024 threads, but a grid may have millions of blocks. threadIdx.x starts
// again at 0 in each block. blockIdx.x says which block it is, and blockDim.x how many threads a
// block has. From the three you can work out the thread's number in the whole grid. The last block
// may extend past the end of the array.
#include "cuda/puzzles/puzzle.h"

__global__ void reverse(const float* a, float* out, int n) {
  // exercise[ puzzles.06 pts=1
  //? 1 How many threads are there in all the blocks before this one?
  //? 2 blockIdx.x * blockDim.x of them; add threadIdx.x. Then guard, with n.
  //? 3 out[i] is the number that has i others after it in a: a[n - 1 - i].
  //= // Your lines: out is a, with the last number first.
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = a[n - 1 - i];
  // exercise]
}

void tests(puzzle::Tests& t) {
  const int block = 4;
  for (const int n : {10, 4, 129}) {
    const puzzle::Array a = t.numbers("a", {n}), out = t.result("out", {n});
    const int blocks = (n + block - 1) / block;  // n / block, rounded up
    launch<reverse>({blocks, block}, a.device(), out.device(), n);
    t.expect(out, [&](int i) { return a[n - 1 - i]; });
  }
}
