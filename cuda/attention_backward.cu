// Attention's gradients, from q, k, v, the output and two numbers per query, m and 1 / l. With
// P = e^(S - m) / l, computed again tile by tile:
//
//     dV = P^T g      dP = g V^T      dS = P (dP - delta),  delta_t = g_t . out_t
//     dQ = scale dS K                 dK = scale dS^T Q
//
// dQ sums over the keys, dK and dV over the queries. So there are two kernels: in one a block owns
// 64 queries and walks the keys, in the other it owns 64 keys and walks the queries. Each sum stays
// in the registers of one block, in a fixed order: no atomics, the same bits in every run. The
// price is that S and dP are computed twice: 7 products where 5 would do.
#include "cuda/attention.h"
#include "cuda/block_reduce.h"
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "cuda/scratch.h"

namespace gradus::cuda {

/// delta (B, H, T): a warp per query. Reads g and out, writes one number.
template <class T>
__global__ void attention_delta_kernel(AttentionCall call, Heads<const T> g, Heads<const T> out,
                                       T* delta) {
  const int64_t i = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp;
  if (i >= call.batch * call.heads * call.queries) return;  // a whole warp leaves
  const int64_t t = i % call.queries, h = i / call.queries % call.heads;
  const int64_t b = i / call.queries / call.heads;
  const T* x = g.data + b * g.batch + h * g.head + t * g.row;
  const T* y = out.data + b * out.batch + h * out.head + t * out.row;
  T sum = 0;
  for (int64_t c = threadIdx.x % kWarp; c < call.d; c += kWarp) sum += x[c] * y[c];
  sum = warp_reduce(sum, scalar::Add{});
  if (threadIdx.x % kWarp == 0) delta[i] = sum;
}

/// The operands of one head, and P and dS of a tile of them.
template <class T>
struct BackwardTile {
  const AttentionCall& call;
  Panels<T>& panels;
  int64_t b;
  Rows<const T> g, q, k, v;
  const T *stats, *delta;  // (T, 2) and (T) of this head

  __device__ BackwardTile(const AttentionCall& attention_call, Panels<T>& shared, const Work& work,
                          const Heads<const T>& all_g, const Heads<const T>& all_q,
                          const Heads<const T>& all_k, const Heads<const T>& all_v,
                          const T* all_stats, const T* all_delta)
      : call(attention_call),
        panels(shared),
        b(work.b),
        g(work.rows_of(all_g, call.queries, call.d)),
        q(work.rows_of(all_q, call.queries, call.d)),
        k(work.rows_of(all_k, call.keys, call.d)),
        v(work.rows_of(all_v, call.keys, call.d)),
        stats(all_stats + 2 * (work.b * call.heads + work.h) * call.queries),
        delta(all_delta + (work.b * call.heads + work.h) * call.queries) {}

