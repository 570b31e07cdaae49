// Attention's forward pass, tile by tile: out = softmax(scale q k^T + mask) v, without the (T, S)
// matrix in memory (Milakov & Gimelshein 2018; Dao et al., FlashAttention, 2022).
// tensor/cpu/README.md derives the formulas; this is the same algorithm with the same tiles. A
// block has 64 queries of one head. It takes the keys 64 at a time:
//
//     S = scale Q K^T          a 64 x 64 product, 4 x 4 a thread (tile.h), masked
//     m' = max(m, row max S)   the 16 threads that share a row ask each other with shuffles
//     P = e^(S - m')           into shared memory
//     l = l e^(m - m') + row sum P,   O = O e^(m - m') + P V      the second product
//
// and at the end writes O / l, m and 1 / l. m, l and O never leave the registers. Memory: q, k, v
// and out once per tile of queries, 4 bytes (T D 2 + 2 S D T / 64) in F32 for a head, where the
// textbook's matrix would cost four passes over T S numbers. FLOPs: 4 T S D, half of them if
// causal.
#include "cuda/attention.h"

#include "cuda/block_reduce.h"
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"

namespace gradus::cuda {

template <class T>
__global__ void __launch_bounds__(kTileThreads, 1)
    attention_kernel(AttentionCall call, Heads<const T> q_heads, Heads<const T> k_heads,
                     Heads<const T> v_heads, Heads<T> out_heads, T* stats) {
  SHARED_ALIGNED(16, Panels<T>, panels);
  SHARED(T, p, [kTile][kTile + 1]);
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const Work work = Work::mine(call, call.queries);
  const Rows<const T> q = work.rows_of(q_heads, call.queries, call.d);
  const Rows<const T> k = work.rows_of(k_heads, call.keys, call.d);
  const Rows<const T> v = work.rows_of(v_heads, call.keys, call.d);
  const Rows<T> out = work.rows_of(out_heads, call.queries, call.d);
  const T scale = static_cast<T>(call.scale);
  const int row = patch_row(), column = patch_column();

  T sum[kPatch][kPatch] = {};  // O, unfinished
  T m[kPatch], l[kPatch];      // of each of this thread's four rows
#pragma unroll
  for (int i = 0; i < kPatch; ++i) m[i] = -infinity, l[i] = T(0);

  const int64_t rows = tile_length(work.row, call.queries);
  const int64_t seen = call.end(work.row + rows - 1), columns = tile_length(work.column, call.d);
  for (int64_t s0 = 0; s0 < seen; s0 += kTile) {
    const int64_t keys = tile_length(s0, seen);
    T score[kPatch][kPatch] = {};
    tile_product(
        panels, {rows, keys}, call.d, [&](int t, int64_t c) { return q(work.row + t, c); }, true,
        [&](int s, int64_t c) { return k(s0 + s, c); }, true, score);

#pragma unroll
    for (int i = 0; i < kPatch; ++i) {
      T best = -infinity, total = 0;
#pragma unroll
      for (int j = 0; j < kPatch; ++j) {
        const bool visible = call.sees(work.b, work.row + row + i, s0 + column + j);
        score[i][j] = visible ? scale * score[i][j] : -infinity;
        best = scalar::Maximum{}(best, score[i][j]);
      }
      best = scalar::Maximum{}(m[i], warp_reduce<kAcross>(best, scalar::Maximum{}));
      const bool blind = best == -infinity;  // nothing seen so far; e^(-inf + inf) would be NaN
#pragma unroll
      for (int j = 0; j < kPatch; ++j) {
        const T weight = blind ? T(0) : scalar::exp(score[i][j] - best);
        p[row + i][column + j] = weight;
        total += weight;
      }
      const T shrink = blind ? T(1) : scalar::exp(m[i] - best);
      l[i] = l[i] * shrink + warp_reduce<kAcross>(total, scalar::Add{});
#pragma unroll
      for (int j = 0; j < kPatch; ++j) sum[i][j] *= shrink;
      m[i] = best;
    }

    tile_product(
        panels, {rows, columns}, keys, [&](int t, int64_t s) { return s < keys ? p[t][s] : T(0); },
        true, [&](int c, int64_t s) { return s < keys ? v(s0 + s, work.column + c) : T(0); }, false,
        sum);
  }

  for_patch([&](int i, int j) {
    const int64_t t = work.row + row + i, c = work.column + column + j;
    const bool blind = l[i] == T(0);  // sees nothing: zeros, and in backward e^(score - inf) 0 = 0
    if (t < call.queries && c < call.d)
      out.data[t * out.stride + c] = blind ? T(0) : sum[i][j] / l[i];
    if (t < call.queries && c == 0) {
      T* of_query = stats + 2 * ((work.b * call.heads + work.h) * call.queries + t);
      of_query[0] = blind ? infinity : m[i], of_query[1] = blind ? T(0) : T(1) / l[i];
    }
  });
}

void CudaBackend::attention(const View& q, const View& k, const View& v,
                            const std::optional<View>& key_mask, bool causal, double scale,
                            const View& out, const View& stats) {
  const AttentionCall call(q, k, key_mask, causal, scale);
  const unsigned blocks = Work::count(call, call.queries);
  if (blocks == 0) return;
  dispatch_float(q.dtype, [&]<class T>() {
    launch<attention_kernel<T>>({blocks, kTileThreads, 0, stream()}, call, Heads<const T>(q),
                                Heads<const T>(k), Heads<const T>(v), Heads<T>(out), stats.as<T>());
  });
}

}  // namespace gradus::cuda
