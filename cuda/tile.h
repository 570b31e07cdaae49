#pragma once
// A 64 x 64 tile of a product, computed by 256 threads that each hold a 4 x 4 patch of it in
// registers: the last step of the staircase in matmul_staircase.cu, and the one part that all of
// attention's products are made of.
//
//                 b: depth x 64                 thread (ty, tx), ty and tx in 0 … 15, owns rows
//               ┌──────────────┐                4 ty … 4 ty + 3 and columns 4 tx … 4 tx + 3.
//               └────────┬┬────┘
//      a:       ┌────────┼┼────┐                The inner dimension is cut into panels, 64 bytes
//   64 x depth  │        ││    │                a row. All threads load a panel of a and one of b
//      ┌┐       │        ▼▼    │                into shared memory; then each thread reads 4 + 4
//      ├┤──────▶│────▶  4 x 4  │                numbers per step for 16 multiply-adds, where the
//      └┘       └──────────────┘                naive kernel reads 2 for one.
#include "cuda/gpu.h"
#include "tensor/view.h"

namespace gradus::cuda {

inline constexpr int kTile = 64;                // rows and columns of a tile
inline constexpr int kPatch = 4;                // rows and columns of a thread's part of it
inline constexpr int kAcross = kTile / kPatch;  // threads beside each other
/// The threads of a block. Kernels say __launch_bounds__(kTileThreads, 1): one block may have all
/// registers of a multiprocessor, up to 255 a thread; asked for two blocks, the compiler would
/// spill.
inline constexpr int kTileThreads = kAcross * kAcross;

template <class T>
inline constexpr int kDepth = 64 / sizeof(T);  // 16 floats, 8 doubles

/// Shared memory for a panel of each factor, the inner dimension first, so that the four numbers of
/// a patch's side are neighbours: one 16-byte load for floats. The padding spreads the columns that
/// are written at once over the memory banks.
template <class T>
struct Panels {
  T a[kDepth<T>][kTile + kPatch];
  T b[kDepth<T>][kTile + kPatch];
};

/// Four neighbours in one load: 16 bytes for floats, twice that for doubles.
template <class T>
struct alignas(16) Four {
  T v[kPatch];
};
template <class T>
__device__ inline Four<T> four(const T* from) {
  return *reinterpret_cast<const Four<T>*>(from);
}

/// The running thread's place in the tile.
__device__ inline int patch_row() { return static_cast<int>(threadIdx.x) / kAcross * kPatch; }
__device__ inline int patch_column() { return static_cast<int>(threadIdx.x) % kAcross * kPatch; }

/// f(i, j) for each element of a patch, unrolled: an array can be in registers only if every index
/// is known when the kernel is compiled.
template <class F>
__device__ inline void for_patch(F f) {
#pragma unroll
  for (int i = 0; i < kPatch; ++i)
#pragma unroll
    for (int j = 0; j < kPatch; ++j) f(i, j);
}

/// Fills one panel[k][i] with load(i, k0 + k). Neighbouring threads take neighbours in memory:
/// along k if `along_k`, else along i.
template <class T, class Load>
__device__ inline void load_panel(T (&panel)[kDepth<T>][kTile + kPatch], int64_t k0, bool along_k,
                                  Load load) {
#pragma unroll
  for (int at = 0; at < kTile * kDepth<T>; at += kTileThreads) {
    const int e = at + static_cast<int>(threadIdx.x);
    const int i = along_k ? e / kDepth<T> : e % kTile;
    const int k = along_k ? e % kDepth<T> : e / kTile;
    panel[k][i] = load(i, k0 + k);
  }
}

/// How much of a tile there is: at an edge of a matrix, less than 64 x 64.
struct TileSize {
  int64_t rows, columns;
};
/// The rows or columns of the tile from `begin`, where they end at `end`.
__device__ inline int64_t tile_length(int64_t begin, int64_t end) {
  return end - begin < kTile ? end - begin : kTile;
}

/// sum += the patch of A B, for A (64, depth) and B (depth, 64) given by functions a(row, k) and
/// b(column, k) that return 0 outside of their matrix. Threads outside of `size` only help to load.
/// All threads of the block must call it. What they wrote to shared memory before is visible to a
/// and b; after it, nobody reads through them.
template <class T, class A, class B>
__device__ inline void tile_product(Panels<T>& panels, TileSize size, int64_t depth, A a,
                                    bool a_along_k, B b, bool b_along_k, T (&sum)[kPatch][kPatch]) {
  const int row = patch_row(), column = patch_column();
  const bool inside = row < size.rows && column < size.columns;
  for (int64_t k0 = 0; k0 < depth; k0 += kDepth<T>) {
    __syncthreads();  // nobody reads the last panels any more
    load_panel(panels.a, k0, a_along_k, a);
    load_panel(panels.b, k0, b_along_k, b);
    __syncthreads();  // the new ones are complete
    if (!inside) continue;
    const int steps = depth - k0 < kDepth<T> ? static_cast<int>(depth - k0) : kDepth<T>;
#pragma unroll 2  // more would want more registers than there are
    for (int k = 0; k < steps; ++k) {
      const Four<T> x = four(&panels.a[k][row]), y = four(&panels.b[k][column]);
      for_patch([&](int i, int j) { sum[i][j] += x.v[i] * y.v[j]; });
    }
  }
}

}  // namespace gradus::cuda
