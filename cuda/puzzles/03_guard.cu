// Puzzle 03, guard: more threads than numbers.
//
//       a    -3    1   -4    1    5  |              out = max(a, 0)
//             |    |    |    |    |  |  x  x  x
//     out     0    1    0    1    5  |              threads 5, 6, 7 have nothing to do
//
// The hardware runs threads in groups of 32, so blocks are launched in round sizes: here always 32
// threads, whatever n is. A thread whose number is past the end must touch neither array, because
// the memory there belongs to something else. On a GPU, such a write often goes unnoticed. Here it
// does not.
#include "cuda/puzzles/puzzle.h"

__global__ void guard(const float* a, float* out, int n) {
  // exercise[ puzzles.03 pts=1
  //? 1 Which condition on i tells whether there is a number for this thread?
  //? 2 Indices run from 0 to n - 1, so n itself is already one too far.
  //? 3 if (i < n) out[i] = fmaxf(a[i], 0);
  //= // Your lines: out = max(a, 0), the ReLU, and no thread past the end.
  const int i = threadIdx.x;
  if (i < n) out[i] = fmaxf(a[i], 0);
  // exercise]
}

void tests(puzzle::Tests& t) {
  for (const int n : {5, 31, 32}) {
    const puzzle::Array a = t.numbers("a", {n}), out = t.result("out", {n});
    launch<guard>({1, 32}, a.device(), out.device(), n);
    t.expect(out, [&](int i) { return a[i] > 0 ? a[i] : 0; });
  }
}
