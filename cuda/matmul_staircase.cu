// The staircase: C = A B in four kernels, each of which repairs what limits the one before. The
// arithmetic is the same in all: 2 m n k operations. What changes is how many bytes they fetch for
// it. A GPU's memory answers in sectors of 32 bytes, and a warp's 32 loads are one request: if they
// are neighbours, 4 sectors of floats serve all; if each is elsewhere, 32 do.
//
//   step        sectors of global memory per warp and multiply-add (F32, row-major)
//   naive       33       32 rows of A, each another sector, and one element of B for all
//   coalesced    5        one element of A for all, and 32 neighbours in B
//   tiled        0.25     8 sectors fill the warp's part of two tiles, used for 32 steps of k
//   registers    0.125    64 x 64 outputs for a panel of 64 rows and 64 columns
//
// `bench_cuda matmul all` times them on a GPU; GRADUS_CUDA_PROFILE=1 on the emulator counts them.
// All take any sizes, any strides, and batches.
#include "cuda/matmul_staircase.h"

#include "cuda/launch.h"
#include "cuda/tile.h"

namespace gradus::cuda {

namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

/// Where the running block's tile of C begins. Tiles are numbered row by row in blockIdx.x, the one
/// direction in which a grid may have more than 65,535 blocks.
struct Corner {
  int64_t row, column;
};
__device__ inline Corner tile_corner(int64_t n, int rows, int columns) {
  const int64_t across = (n + columns - 1) / columns;
  return {blockIdx.x / across * rows, blockIdx.x % across * columns};
}

// ---- 1. Naive -----------------------------------------------------------------------------------

constexpr int kWide = 32, kHigh = 8;  // the threads of a block of the first two steps

/// A thread computes one element: 2 k loads for k multiply-adds. The threads of a warp, x = 0 … 31,
/// stand below each other in C. In each step of k they read one element of B, and 32 of A that are
/// a row apart: 32 sectors, of which 4 bytes each are used. Where caches do not help, m n k / 32
/// times 33 sectors come from memory: for 1024 x 1024 x 1024, 35 GB, which takes ten milliseconds
/// at 3.5 TB/s; the 2.1 GFLOP would take 0.03 ms at 67 TFLOP/s.
template <class T>
__global__ void matmul_naive_kernel(Product<T> p) {
  const Corner corner = tile_corner(p.n, kWide, kHigh);
  const int64_t row = corner.row + threadIdx.x, column = corner.column + threadIdx.y;
  if (row >= p.m || column >= p.n) return;
  for (int64_t i = blockIdx.y; i < p.batch; i += gridDim.y) {
    T sum = 0;
    for (int64_t k = 0; k < p.k; ++k) sum += p.a.at(i, row, k) * p.b.at(i, k, column);
    p.store(i, row, column, sum);
  }
}

// ---- 2. Coalesced -------------------------------------------------------------------------------

/// The same with x and y exchanged: the threads of a warp stand beside each other in C. They read
/// one element of A, and 32 neighbours of B: 5 sectors instead of 33, from the same arithmetic.
template <class T>
__global__ void matmul_coalesced_kernel(Product<T> p) {
  const Corner corner = tile_corner(p.n, kHigh, kWide);
  const int64_t row = corner.row + threadIdx.y, column = corner.column + threadIdx.x;
  if (row >= p.m || column >= p.n) return;
  for (int64_t i = blockIdx.y; i < p.batch; i += gridDim.y) {
    T sum = 0;
    for (int64_t k = 0; k < p.k; ++k) sum += p.a.at(i, row, k) * p.b.at(i, k, column);
    p.store(i, row, column, sum);
  }
}

// ---- 3. Tiles in shared memory ------------------------------------------------------------------

constexpr int kSquare = 32;

/// A block computes 32 x 32 elements, one a thread, and takes the inner dimension in tiles: its
/// threads load 32 x 32 of A and of B into shared memory, one element of each a thread, and then
/// use every loaded number 32 times. Global memory: 2 m n k / 32 loads. But shared memory is read
/// twice for every multiply-add, and a multiprocessor can serve only 32 such reads in the time of
/// 128 multiply-adds. The column of padding is for A or B transposed, where a warp writes down a
/// column: without it all 32 writes would meet in one of the 32 memory banks.
template <class T>
__global__ void __launch_bounds__(kSquare* kSquare) matmul_tiled_kernel(Product<T> p) {
  SHARED(T, a, [kSquare][kSquare + 1]);
  SHARED(T, b, [kSquare][kSquare + 1]);
  const Corner corner = tile_corner(p.n, kSquare, kSquare);
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  // Which element to load: a warp walks along memory, whichever way the matrix lies.
  const bool a_rows = p.a.column == 1, b_rows = p.b.column == 1;
  const int ar = a_rows ? y : x, ac = a_rows ? x : y, br = b_rows ? y : x, bc = b_rows ? x : y;
  for (int64_t i = blockIdx.y; i < p.batch; i += gridDim.y) {
    T sum = 0;
    for (int64_t k0 = 0; k0 < p.k; k0 += kSquare) {
      const bool a_inside = corner.row + ar < p.m && k0 + ac < p.k;
      const bool b_inside = k0 + br < p.k && corner.column + bc < p.n;
      a[ar][ac] = a_inside ? p.a.at(i, corner.row + ar, k0 + ac) : T(0);
      b[br][bc] = b_inside ? p.b.at(i, k0 + br, corner.column + bc) : T(0);
      __syncthreads();  // both tiles are complete
#pragma unroll
      for (int k = 0; k < kSquare; ++k) sum += a[y][k] * b[k][x];
      __syncthreads();  // nobody reads them any more
    }
    if (corner.row + y < p.m && corner.column + x < p.n)
      p.store(i, corner.row + y, corner.column + x, sum);
  }
}

// ---- 4. Tiles in registers ----------------------------------------------------------------------

/// A block computes 64 x 64 elements with 256 threads, 4 x 4 a thread (tile.h has the picture).
/// Global memory: 2 m n k / 64 loads. Shared memory: 8 numbers, as two 16-byte loads, for 16
/// multiply-adds: half a number each instead of two. What cuBLAS still does better: larger patches,
/// the next panel loaded while this one is used, and tensor cores.
template <class T>
__global__ void __launch_bounds__(kTileThreads, 1) matmul_registers_kernel(Product<T> p) {
  SHARED_ALIGNED(16, Panels<T>, panels);
  const Corner corner = tile_corner(p.n, kTile, kTile);
  for (int64_t i = blockIdx.y; i < p.batch; i += gridDim.y) {
    const auto a = [&](int row, int64_t k) {
      const int64_t r = corner.row + row;
      return r < p.m && k < p.k ? p.a.at(i, r, k) : T(0);
    };
    const auto b = [&](int column, int64_t k) {
      const int64_t c = corner.column + column;
      return c < p.n && k < p.k ? p.b.at(i, k, c) : T(0);
    };
    T sum[kPatch][kPatch] = {};
    tile_product(panels, {p.m - corner.row, p.n - corner.column}, p.k, a, p.a.column == 1, b,
                 p.b.column != 1, sum);
    for_patch([&](int r, int c) {
      const int64_t row = corner.row + patch_row() + r;
      const int64_t column = corner.column + patch_column() + c;
      if (row < p.m && column < p.n) p.store(i, row, column, sum[r][c]);
    });
  }
}

template <class T>
void matmul_staircase(MatmulKernel step, const Product<T>& p, cudaStream_t stream) {
  const auto blocks = [&](int rows, int columns) {
    const int64_t layers = p.batch < 65535 ? p.batch : 65535;
    return dim3(static_cast<unsigned>(ceil_div(p.m, rows) * ceil_div(p.n, columns)),
                static_cast<unsigned>(layers));
  };
  switch (step) {
    case MatmulKernel::Naive:
      return launch<matmul_naive_kernel<T>>({blocks(kWide, kHigh), dim3(kWide, kHigh), 0, stream},
                                            p);
    case MatmulKernel::Coalesced:
      return launch<matmul_coalesced_kernel<T>>(
          {blocks(kHigh, kWide), dim3(kWide, kHigh), 0, stream}, p);
    case MatmulKernel::Tiled:
      return launch<matmul_tiled_kernel<T>>(
          {blocks(kSquare, kSquare), dim3(kSquare, kSquare), 0, stream}, p);
    case MatmulKernel::Registers:
    case MatmulKernel::Cublas:  // no kernel of ours: the nearest
      return launch<matmul_registers_kernel<T>>({blocks(kTile, kTile), kTileThreads, 0, stream}, p);
  }
}

template void matmul_staircase(MatmulKernel, const Product<float>&, cudaStream_t);
template void matmul_staircase(MatmulKernel, const Product<double>&, cudaStream_t);

}  // namespace gradus::cuda
