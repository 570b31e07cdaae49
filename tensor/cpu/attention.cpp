// Attention, tile by tile: out = softmax(q k^T scale + mask) v without the (T, S) matrix in memory.
// A tile of 64 queries meets the keys 64 at a time and keeps, per query, the largest score m so far
// and the sum l of e^(score - m); when m grows, what was added up is scaled down by e^(m_old -
// m_new) (Milakov & Gimelshein 2018; Dao et al., FlashAttention, 2022, algorithm 1). What backward
// needs are these two numbers per query: the probabilities are computed again from them, tile by
// tile. (Their logarithm m + ln l in one number would lose the digits of ln l where the scores are
// large.) Key tiles that the causal mask hides are skipped.
// What threads share out: the tiles of queries; backward, where dk and dv sum over the queries and
// dq over the keys, large parts of the keys of one head; for a single query, parts of the keys,
// too.
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "tensor/cpu/blas.h"
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/vector.h"

namespace gradus::cpu {

namespace {

constexpr int64_t kTile = 64;
constexpr int64_t kFewestKeys = 128;  // of a single query: as many as are worth a piece
constexpr int64_t kKeysOfPart = 512;  // backward: the more parts, the more there is to add to dq

/// Into how many parts backward cuts the keys at most: heads enough for 64 threads are not cut.
int64_t wanted_parts(int64_t all_heads) {
  return std::clamp<int64_t>(192 / std::max<int64_t>(all_heads, 1), 1, 4);
}

template <class T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();

/// The (T, D) matrix of one batch and head: rows `stride` apart.
template <class T>
struct Head {
  T* data;
  int64_t stride;
  Head(T* first, int64_t apart) : data(first), stride(apart) {}
  Head(const View& v, int64_t b, int64_t h)
      : data(v.as<T>() + b * v.strides[0] + h * v.strides[1]), stride(v.strides[2]) {}
  T* row(int64_t t) const { return data + t * stride; }
  Matrix<T> rows_from(int64_t t) const { return {row(t), stride, false}; }
  Matrix<T> columns_from(int64_t t) const { return {row(t), stride, true}; }
};

/// Sizes, and which keys a query may see.
struct Mask {
  int64_t queries, keys, d;
  bool causal;
  const int64_t* key_mask;  // of this batch, or null
  int64_t key_mask_stride;

  Mask(const View& q, const View& k, const std::optional<View>& mask, bool is_causal, int64_t b)
      : queries(q.sizes[2]),
        keys(k.sizes[2]),
        d(q.sizes[3]),
        causal(is_causal),
        key_mask(mask ? mask->as<int64_t>() + b * mask->strides[0] : nullptr),
        key_mask_stride(mask ? mask->strides[1] : 0) {}

  /// Keys that query t may see end here.
  int64_t end(int64_t t) const {
    return causal ? std::clamp<int64_t>(t + 1 + keys - queries, 0, keys) : keys;
  }
  /// Puts -inf where query t must not look, in its scores of keys [s0, s0 + n).
  template <class T>
  void apply(int64_t t, int64_t s0, int64_t n, T* scores) const {
    for (int64_t s = std::max<int64_t>(0, end(t) - s0); s < n; ++s) scores[s] = -kInfinity<T>;
    if (key_mask)
      for (int64_t s = 0; s < n; ++s)
        if (key_mask[(s0 + s) * key_mask_stride] == 0) scores[s] = -kInfinity<T>;
  }
};

/// scores[i] = e^(scores[i] - m), and their sum.
template <class T>
T exp_row(T* scores, int64_t n, T m) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) {
    scores[i] = scalar::exp(scores[i] - m);
    sum += scores[i];
  }
  return sum;
}

/// -inf if every score is hidden; NaN if there is one and nothing greater than -inf.
template <class T>
T max_row(const T* scores, int64_t n) {
  T m = -kInfinity<T>;
#pragma omp simd reduction(max : m)
  for (int64_t i = 0; i < n; ++i) m = scores[i] > m ? scores[i] : m;
  if (m == -kInfinity<T>)
    for (int64_t i = 0; i < n; ++i) m = scores[i] != scores[i] ? scores[i] : m;
  return m;
}

