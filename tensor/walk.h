#pragma once
// How a kernel walks operands of one shape. Dimensions of size 1 are dropped. Two neighbouring
// dimensions are merged if in every operand the inner one continues where it ended. Most walks
// become one flat line. The CPU's loops and the GPU's threads share this; it is plain data, so a
// kernel takes it as an argument.
#include <array>

#include "tensor/view.h"

namespace gradus {

/// A view of only those dimensions of x that a reduction to `out` keeps, or, if not `kept`, of
/// those that it reduces. Where it reduces, out has size 1.
inline View dimensions_of(const View& x, const View& out, bool kept) {
  View v = x;
  v.ndim = 0;
  for (int d = 0; d < x.ndim; ++d) {
    if ((out.sizes[d] == x.sizes[d] && x.sizes[d] != 1) != kept || x.sizes[d] == 1) continue;
    v.sizes[v.ndim] = x.sizes[d];
    v.strides[v.ndim++] = x.strides[d];
  }
  return v;
}

/// A walk over N operands. It has at least one dimension.
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
  int64_t numel() const { return outer() * inner(); }
  int64_t inner_stride(int i) const { return strides[i][ndim - 1]; }
  /// The element offsets of all operands at the start of outer row `row`.
  std::array<int64_t, N> offsets(int64_t row) const {
    std::array<int64_t, N> at{};
    for (int d = ndim - 2; d >= 0; --d) {
      const int64_t k = row % sizes[d];
      row /= sizes[d];
      for (int i = 0; i < N; ++i) at[i] += k * strides[i][d];
    }
    return at;
  }
  /// The element offsets of all operands at element `i`. It divides once for each dimension but the
  /// first, so a flat walk does not divide.
  GRADUS_HD std::array<int64_t, N> element(int64_t i) const {
    std::array<int64_t, N> at{};
    for (int d = ndim - 1; d > 0; --d) {
      const int64_t k = i % sizes[d];
      i /= sizes[d];
      for (int j = 0; j < N; ++j) at[j] += k * strides[j][d];
    }
    for (int j = 0; j < N; ++j) at[j] += i * strides[j][0];
    return at;
  }
};

}  // namespace gradus
