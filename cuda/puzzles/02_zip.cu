// Puzzle 02, zip: two arrays go in, number by number, and one comes out.
//
//       x     3    1    4             out = alpha * x + y, here with alpha = 2
//       y     5    9    2
//             |    |    |
//     out    11   11   10
//
// Linear algebra calls this axpy. Each step of gradient descent is one, where alpha is the negative
// learning rate. alpha is passed by value: every thread has its own copy.
#include "cuda/puzzles/puzzle.h"

__global__ void zip(const float* x, const float* y, float alpha, float* out) {
  // exercise[ puzzles.02 pts=1
  //? 1 As in puzzle 01, thread i handles number i and no other.
  //? 2 It reads two numbers and writes one.
  //? 3 out[i] = alpha * x[i] + y[i];
  //= // Your lines.
  const int i = threadIdx.x;
  out[i] = alpha * x[i] + y[i];
  // exercise]
}

void tests(puzzle::Tests& t) {
  for (const int n : {3, 32, 100}) {
    const puzzle::Array x = t.numbers("x", {n}), y = t.numbers("y", {n});
    const puzzle::Array out = t.result("out", {n});
    const float alpha = 2;
    launch<zip>({1, n}, x.device(), y.device(), alpha, out.device());
    t.expect(out, [&](int i) { return alpha * x[i] + y[i]; });
  }
}