/// (m, 1 / l) of a query, from which P = e^(S - m) / l; (inf, 0), so that P = 0, if it sees
/// nothing.
template <class T>
void store_stats(T* stats, T m, T l) {
  const bool blind = l == T(0);
  stats[0] = blind ? kInfinity<T> : m, stats[1] = blind ? T(0) : T(1) / l;
}

/// A query and some of its keys: the largest score m, l = sum e^(score - m), and sum e^(score - m)
/// v in `sum`.
template <class T>
struct Partial {
  T m, l, *sum;
};

/// One query, keys [first, last): a language model writing its next token.
template <class T>
Partial<T> attend_one(const Mask& mask, const T* q, Head<T> k, Head<T> v, T scale, int64_t first,
                      int64_t last, T* sum) {
  std::fill_n(sum, mask.d, T(0));
  const int64_t n = std::min(last, mask.end(0)) - first;
  if (n <= 0) return {-kInfinity<T>, T(0), sum};
  const auto scores = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(n));
  const int64_t fours = n / 4 * 4;
  for (int64_t s = 0; s < fours; s += 4) dot4(k.row(first + s), k.stride, q, mask.d, &scores[s]);
  for (int64_t s = fours; s < n; ++s) scores[s] = dot(q, k.row(first + s), mask.d);
  for (int64_t s = 0; s < n; ++s) scores[s] *= scale;
  mask.apply(0, first, n, scores.get());
  const T m = max_row(scores.get(), n);
  if (m == -kInfinity<T>) return {m, T(0), sum};
  const T l = exp_row(scores.get(), n, m);
  for (int64_t s = 0; s < fours; s += 4) axpy4(&scores[s], v.row(first + s), v.stride, sum, mask.d);
  for (int64_t s = fours; s < n; ++s) axpy(scores[s], v.row(first + s), sum, mask.d);
  return {m, l, sum};
}

/// What the parts of the keys gave, on one scale: that of the largest score of all.
template <class T>
void join(const Partial<T>* parts, int64_t count, int64_t d, T* out, T* stats) {
  T m = -kInfinity<T>, l = 0;
  for (int64_t i = 0; i < count; ++i)
    m = parts[i].m > m || parts[i].m != parts[i].m ? parts[i].m : m;
  const auto shrink = [&](int64_t i) {
    return parts[i].m == -kInfinity<T> ? T(0) : scalar::exp(parts[i].m - m);
  };
  for (int64_t i = 0; i < count; ++i) l += shrink(i) * parts[i].l;
  std::fill_n(out, d, T(0));
  store_stats(stats, m, l);
  if (l == T(0)) return;
  for (int64_t i = 0; i < count; ++i) axpy(shrink(i) / l, parts[i].sum, out, d);
}

/// The scores of a tile of queries and a tile of keys, and what is known of each query.
template <class T>
struct Tile {
  alignas(64) T scores[kTile * kTile];
  T m[kTile], l[kTile];
};
template <class T>
struct BackwardTile {
  alignas(64) T scores[kTile * kTile], gradients[kTile * kTile];
  T delta[kTile];
};

/// Queries [t0, t0 + rows) against all keys that they may see.
template <class T>
void attend_tile(const Mask& mask, int64_t t0, int64_t rows, Head<T> q, Head<T> k, Head<T> v,
                 T scale, Head<T> out, T* stats, Tile<T>& tile) {
  std::fill_n(tile.m, kTile, -kInfinity<T>);
  std::fill_n(tile.l, kTile, T(0));
  for (int64_t t = 0; t < rows; ++t) std::fill_n(out.row(t0 + t), mask.d, T(0));
  const int64_t seen = mask.end(t0 + rows - 1);
  for (int64_t s0 = 0; s0 < seen; s0 += kTile) {
    const int64_t n = std::min(kTile, seen - s0);
    gemm(rows, n, mask.d, scale, q.rows_from(t0), k.columns_from(s0), T(0), tile.scores, kTile);
    for (int64_t t = 0; t < rows; ++t) {
      T* row = tile.scores + t * kTile;
      mask.apply(t0 + t, s0, n, row);
      const T top = max_row(row, n), m = top > tile.m[t] || top != top ? top : tile.m[t];
      if (m == -kInfinity<T>) {
        std::fill_n(row, n, T(0));
        continue;
      }
      const T shrink = scalar::exp(tile.m[t] - m);
      tile.l[t] = tile.l[t] * shrink + exp_row(row, n, m);
      if (tile.m[t] != m && s0 > 0)
        for (int64_t d = 0; d < mask.d; ++d) out.row(t0 + t)[d] *= shrink;
      tile.m[t] = m;
    }
    gemm(rows, mask.d, n, T(1), {tile.scores, kTile, false}, v.rows_from(s0), T(1), out.row(t0),
         out.stride);
  }
  for (int64_t t = 0; t < rows; ++t) {
    const bool blind = tile.l[t] == T(0);
    for (int64_t d = 0; d < mask.d && !blind; ++d) out.row(t0 + t)[d] /= tile.l[t];
    store_stats(stats + 2 * (t0 + t), tile.m[t], tile.l[t]);
  }
}

