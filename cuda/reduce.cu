// sum, max and min over any dimensions; argmax and argmin along the last.
//
// The kept dimensions name an element of the result, the reduced ones are walked inside. A fold of
// n numbers is cut into parts, whose results are folded again by the same kernels. Where the cuts
// lie depends on the shape alone, no atomics are used, so a sum has the same bits in every run; and
// a thread never adds more than a few hundred numbers in a row, which keeps the rounding error
// small (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 4.2).
//   * along memory: a block folds a part. Its threads read neighbours, then combine what they have;
//   * across memory (a bias's gradient), or few numbers: a thread folds a part alone. Neighbouring
//     threads have neighbouring results, so they read neighbours too.
// Both read each number once: 4 bytes an element in F32.
#include "cuda/block_reduce.h"
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "cuda/scratch.h"
#include "tensor/lines.h"
#include "tensor/walk.h"

namespace gradus::cuda {

/// What to fold: `rows` results of `count` numbers each, cut into parts of at most `length`.
struct Folds {
  Walk<1> kept, reduced;
  int64_t rows, count, length, parts;
};

/// out[part, row] = fold of a part of x's row; a thread each, neighbours in `row`.
template <class T, class Op>
__global__ void fold_by_thread_kernel(Op op, T identity, Folds f, const T* x, T* out) {
  for (int64_t i = first_element(); i < f.rows * f.parts; i += element_step()) {
    const int64_t begin = i / f.rows * f.length;
    const int64_t end = begin + f.length < f.count ? begin + f.length : f.count;
    const T* from = x + f.kept.element(i % f.rows)[0];
    T value = identity;
    for (int64_t j = begin; j < end; ++j) value = op(value, from[f.reduced.element(j)[0]]);
    out[i] = value;
  }
}

/// out[part, row] likewise; a block each, its threads take turns along the part.
template <class T, class Op>
__global__ void fold_by_block_kernel(Op op, T identity, Folds f, const T* x, T* out) {
  for (int64_t i = blockIdx.x; i < f.rows * f.parts; i += gridDim.x) {
    const int64_t begin = i / f.rows * f.length;
    const int64_t end = begin + f.length < f.count ? begin + f.length : f.count;
    const T* from = x + f.kept.element(i % f.rows)[0];
    T value = identity;
    for (int64_t j = begin + threadIdx.x; j < end; j += blockDim.x)
      value = op(value, from[f.reduced.element(j)[0]]);
    value = block_reduce(value, op, identity);
    if (threadIdx.x == 0) out[i] = value;
  }
}

/// out = the place of the first NaN, or else of the first best number, in a line of x; a block
/// each. It reads the line twice, the second time mostly from the cache: first the best value, then
/// the first place that holds it. So only plain numbers have to be combined.
template <class T, class Op>
__global__ void arg_kernel(Op op, T identity, Lines lines, View x, View out, int64_t n,
                           int64_t stride) {
  for (int64_t line = blockIdx.x; line < lines.count; line += gridDim.x) {
    const T* from = x.as<T>() + lines.offset(x, line);
    T best = identity;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) best = op(best, from[j * stride]);
    best = block_reduce(best, op, identity);
    int64_t place = n;
    for (int64_t j = threadIdx.x; j < n && place == n; j += blockDim.x) {
      const T v = from[j * stride];
      if (v == best || (v != v && best != best)) place = j;
    }
    place = block_reduce(place, scalar::Minimum{}, n);
    if (threadIdx.x == 0) out.as<int64_t>()[lines.offset(out, line)] = place;
  }
}

namespace {

constexpr int64_t kByThread = 256;   // numbers that a thread folds alone
constexpr int64_t kByBlock = 16384;  // and a block: 32 a thread, and more

/// The view of the (parts, rows) that a first pass left, as kept rows or reduced parts.
View column_of(void* data, DType dtype, int64_t size, int64_t stride) {
  View v;
  v.data = data;
  v.dtype = dtype;
  v.ndim = 1;
  v.sizes[0] = size;
  v.strides[0] = stride;
  return v;
}

template <class T, class Op>
void fold(CudaBackend& backend, Op op, T identity, const View& kept, const View& reduced, T* out) {
  Folds f{Walk<1>({&kept}), Walk<1>({&reduced}), kept.numel(), reduced.numel(), 0, 0};
  const bool across = f.rows > 1 && f.kept.inner_stride(0) < f.reduced.inner_stride(0);
  const bool by_thread = across || f.count <= kWarp;
  f.length = by_thread ? kByThread : kByBlock;
  f.parts = (f.count + f.length - 1) / f.length;
  const int64_t results = f.rows * f.parts;
  const Scratch<T> partial(backend, f.parts > 1 ? results : 0);
  T* to = f.parts > 1 ? partial.data() : out;
  const cudaStream_t stream = CudaBackend::stream();
  if (by_thread)
    launch<fold_by_thread_kernel<T, Op>>(elements(results, stream), op, identity, f, kept.as<T>(),
                                         to);
  else
    launch<fold_by_block_kernel<T, Op>>(
        {blocks_for(results), threads_for_row(f.count < kByBlock ? f.count : kByBlock), 0, stream},
        op, identity, f, kept.as<T>(), to);
  if (f.parts > 1)
    fold(backend, op, identity, column_of(to, kept.dtype, f.rows, 1),
         column_of(to, kept.dtype, f.parts, f.rows), out);
}

}  // namespace

void CudaBackend::reduce(const ReduceOp& op, const View& x, const View& out) {
  if (out.numel() == 0) return;
  if (x.numel() == 0) return fill(0, out);  // only a sum may be empty
  const View kept = dimensions_of(x, out, true), reduced = dimensions_of(x, out, false);
  dispatch(x.dtype, [&]<class T>() {
    T* to = out.as<T>();  // contiguous: reduce's result is always fresh
    std::visit([&](auto f) { fold(*this, f, f.template start<T>(), kept, reduced, to); }, op);
  });
}

void CudaBackend::arg_reduce(ArgOp op, const View& x, const View& out) {
  const Lines lines(x, x.ndim - 1);
  if (lines.count == 0) return;
  const int64_t n = x.ndim == 0 ? 1 : x.sizes[x.ndim - 1];
  const int64_t stride = x.ndim == 0 ? 1 : x.strides[x.ndim - 1];
  const LaunchConfig config{blocks_for(lines.count), threads_for_row(n), 0, stream()};
  dispatch(x.dtype, [&]<class T>() {
    if (op == ArgOp::Max)
      launch<arg_kernel<T, scalar::Max>>(config, scalar::Max{}, scalar::Max::start<T>(), lines, x,
                                         out, n, stride);
    else
      launch<arg_kernel<T, scalar::Min>>(config, scalar::Min{}, scalar::Min::start<T>(), lines, x,
                                         out, n, stride);
  });
}

}  // namespace gradus::cuda
