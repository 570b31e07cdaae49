// Puzzle 17, attention: out(i) = sum over j of softmax_j(q(i) . k(j) / sqrt(kDim)) v(j).
//
//     keys and values     tile 0     tile 1     tile 2      q, k, v and out are (length, kDim)
//     query i           o---------------------------->      largest, sum and acc[kDim] go along
//
// Written out step by step, attention needs a table of length x length scores. For a text of
// 100,000 tokens that is 40 GB. But puzzle 15 needed no table. Here, too, a thread goes along the
// keys with the largest score so far, the sum relative to it, and now also the sum of the values,
// weighted in the same way. When a score is larger than all before it, the old sum and the old
// values shrink by the same factor.
//
// A block has kTile threads, and each has one query. The block fetches the keys and values tile by
// tile, and each thread fetches one row of both. The last tile may be short. Each block may load
// the keys and values once.
#include <cfloat>

#include "cuda/puzzles/puzzle.h"

constexpr int kTile = 8, kDim = 4;

__global__ void attention(const float* q, const float* k, const float* v, float* out, int length) {
  SHARED(float, keys, [kTile][kDim]);
  SHARED(float, values, [kTile][kDim]);
  const int i = blockIdx.x * kTile + threadIdx.x;  // this thread's query
  const float scale = rsqrtf(float(kDim));
  float largest = -FLT_MAX, sum = 0, acc[kDim] = {}, query[kDim] = {};
  for (int d = 0; d < kDim && i < length; ++d) query[d] = q[i * kDim + d];
  // exercise[ puzzles.17 pts=5
  //? 1 As in puzzle 14: for (int first = 0; first < length; first += kTile) fetch, wait, use, wait.
  //?   A thread without a query fetches and waits like all the others, but writes nothing.
  //? 2 To use a tile: for each of its rows j that exists, score = scale * (query . keys[j]).
  //? 3 With m = fmaxf(largest, score): shrink = expf(largest - m), weight = expf(score - m). Then
  //?   sum and each acc[d] become old * shrink + weight * (1, or values[j][d]); and largest = m.
  //= // Your lines. At the end out(i) = acc / sum.
  for (int first = 0; first < length; first += kTile) {
    const int row = first + threadIdx.x;
    for (int d = 0; d < kDim && row < length; ++d) {
      keys[threadIdx.x][d] = k[row * kDim + d];
      values[threadIdx.x][d] = v[row * kDim + d];
    }
    __syncthreads();
    for (int j = 0; j < kTile && first + j < length; ++j) {
      float score = 0;
      for (int d = 0; d < kDim; ++d) score += scale * query[d] * keys[j][d];
      const float m = fmaxf(largest, score);
      const float shrink = expf(largest - m), weight = expf(score - m);
      for (int d = 0; d < kDim; ++d) acc[d] = acc[d] * shrink + weight * values[j][d];
      sum = sum * shrink + weight;
      largest = m;
    }
    __syncthreads();
  }
  for (int d = 0; d < kDim && i < length; ++d) out[i * kDim + d] = acc[d] / sum;
  // exercise]
}

void tests(puzzle::Tests& t) {
  for (const int length : {3, 8, 29}) {
    const puzzle::Array q = t.reals("q", {length, kDim}, 0, 2);
    const puzzle::Array k = t.reals("k", {length, kDim}, 0, 2);
    const puzzle::Array v = t.reals("v", {length, kDim}, 0, 2);
    const puzzle::Array out = t.result("out", {length, kDim});
    const int blocks = (length + kTile - 1) / kTile;
    launch<attention>({blocks, kTile}, q.device(), k.device(), v.device(), out.device(), length);
    t.limit_loads(k, k.size() * blocks);
    t.limit_loads(v, v.size() * blocks);
    t.expect(out, [&](int i, int d) {
      double sum = 0, weighted = 0;
      for (int j = 0; j < length; ++j) {
        double score = 0;
        for (int e = 0; e < kDim; ++e) score += double(q(i, e)) * k(j, e);
        const double weight = exp(score / sqrt(double(kDim)));
        sum += weight;
        weighted += weight * v(j, d);
      }
      return float(weighted / sum);
    });
  }
}
