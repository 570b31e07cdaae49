// Attention, tile by tile: out = softmax(q k^T scale + mask) v without the (T, S) matrix in memory.
// A tile of 64 queries meets the keys 64 at a time and keeps, per query, the largest score m so far
// and the sum l of e^(score - m); when m grows, what was added up is scaled down by e^(m_old -
// m_new) (Milakov & Gimelshein 2018; Dao et al., FlashAttention, 2022, algorithm 1). What backward
// needs are these two numbers per query: the probabilities are computed again from them, tile by
// tile. (Their logarithm m + ln l in one number would lose the digits of ln l where the scores are
// large.) Key tiles that the causal mask hides are skipped. One (batch, head) is one piece of
// work.
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/cpu/blas.h"
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/vector.h"

namespace gradus::cpu {

namespace {

constexpr int64_t kTile = 64;

template <class T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();

/// The (T, D) matrix of one batch and head: rows `stride` apart.
template <class T>
struct Head {
  T* data;
  int64_t stride;
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

/// (m, 1 / l) of a query, from which P = e^(S - m) / l; (inf, 0), so that P = 0, if it sees nothing.
template <class T>
void store_stats(T* stats, T m, T l) {
  const bool blind = l == T(0);
  stats[0] = blind ? kInfinity<T> : m, stats[1] = blind ? T(0) : T(1) / l;
}

/// One query: a language model writing its next token.
template <class T>
void attend_one(const Mask& mask, const T* q, Head<T> k, Head<T> v, T scale, T* out, T* row_stats,
                std::vector<T>& scores) {
  const int64_t n = mask.end(0);
  scores.resize(static_cast<size_t>(std::max<int64_t>(n, 1)));
  const int64_t fours = n / 4 * 4;
  for (int64_t s = 0; s < fours; s += 4) dot4(k.row(s), k.stride, q, mask.d, &scores[s]);
  for (int64_t s = fours; s < n; ++s) scores[s] = dot(q, k.row(s), mask.d);
  for (int64_t s = 0; s < n; ++s) scores[s] *= scale;
  mask.apply(0, 0, n, scores.data());
  const T m = max_row(scores.data(), n);
  std::fill_n(out, mask.d, T(0));
  const T sum = m == -kInfinity<T> ? T(0) : exp_row(scores.data(), n, m);
  store_stats(row_stats, m, sum);
  if (sum == T(0)) return;
  for (int64_t s = 0; s < n; ++s) scores[s] /= sum;
  for (int64_t s = 0; s < fours; s += 4) axpy4(&scores[s], v.row(s), v.stride, out, mask.d);
  for (int64_t s = fours; s < n; ++s) axpy(scores[s], v.row(s), out, mask.d);
}

template <class T>
struct Tile {
  std::vector<T> scores, gradients, m, l;
  Tile() : scores(kTile * kTile), gradients(kTile * kTile), m(kTile), l(kTile) {}
};

/// Queries [t0, t0 + rows) against all keys that they may see.
template <class T>
void attend_tile(const Mask& mask, int64_t t0, int64_t rows, Head<T> q, Head<T> k, Head<T> v,
                 T scale, Head<T> out, T* stats, Tile<T>& tile) {
  std::fill(tile.m.begin(), tile.m.end(), -kInfinity<T>);
  std::fill(tile.l.begin(), tile.l.end(), T(0));
  for (int64_t t = 0; t < rows; ++t) std::fill_n(out.row(t0 + t), mask.d, T(0));
  const int64_t seen = mask.end(t0 + rows - 1);
  for (int64_t s0 = 0; s0 < seen; s0 += kTile) {
    const int64_t n = std::min(kTile, seen - s0);
    gemm(rows, n, mask.d, scale, q.rows_from(t0), k.columns_from(s0), T(0), tile.scores.data(),
         kTile);
    for (int64_t t = 0; t < rows; ++t) {
      T* row = tile.scores.data() + t * kTile;
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
    gemm(rows, mask.d, n, T(1), {tile.scores.data(), kTile, false}, v.rows_from(s0), T(1),
         out.row(t0), out.stride);
  }
  for (int64_t t = 0; t < rows; ++t) {
    const bool blind = tile.l[t] == T(0);
    for (int64_t d = 0; d < mask.d && !blind; ++d) out.row(t0 + t)[d] /= tile.l[t];
    store_stats(stats + 2 * (t0 + t), tile.m[t], tile.l[t]);
  }
}

/// One head's gradients. With P = e^(S - m) / l: dV = P^T g, dS = P (g V^T - delta), delta_t = g_t
/// out_t, dQ = scale dS K, dK = scale dS^T Q.
template <class T>
void attend_backward(const Mask& mask, Head<T> g, Head<T> q, Head<T> k, Head<T> v, T scale,
                     Head<T> out, const T* stats, Head<T> dq, Head<T> dk, Head<T> dv,
                     Tile<T>& tile) {
  for (int64_t t = 0; t < mask.queries; ++t) std::fill_n(dq.row(t), mask.d, T(0));
  for (int64_t s = 0; s < mask.keys; ++s)
    std::fill_n(dk.row(s), mask.d, T(0)), std::fill_n(dv.row(s), mask.d, T(0));
  for (int64_t t0 = 0; t0 < mask.queries; t0 += kTile) {
    const int64_t rows = std::min(kTile, mask.queries - t0), seen = mask.end(t0 + rows - 1);
    for (int64_t t = 0; t < rows; ++t) tile.l[t] = dot(g.row(t0 + t), out.row(t0 + t), mask.d);
    for (int64_t s0 = 0; s0 < seen; s0 += kTile) {
      const int64_t n = std::min(kTile, seen - s0);
      const Matrix<T> p{tile.scores.data(), kTile, false}, ds{tile.gradients.data(), kTile, false};
      const Matrix<T> p_t{p.data, kTile, true}, ds_t{ds.data, kTile, true};
      gemm(rows, n, mask.d, scale, q.rows_from(t0), k.columns_from(s0), T(0), tile.scores.data(),
           kTile);
      for (int64_t t = 0; t < rows; ++t) {
        T* row = tile.scores.data() + t * kTile;
        mask.apply(t0 + t, s0, n, row);
        const T m = stats[2 * (t0 + t)], inverse = stats[2 * (t0 + t) + 1];
#pragma omp simd
        for (int64_t s = 0; s < n; ++s) row[s] = scalar::exp(row[s] - m) * inverse;
      }
      gemm(n, mask.d, rows, T(1), p_t, g.rows_from(t0), T(1), dv.row(s0), dv.stride);
      gemm(rows, n, mask.d, T(1), g.rows_from(t0), v.columns_from(s0), T(0), tile.gradients.data(),
           kTile);
      for (int64_t t = 0; t < rows; ++t) {
        T* d = tile.gradients.data() + t * kTile;
        const T *row = tile.scores.data() + t * kTile, delta = tile.l[t];
#pragma omp simd
        for (int64_t s = 0; s < n; ++s) d[s] = row[s] * (d[s] - delta);
      }
      gemm(rows, mask.d, n, scale, ds, k.rows_from(s0), T(1), dq.row(t0), dq.stride);
      gemm(n, mask.d, rows, scale, ds_t, q.rows_from(t0), T(1), dk.row(s0), dk.stride);
    }
  }
}

/// f(b, h) for every batch and head.
template <class F>
void for_heads(const View& q, const View& k, F&& f) {
  prepare_blas();
  const int64_t heads = q.sizes[1];
  parallel_items(q.sizes[0] * heads, q.sizes[2] * k.sizes[2] * q.sizes[3] / 4,
                 [&](int64_t i) { f(i / heads, i % heads); });
}

}  // namespace

void CpuBackend::attention(const View& q, const View& k, const View& v,
                           const std::optional<View>& key_mask, bool causal, double scale,
                           const View& out, const View& stats) {
  dispatch_float(q.dtype, [&]<class T>() {
    for_heads(q, k, [&](int64_t b, int64_t h) {
      const Mask mask(q, k, key_mask, causal, b);
      const Head<T> hq(q, b, h), hk(k, b, h), hv(v, b, h), ho(out, b, h);
      T* of_head = stats.as<T>() + 2 * (b * q.sizes[1] + h) * mask.queries;
      if (mask.queries == 1) {
        std::vector<T> scores;
        attend_one(mask, hq.data, hk, hv, static_cast<T>(scale), ho.data, of_head, scores);
        return;
      }
      Tile<T> tile;
      for (int64_t t = 0; t < mask.queries; t += kTile)
        attend_tile(mask, t, std::min(kTile, mask.queries - t), hq, hk, hv, static_cast<T>(scale),
                    ho, of_head, tile);
    });
  });
}

void CpuBackend::attention_backward(const View& g, const View& q, const View& k, const View& v,
                                    const std::optional<View>& key_mask, bool causal, double scale,
                                    const View& out, const View& stats, const View& dq,
                                    const View& dk, const View& dv) {
  dispatch_float(q.dtype, [&]<class T>() {
    for_heads(q, k, [&](int64_t b, int64_t h) {
      const Mask mask(q, k, key_mask, causal, b);
      Tile<T> tile;
      attend_backward<T>(mask, {g, b, h}, {q, b, h}, {k, b, h}, {v, b, h}, static_cast<T>(scale),
                         {out, b, h}, stats.as<T>() + 2 * (b * q.sizes[1] + h) * mask.queries,
                         {dq, b, h}, {dk, b, h}, {dv, b, h}, tile);
    });
  });
}

}  // namespace gradus::cpu
