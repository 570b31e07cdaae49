#pragma once
// Rows of a walk (tensor/walk.h), in parallel: one inner loop (contiguous, repeated scalar, or
// strided) and a counter over the outer dimensions. Most calls end as a single flat loop.
#include "tensor/cpu/parallel.h"
#include "tensor/walk.h"

namespace gradus::cpu {

/// body(offsets, count) for pieces of inner rows, in parallel.
template <int N, class Body>
void for_rows(const Walk<N>& walk, Body&& body) {
  const int64_t inner = walk.inner(), outer = walk.outer();
  if (inner == 0 || outer == 0) return;
  if (outer == 1) {
    parallel_for(inner, kGrain, [&](int64_t begin, int64_t end) {
      std::array<int64_t, N> at{};
      for (int i = 0; i < N; ++i) at[i] = begin * walk.inner_stride(i);
      body(at, end - begin);
    });
  } else {
    parallel_for(
        outer, std::max<int64_t>(1, kGrain / inner),
        [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) body(walk.offsets(row), inner);
        },
        1);
  }
}

}  // namespace gradus::cpu