/// A head's gradients by keys [first, last): all of their dk and dv, and what they give to dq. With
/// P = e^(S - m) / l: dV = P^T g, dS = P (g V^T - delta), delta_t = g_t out_t, dQ = scale dS K, dK
/// = scale dS^T Q.
template <class T>
void attend_backward(const Mask& mask, int64_t first, int64_t last, Head<T> g, Head<T> q, Head<T> k,
                     Head<T> v, T scale, Head<T> out, const T* stats, Head<T> dq, Head<T> dk,
                     Head<T> dv, BackwardTile<T>& tile) {
  for (int64_t t = 0; t < mask.queries; ++t) std::fill_n(dq.row(t), mask.d, T(0));
  for (int64_t s = first; s < last; ++s)
    std::fill_n(dk.row(s), mask.d, T(0)), std::fill_n(dv.row(s), mask.d, T(0));
  for (int64_t t0 = 0; t0 < mask.queries; t0 += kTile) {
    const int64_t rows = std::min(kTile, mask.queries - t0);
    const int64_t seen = std::min(last, mask.end(t0 + rows - 1));
    for (int64_t t = 0; t < rows; ++t) tile.delta[t] = dot(g.row(t0 + t), out.row(t0 + t), mask.d);
    for (int64_t s0 = first; s0 < seen; s0 += kTile) {
      const int64_t n = std::min(kTile, seen - s0);
      const Matrix<T> p{tile.scores, kTile, false}, ds{tile.gradients, kTile, false};
      const Matrix<T> p_t{p.data, kTile, true}, ds_t{ds.data, kTile, true};
      gemm(rows, n, mask.d, scale, q.rows_from(t0), k.columns_from(s0), T(0), tile.scores, kTile);
      for (int64_t t = 0; t < rows; ++t) {
        T* row = tile.scores + t * kTile;
        mask.apply(t0 + t, s0, n, row);
        const T m = stats[2 * (t0 + t)], inverse = stats[2 * (t0 + t) + 1];
#pragma omp simd
        for (int64_t s = 0; s < n; ++s) row[s] = scalar::exp(row[s] - m) * inverse;
      }
      gemm(n, mask.d, rows, T(1), p_t, g.rows_from(t0), T(1), dv.row(s0), dv.stride);
      gemm(rows, n, mask.d, T(1), g.rows_from(t0), v.columns_from(s0), T(0), tile.gradients, kTile);
      for (int64_t t = 0; t < rows; ++t) {
        T* d = tile.gradients + t * kTile;
        const T *row = tile.scores + t * kTile, delta = tile.delta[t];
#pragma omp simd
        for (int64_t s = 0; s < n; ++s) d[s] = row[s] * (d[s] - delta);
      }
      gemm(rows, mask.d, n, scale, ds, k.rows_from(s0), T(1), dq.row(t0), dq.stride);
      gemm(n, mask.d, rows, scale, ds_t, q.rows_from(t0), T(1), dk.row(s0), dk.stride);
    }
  }
}

/// Cheap elements' worth of work in n pairs of a query and a key.
int64_t cost_of_pairs(int64_t n, int64_t d) { return n * d / 4; }

}  // namespace

