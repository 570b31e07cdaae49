#pragma once
// How an elementwise kernel walks its operands. Neighbouring dimensions that lie behind one another
// in every operand are merged; what is left is one inner loop (contiguous, repeated scalar, or
// strided) and a counter over the outer dimensions. Most calls end as a single flat loop.
#include <array>

#include "tensor/cpu/parallel.h"
#include "tensor/view.h"

namespace gradus::cpu {

/// N operands of one shape, dimensions merged and size-1 dimensions dropped; always at least one
/// left.
template <int N>
struct Walk {
  int ndim = 0;
  int64_t sizes[kMaxDims];
  int64_t strides[N][kMaxDims];

  explicit Walk(const std::array<const View*, N>& views) {
    const View& shape = *views[0];
    for (int d = 0; d < shape.ndim; ++d) {
      if (shape.sizes[d] == 1) continue;
      bool merges = ndim > 0;
      for (int i = 0; merges && i < N; ++i)
        merges = strides[i][ndim - 1] == views[i]->strides[d] * shape.sizes[d];
      if (merges)
        sizes[ndim - 1] *= shape.sizes[d];
      else
        sizes[ndim++] = shape.sizes[d];
      for (int i = 0; i < N; ++i) strides[i][ndim - 1] = views[i]->strides[d];
    }
    if (ndim == 0) {
      ndim = 1;
      sizes[0] = shape.numel();
      for (int i = 0; i < N; ++i) strides[i][0] = 1;
    }
  }
  int64_t inner() const { return sizes[ndim - 1]; }
  int64_t outer() const {
    int64_t n = 1;
    for (int d = 0; d < ndim - 1; ++d) n *= sizes[d];
    return n;
  }
  int64_t inner_stride(int i) const { return strides[i][ndim - 1]; }
  /// The element offsets of all operands where outer row `row` begins.
  std::array<int64_t, N> offsets(int64_t row) const {
    std::array<int64_t, N> at{};
    for (int d = ndim - 2; d >= 0; --d) {
      const int64_t k = row % sizes[d];
      row /= sizes[d];
      for (int i = 0; i < N; ++i) at[i] += k * strides[i][d];
    }
    return at;
  }
};

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
