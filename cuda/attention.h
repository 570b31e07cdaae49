#pragma once
// What the attention kernels share: plain data that says where the heads lie and who sees whom.
#include <optional>

#include "cuda/tile.h"

namespace gradus::cuda {

/// A (B, H, T, D) tensor, any strides with D contiguous.
template <class T>
struct Heads {
  T* data;
  int64_t batch, head, row;  // strides, in elements

  explicit Heads(const View& v)
      : data(static_cast<T*>(v.data)), batch(v.strides[0]), head(v.strides[1]), row(v.strides[2]) {}
};

/// One (T, D) matrix of it.
template <class T>
struct Rows {
  T* data;
  int64_t stride, rows, columns;

  /// 0 outside, so that tiles may reach past the edge.
  __device__ T operator()(int64_t r, int64_t c) const {
    return r < rows && c < columns ? data[r * stride + c] : T(0);
  }
};

struct AttentionCall {
  int64_t batch, heads, queries, keys, d;
  bool causal;
  double scale;
  const int64_t* key_mask;  // or null
  int64_t mask_batch, mask_key;

  AttentionCall(const View& q, const View& k, const std::optional<View>& mask, bool is_causal,
                double score_scale)
      : batch(q.sizes[0]),
        heads(q.sizes[1]),
        queries(q.sizes[2]),
        keys(k.sizes[2]),
        d(q.sizes[3]),
        causal(is_causal),
        scale(score_scale),
        key_mask(mask ? static_cast<const int64_t*>(mask->data) : nullptr),
        mask_batch(mask ? mask->strides[0] : 0),
        mask_key(mask ? mask->strides[1] : 0) {}

  /// The keys that query t may see end here.
  GRADUS_HD int64_t end(int64_t t) const {
    if (!causal) return keys;
    const int64_t e = t + 1 + keys - queries;
    return e < 0 ? 0 : e < keys ? e : keys;
  }
  GRADUS_HD bool sees(int64_t b, int64_t t, int64_t s) const {
    return t < queries && s < end(t) &&
           (key_mask == nullptr || key_mask[b * mask_batch + s * mask_key] != 0);
  }
};

/// What a block works on: one tile of 64 rows (queries, or keys in the backward pass for them) of
/// one head, and 64 of the D columns of what it writes. A wider head takes several blocks, each of
/// which computes the scores anew: any D is right, 64 and less is what this is made for.
struct Work {
  int64_t b, h, row, column;

  /// Blocks, in x: the only direction of a grid that may have more than 65,535.
  static unsigned count(const AttentionCall& call, int64_t rows) {
    return static_cast<unsigned>(call.batch * call.heads * tiles(rows) * tiles(call.d));
  }
  __device__ static Work mine(const AttentionCall& call, int64_t rows) {
    int64_t i = blockIdx.x;
    Work w;
    w.column = i % tiles(call.d) * kTile, i /= tiles(call.d);
    w.row = i % tiles(rows) * kTile, i /= tiles(rows);
    w.h = i % call.heads, w.b = i / call.heads;
    return w;
  }
  template <class T>
  __device__ Rows<T> rows_of(const Heads<T>& x, int64_t rows, int64_t columns) const {
    return {x.data + b * x.batch + h * x.head, x.row, rows, columns};
  }

 private:
  GRADUS_HD static int64_t tiles(int64_t n) { return (n + kTile - 1) / kTile; }
};

/// A tile of scores or probabilities in shared memory, between the two products that it joins.
template <class T>
using Square = T[kTile][kTile + 1];

}  // namespace gradus::cuda