void CpuBackend::attention(const View& q, const View& k, const View& v,
                           const std::optional<View>& key_mask, bool causal, double scale,
                           const View& out, const View& stats) {
  prepare_blas();
  const int64_t heads = q.sizes[1], all_heads = q.sizes[0] * heads;
  const int64_t queries = q.sizes[2], keys = k.sizes[2], d = q.sizes[3];
  dispatch_float(q.dtype, [&]<class T>() {
    const T c = static_cast<T>(scale);
    const auto stats_of = [&](int64_t head) { return stats.as<T>() + 2 * head * queries; };
    if (queries == 1) {
      const int64_t most = std::max<int64_t>(keys / kFewestKeys, 1);
      const int64_t wanted = pieces(all_heads * keys, 2 * d) / std::max<int64_t>(all_heads, 1);
      const Parts parts(keys, std::clamp<int64_t>(wanted, 1, most), kTile);
      const auto sums =
          std::make_unique_for_overwrite<T[]>(static_cast<size_t>(all_heads * parts.count * d));
      std::vector<Partial<T>> partial(static_cast<size_t>(all_heads * parts.count));
      parallel_items(all_heads * parts.count, 2 * d * keys / parts.count, [&](int64_t i) {
        const int64_t head = i / parts.count, part = i % parts.count;
        const int64_t b = head / heads, h = head % heads;
        partial[i] =
            attend_one<T>(Mask(q, k, key_mask, causal, b), Head<T>(q, b, h).data, {k, b, h},
                          {v, b, h}, c, parts.begin(part), parts.end(part), &sums[i * d]);
      });
      parallel_items(all_heads, d * parts.count, [&](int64_t head) {
        join(&partial[head * parts.count], parts.count, d,
             Head<T>(out, head / heads, head % heads).data, stats_of(head));
      });
      return;
    }
    const int64_t tiles = (queries + kTile - 1) / kTile;
    parallel_tasks(all_heads * tiles, cost_of_pairs(kTile * keys, d), [&](int64_t i) {
      const int64_t head = i / tiles, b = head / heads, h = head % heads;
      const int64_t t = (tiles - 1 - i % tiles) * kTile;  // with a causal mask, the largest first
      Tile<T> tile;
      attend_tile<T>(Mask(q, k, key_mask, causal, b), t, std::min(kTile, queries - t), {q, b, h},
                     {k, b, h}, {v, b, h}, c, {out, b, h}, stats_of(head), tile);
    });
  });
}

void CpuBackend::attention_backward(const View& g, const View& q, const View& k, const View& v,
                                    const std::optional<View>& key_mask, bool causal, double scale,
                                    const View& out, const View& stats, const View& dq,
                                    const View& dk, const View& dv) {
  prepare_blas();
  const int64_t heads = q.sizes[1], all_heads = q.sizes[0] * heads;
  const int64_t queries = q.sizes[2], keys = k.sizes[2], d = q.sizes[3];
  // Each part of the keys but the first gives dq a sum of its own, which is added at the end.
  const Parts parts(keys, std::clamp<int64_t>(keys / kKeysOfPart, 1, wanted_parts(all_heads)),
                    kTile);
  dispatch_float(q.dtype, [&]<class T>() {
    const int64_t rows = all_heads * queries;
    const auto more_dq =
        std::make_unique_for_overwrite<T[]>(static_cast<size_t>((parts.count - 1) * rows * d));
    const auto dq_of = [&](int64_t part, int64_t head) {
      if (part == 0) return Head<T>(dq, head / heads, head % heads);
      return Head<T>(more_dq.get() + ((part - 1) * rows + head * queries) * d, d);
    };
    // With a causal mask, more queries see the first keys than the last: the largest first.
    parallel_tasks(
        all_heads * parts.count, cost_of_pairs(queries * keys / parts.count, d), [&](int64_t i) {
          const int64_t part = i / all_heads, head = i % all_heads;
          const int64_t b = head / heads, h = head % heads;
          BackwardTile<T> tile;
          attend_backward<T>(Mask(q, k, key_mask, causal, b), parts.begin(part), parts.end(part),
                             {g, b, h}, {q, b, h}, {k, b, h}, {v, b, h}, static_cast<T>(scale),
                             {out, b, h}, stats.as<T>() + 2 * head * queries, dq_of(part, head),
                             {dk, b, h}, {dv, b, h}, tile);
        });
    if (parts.count == 1) return;
    parallel_items(rows, (parts.count - 1) * d, [&](int64_t row) {
      const int64_t head = row / queries, t = row % queries;
      for (int64_t part = 1; part < parts.count; ++part)
        axpy(T(1), dq_of(part, head).row(t), dq_of(0, head).row(t), d);
    });
  });
}

}  // namespace gradus::cpu
