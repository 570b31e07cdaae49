// Puzzle 12, prefix sum: out[i] = a[0] + a[1] + ... + a[i].
//
//     a            3   1   4   1   5   9   2   6
//     add 1 back   3   4   5   5   6  14  11   8        s[i] += s[i - 1]
//     add 2 back   3   4   8   9  11  19  17  22        s[i] += s[i - 2]
//     add 4 back   3   4   8   9  14  23  25  31        s[i] += s[i - 4]
//
// It looks as if each sum had to wait for the one before it. But after the rows above, s[i] is the
// sum of the last 2, 4 and 8 numbers up to i: three steps for 8 numbers. All threads read
// s[i - step] and write s[i]. A thread that writes too early overwrites a number that another still
// needs.
//
// There is one block of 32 threads, and n is at most 32. Every number may be loaded once.
#include "cuda/puzzles/puzzle.h"

constexpr int kThreads = 32;

__global__ void prefix_sum(const float* a, float* out, int n) {
  SHARED(float, s, [kThreads]);
  // exercise[ puzzles.12 pts=3
  //? 1 for (int step = 1; step < kThreads; step *= 2): a thread with i >= step adds the number that
  //?   is `step` places back. The others add nothing, but they wait with the rest.
  //? 2 Each step has two barriers: one between all reads and the first write, one after all writes.
  //? 3 const float back = i >= step ? s[i - step] : 0; and between the barriers s[i] += back;
  //= // Your lines.
  const int i = threadIdx.x;
  s[i] = i < n ? a[i] : 0;
  __syncthreads();
  for (int step = 1; step < kThreads; step *= 2) {
    const float back = i >= step ? s[i - step] : 0;
    __syncthreads();
    s[i] += back;
    __syncthreads();
  }
  if (i < n) out[i] = s[i];
  // exercise]
}

void tests(puzzle::Tests& t) {
  for (const int n : {8, 31, 32}) {
    const puzzle::Array a = t.numbers("a", {n}), out = t.result("out", {n});
    launch<prefix_sum>({1, kThreads}, a.device(), out.device(), n);
    t.limit_loads(a, n);
    t.limit_loads_per_thread(puzzle::Memory::shared, 2 * 5 + 2);  // two for each step, and the last
    t.expect(out, [&](int i) {
      float sum = 0;
      for (int j = 0; j <= i; ++j) sum += a[j];
      return sum;
    });
  }
}
