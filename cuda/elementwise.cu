// One kernel for every elementwise function: thread i computes element i. The functor is a template
// argument, so each function becomes a kernel of its own, with the mathematics of
// tensor/scalar_ops.h inlined. All are bound by memory: the comments count bytes per element in
// F32.
//
// A kernel gets its operands as pointers and a Walk, in which neighbouring dimensions have been
// merged. What is contiguous, or repeats one number, is then one dimension: no division, and the
// 32 threads of a warp touch 32 neighbours, 4 sectors of 32 bytes.
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "tensor/walk.h"

namespace gradus::cuda {

/// Writes 4 bytes an element.
template <class T>
__global__ void fill_kernel(T value, Walk<1> walk, T* out, int64_t n) {
  for (int64_t i = first_element(); i < n; i += element_step()) out[walk.element(i)[0]] = value;
}

/// out = f(x): reads 4, writes 4.
template <class F, class In, class Out>
__global__ void map_kernel(F f, Walk<2> walk, const In* x, Out* out, int64_t n) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto at = walk.element(i);
    out[at[0]] = f(x[at[1]]);
  }
}

/// out = f(a, b): reads 8, writes 4. A broadcast operand comes from the cache.
template <class F, class In, class Out>
__global__ void zip_kernel(F f, Walk<3> walk, const In* a, const In* b, Out* out, int64_t n) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto at = walk.element(i);
    out[at[0]] = f(a[at[1]], b[at[2]]);
  }
}

/// out = mask ? a : b. Reads 8 for the mask and 4 for the side that is taken, writes 4.
template <class T>
__global__ void where_kernel(Walk<4> walk, const int64_t* mask, const T* a, const T* b, T* out,
                             int64_t n) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto at = walk.element(i);
    out[at[0]] = mask[at[1]] != 0 ? a[at[2]] : b[at[3]];
  }
}

inline constexpr int kSide = 32;  // of a tile: a warp reads or writes one row of it
inline constexpr int kHigh = 8;   // rows of threads in a block

/// out (rows, columns) = the transpose of x (columns, rows), reads 4, writes 4. Copied element by
/// element, either the reads or the writes of a warp would lie far apart, a sector of 32 bytes for
/// every 4. So a block reads a tile along x's rows and writes it along out's; the transposition
/// happens in shared memory, whose column 33 makes a column's elements fall into different banks.
template <class T>
__global__ void transpose_kernel(const T* x, int64_t x_row, T* out, int64_t out_row, int64_t rows,
                                 int64_t columns) {
  SHARED(T, tile, [kSide][kSide + 1]);
  const int64_t across = (columns + kSide - 1) / kSide, down = (rows + kSide - 1) / kSide;
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  for (int64_t t = blockIdx.x; t < across * down; t += gridDim.x) {
    const int64_t row = t / across * kSide, column = t % across * kSide;
    for (int i = ty; i < kSide; i += kHigh)
      if (column + i < columns && row + tx < rows) tile[i][tx] = x[(column + i) * x_row + row + tx];
    __syncthreads();
    for (int i = ty; i < kSide; i += kHigh)
      if (row + i < rows && column + tx < columns)
        out[(row + i) * out_row + column + tx] = tile[tx][i];
    __syncthreads();  // before the next tile overwrites this one
  }
}

template <class Out>
struct Cast {
  template <class In>
  GRADUS_HD Out operator()(In x) const {
    return static_cast<Out>(x);
  }
};

namespace {

template <class In, class Out, class F>
void map(F f, const View& x, const View& out, cudaStream_t stream) {
  const int64_t n = out.numel();
  if (n == 0) return;
  launch<map_kernel<F, In, Out>>(elements(n, stream), f, Walk<2>({&out, &x}), x.as<In>(),
                                 out.as<Out>(), n);
}

template <class In, class Out, class F>
void zip(F f, const View& a, const View& b, const View& out, cudaStream_t stream) {
  const int64_t n = out.numel();
  if (n == 0) return;
  launch<zip_kernel<F, In, Out>>(elements(n, stream), f, Walk<3>({&out, &a, &b}), a.as<In>(),
                                 b.as<In>(), out.as<Out>(), n);
}

/// Did it copy? Only where two dimensions are left and each side is contiguous along another one.
template <class T>
bool transpose(const View& x, const View& out, cudaStream_t stream) {
  const Walk<2> walk({&out, &x});
  if (walk.ndim != 2 || walk.strides[0][1] != 1 || walk.strides[1][0] != 1) return false;
  const int64_t rows = walk.sizes[0], columns = walk.sizes[1];
  const int64_t tiles = ((rows + kSide - 1) / kSide) * ((columns + kSide - 1) / kSide);
  launch<transpose_kernel<T>>({blocks_for(tiles), dim3(kSide, kHigh), 0, stream}, x.as<T>(),
                              walk.strides[1][1], out.as<T>(), walk.strides[0][0], rows, columns);
  return true;
}

}  // namespace

void CudaBackend::fill(double value, const View& out) {
  const int64_t n = out.numel();
  if (n == 0) return;
  dispatch(out.dtype, [&]<class T>() {
    launch<fill_kernel<T>>(elements(n, stream()), static_cast<T>(value), Walk<1>({&out}),
                           out.as<T>(), n);
  });
}

void CudaBackend::copy(const View& x, const View& out) {
  if (out.numel() == 0) return;
  dispatch(out.dtype, [&]<class Out>() {
    if (x.dtype == out.dtype && transpose<Out>(x, out, stream())) return;
    dispatch(x.dtype, [&]<class In>() { map<In, Out>(Cast<Out>{}, x, out, stream()); });
  });
}

void CudaBackend::unary(const UnaryOp& op, const View& x, const View& out) {
  std::visit(
      [&]<class F>(F f) {
        if (x.dtype == I64) {
          if constexpr (F::integers) map<int64_t, int64_t>(f, x, out, stream());
        } else {
          dispatch_float(x.dtype, [&]<class T>() { map<T, T>(f, x, out, stream()); });
        }
      },
      op);
}

void CudaBackend::binary(const BinaryOp& op, const View& a, const View& b, const View& out) {
  std::visit(
      [&]<class F>(F f) {
        if (a.dtype == I64) {
          if constexpr (F::integers) zip<int64_t, int64_t>(f, a, b, out, stream());
        } else {
          dispatch_float(a.dtype, [&]<class T>() { zip<T, T>(f, a, b, out, stream()); });
        }
      },
      op);
}

void CudaBackend::compare(const CompareOp& op, const View& a, const View& b, const View& out) {
  std::visit(
      [&](auto f) {
        dispatch(a.dtype, [&]<class T>() { zip<T, int64_t>(f, a, b, out, stream()); });
      },
      op);
}

void CudaBackend::where(const View& mask, const View& a, const View& b, const View& out) {
  const int64_t n = out.numel();
  if (n == 0) return;
  dispatch(out.dtype, [&]<class T>() {
    launch<where_kernel<T>>(elements(n, stream()), Walk<4>({&out, &mask, &a, &b}),
                            mask.as<int64_t>(), a.as<T>(), b.as<T>(), out.as<T>(), n);
  });
}

}  // namespace gradus::cuda
