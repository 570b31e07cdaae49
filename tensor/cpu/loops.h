#pragma once
// Rows of a walk (tensor/walk.h), in parallel: one inner loop (contiguous, repeated scalar, or
// strided) and a counter over the outer dimensions. Most calls end as a single flat loop.
#include "tensor/cpu/parallel.h"
#include "tensor/walk.h"

namespace gradus::cpu {

/// body(offsets, count) for pieces of inner rows, in parallel. Few rows may be long ones (a
/// position's embedding is added to 4 texts), so a piece may begin and end within a row.
template <int N, class Body>
void for_rows(const Walk<N>& walk, Body&& body) {
  const int64_t inner = walk.inner();
  const auto flat = [&](int64_t begin, int64_t end) {
    std::array<int64_t, N> at;
    for (int i = 0; i < N; ++i) at[i] = begin * walk.inner_stride(i);
    body(at, end - begin);
  };
  const auto rows = [&](int64_t begin, int64_t end) {
    int64_t row = begin / inner, column = begin % inner;
    for (; begin < end; ++row, column = 0) {
      std::array<int64_t, N> at = walk.offsets(row);
      for (int i = 0; i < N; ++i) at[i] += column * walk.inner_stride(i);
      const int64_t count = std::min(inner - column, end - begin);
      body(at, count);
      begin += count;
    }
  };
  if (walk.ndim == 1)
    parallel_for(inner, 1, flat, 64);
  else
    parallel_for(walk.numel(), 1, rows, 64);
}

}  // namespace gradus::cpu
