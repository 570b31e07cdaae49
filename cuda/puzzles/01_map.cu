// Puzzle 01, map: every thread squares one number.
//
//       a     3    1    4    1
//             |    |    |    |      threads 0, 1, 2, 3 of the one block
//     out     9    1   16    1
//
// A kernel is a function that many threads run at the same time. Here there is a thread for each
// number. All threads get the same arguments. What differs is threadIdx.x, the thread's own number,
// counted from 0. So there is no loop over the numbers: each thread does what the body of the loop
// would do for one i.
#include "cuda/puzzles/puzzle.h"

__global__ void map(const float* a, float* out) {
  // exercise[ puzzles.01 pts=1
  //? 1 With a loop it would be: for (int i = 0; i < n; ++i) out[i] = a[i] * a[i];
  //? 2 Drop the loop and keep its body. Which i belongs to this thread?
  //? 3 const int i = threadIdx.x; and then the body.
  //= // Your lines: square this thread's number.
  const int i = threadIdx.x;
  out[i] = a[i] * a[i];
  // exercise]
}

void tests(puzzle::Tests& t) {
  for (const int n : {4, 7, 100}) {
    const puzzle::Array a = t.numbers("a", {n}), out = t.result("out", {n});
    launch<map>({1, n}, a.device(), out.device());  // 1 block of n threads
    t.expect(out, [&](int i) { return a[i] * a[i]; });
  }
}