  /// probability = e^(S - m) / l and slope = P (dP - delta), of the queries from t0 and the keys
  /// from s0.
  __device__ void compute(int64_t t0, int64_t s0, T (&probability)[kPatch][kPatch],
                          T (&slope)[kPatch][kPatch]) const {
    for_patch([&](int i, int j) { probability[i][j] = slope[i][j] = T(0); });
    const TileSize size{tile_length(t0, call.queries), tile_length(s0, call.keys)};
    tile_product(
        panels, size, call.d, [&](int t, int64_t c) { return q(t0 + t, c); }, true,
        [&](int s, int64_t c) { return k(s0 + s, c); }, true, probability);
    tile_product(
        panels, size, call.d, [&](int t, int64_t c) { return g(t0 + t, c); }, true,
        [&](int s, int64_t c) { return v(s0 + s, c); }, true, slope);
    const T scale = static_cast<T>(call.scale);
    for_patch([&](int i, int j) {
      const int64_t t = t0 + patch_row() + i;
      const bool visible = call.sees(b, t, s0 + patch_column() + j);
      const T p =
          visible ? scalar::exp(scale * probability[i][j] - stats[2 * t]) * stats[2 * t + 1] : T(0);
      probability[i][j] = p;
      slope[i][j] = visible ? p * (slope[i][j] - delta[t]) : T(0);
    });
  }
};

/// Each thread puts its patch of a tile where all can read it.
template <class T>
__device__ inline void publish(Square<T>& square, const T (&patch)[kPatch][kPatch]) {
  for_patch([&](int i, int j) { square[patch_row() + i][patch_column() + j] = patch[i][j]; });
}

/// Writes a patch of the result, times `factor`, to the rows from `row` and the columns from
/// `column`.
template <class T>
__device__ inline void store(const Rows<T>& to, int64_t row, int64_t column, T factor,
                             const T (&patch)[kPatch][kPatch]) {
  for_patch([&](int i, int j) {
    const int64_t r = row + patch_row() + i, c = column + patch_column() + j;
    if (r < to.rows && c < to.columns) to.data[r * to.stride + c] = factor * patch[i][j];
  });
}

/// A block owns 64 queries and walks the keys that they see: dQ = scale sum_s dS K.
template <class T>
__global__ void __launch_bounds__(kTileThreads, 1)
    attention_dq_kernel(AttentionCall call, Heads<const T> g, Heads<const T> q, Heads<const T> k,
                        Heads<const T> v, const T* stats, const T* delta, Heads<T> dq) {
  SHARED_ALIGNED(16, Panels<T>, panels);
  SHARED(T, ds, [kTile][kTile + 1]);
  const Work work = Work::mine(call, call.queries);
  const BackwardTile<T> tile(call, panels, work, g, q, k, v, stats, delta);
  const TileSize size{tile_length(work.row, call.queries), tile_length(work.column, call.d)};
  const int64_t seen = call.end(work.row + size.rows - 1);
  T sum[kPatch][kPatch] = {};
  for (int64_t s0 = 0; s0 < seen; s0 += kTile) {
    T p[kPatch][kPatch], slope[kPatch][kPatch];
    tile.compute(work.row, s0, p, slope);
    publish<T>(ds, slope);
    tile_product(
        panels, size, tile_length(s0, seen), [&](int t, int64_t s) { return ds[t][s]; }, true,
        [&](int c, int64_t s) { return tile.k(s0 + s, work.column + c); }, false, sum);
  }
  store(work.rows_of(dq, call.queries, call.d), work.row, work.column, static_cast<T>(call.scale),
        sum);
}

/// A block owns 64 keys and walks the queries that see them: dV = sum_t P^T g, dK = scale sum_t
/// dS^T Q.
template <class T>
__global__ void __launch_bounds__(kTileThreads, 1)
    attention_dkv_kernel(AttentionCall call, Heads<const T> g, Heads<const T> q, Heads<const T> k,
                         Heads<const T> v, const T* stats, const T* delta, Heads<T> dk,
                         Heads<T> dv) {
  SHARED_ALIGNED(16, Panels<T>, panels);
  SHARED(T, square, [kTile][kTile + 1]);
  const Work work = Work::mine(call, call.keys);
  const BackwardTile<T> tile(call, panels, work, g, q, k, v, stats, delta);
  const TileSize size{tile_length(work.row, call.keys), tile_length(work.column, call.d)};
  // The first query that sees the first of these keys.
  const int64_t first = call.causal ? work.row + call.queries - call.keys : 0;
  T sum_k[kPatch][kPatch] = {}, sum_v[kPatch][kPatch] = {};
  for (int64_t t0 = first > 0 ? first : 0; t0 < call.queries; t0 += kTile) {
    T p[kPatch][kPatch], slope[kPatch][kPatch];
    const int64_t queries = tile_length(t0, call.queries);
    tile.compute(t0, work.row, p, slope);
    publish<T>(square, p);
    tile_product(
        panels, size, queries, [&](int s, int64_t t) { return square[t][s]; }, false,
        [&](int c, int64_t t) { return tile.g(t0 + t, work.column + c); }, false, sum_v);
    publish<T>(square, slope);
    tile_product(
        panels, size, queries, [&](int s, int64_t t) { return square[t][s]; }, false,
        [&](int c, int64_t t) { return tile.q(t0 + t, work.column + c); }, false, sum_k);
  }
  store(work.rows_of(dk, call.keys, call.d), work.row, work.column, static_cast<T>(call.scale),
        sum_k);
  store(work.rows_of(dv, call.keys, call.d), work.row, work.column, T(1), sum_v);
}

void CudaBackend::attention_backward(const View& g, const View& q, const View& k, const View& v,
                                     const std::optional<View>& key_mask, bool causal, double scale,
                                     const View& out, const View& stats, const View& dq,
                                     const View& dk, const View& dv) {
  const AttentionCall call(q, k, key_mask, causal, scale);
  dispatch_float(q.dtype, [&]<class T>() {
    using In = Heads<const T>;
    const int64_t rows = call.batch * call.heads * call.queries;
    const Scratch<T> delta(*this, rows);
    if (rows > 0)
      launch<attention_delta_kernel<T>>(
          {(rows * kWarp + kTileThreads - 1) / kTileThreads, kTileThreads, 0, stream()}, call,
          In(g), In(out), delta.data());
    if (const unsigned blocks = Work::count(call, call.queries); blocks > 0)
      launch<attention_dq_kernel<T>>({blocks, kTileThreads, 0, stream()}, call, In(g), In(q), In(k),
                                     In(v), stats.as<T>(), delta.data(), Heads<T>(dq));
    if (const unsigned blocks = Work::count(call, call.keys); blocks > 0)
      launch<attention_dkv_kernel<T>>({blocks, kTileThreads, 0, stream()}, call, In(g), In(q),
                                      In(k), In(v), stats.as<T>(), delta.data(), Heads<T>(dk),
                                      Heads<T>(dv));
  });
}

}  // namespace gradus::cuda
