// Reading and adding at indices along one dimension; i runs along it, r over the other coordinates.
//   index_select  out[i, r] = x[index[i], r]            gather       out[i, r] = x[index[i, r], r]
//   index_add     out[index[i], r] += source[i, r]      scatter_add  out[index[i, r], r] += …
// The left ones are the right ones with an index of stride 0 along r, so there are two kernels.
//
// Several positions of an index may name the same element. Atomic additions would add their terms
// in another order each run, and so give other bits. Instead the index is sorted, stably: equal
// ones then stand together, in the order of i, and one thread adds them all. The same bits every
// run, and the CPU's. The cost is the sort, O(N log^2 N) for N indices, and that a thread works
// alone on an element that all of them name.
//
// An index may be out of range: check_indices.cu has made a note of it, and the error comes later.
// Until then nothing is read or written there: a gathered element is 0, and no sum is changed.
#include "cuda/launch.h"
#include "cuda/scratch.h"
#include "cuda/sort.h"
#include "tensor/lines.h"

namespace gradus::cuda {

/// out = x at index; a thread has an element of out, neighbours along its last dimension. Reads 4
/// of x and 8 of index, which index_select finds in the cache, writes 4.
template <class T>
__global__ void gather_kernel(View x, int dim, View index, View out, int64_t n) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    int64_t rest = i, x_at = 0, index_at = 0, out_at = 0;
    for (int d = out.ndim - 1; d >= 0; --d) {
      const int64_t k = rest % out.sizes[d];
      rest /= out.sizes[d];
      if (d != dim) x_at += k * x.strides[d];
      index_at += k * index.strides[d];
      out_at += k * out.strides[d];
    }
    const int64_t id = index.as<int64_t>()[index_at];
    const bool inside = id >= 0 && id < x.sizes[dim];
    out.as<T>()[out_at] = inside ? x.as<T>()[x_at + id * x.strides[dim]] : T(0);
  }
}

/// out += source at index, whose n entries along dim were sorted: order[p] is the place of the
/// p-th. A thread has a position p and a line r. If a new index begins at p, it adds what stands
/// there and at the positions behind it with the same index. Reads 4 of source, 16 or more of index
/// and order, and reads and writes 4 of out for each different index.
template <class T>
__global__ void scatter_add_kernel(Lines lines, int dim, View index, const int64_t* order,
                                   int64_t order_step, View source, View out, int64_t n) {
  for (int64_t i = first_element(); i < n * lines.count; i += element_step()) {
    const int64_t begin = i / lines.count, r = i % lines.count;
    const int64_t* place = order + r * order_step;
    const int64_t* ids = index.as<int64_t>() + lines.offset(index, r);
    const int64_t step = index.strides[dim], id = ids[place[begin] * step];
    if (id < 0 || id >= out.sizes[dim]) continue;
    if (begin > 0 && ids[place[begin - 1] * step] == id) continue;
    const T* from = source.as<T>() + lines.offset(source, r);
    T* to = out.as<T>() + lines.offset(out, r) + id * out.strides[dim];
    T sum = *to;
    for (int64_t p = begin; p < n && ids[place[p] * step] == id; ++p)
      sum += from[place[p] * source.strides[dim]];
    *to = sum;
  }
}

namespace {

/// A 1-d index, repeated to the shape of `like`.
View repeated(const View& index, int dim, const View& like) {
  View v = like;
  v.data = index.data;
  v.dtype = index.dtype;
  for (int d = 0; d < v.ndim; ++d) v.strides[d] = d == dim ? index.strides[0] : 0;
  return v;
}

/// The view with `dim` moved to the end.
View last(const View& v, int dim) {
  View result = v;
  for (int d = dim; d + 1 < v.ndim; ++d) {
    result.sizes[d] = v.sizes[d + 1];
    result.strides[d] = v.strides[d + 1];
  }
  result.sizes[v.ndim - 1] = v.sizes[dim];
  result.strides[v.ndim - 1] = v.strides[dim];
  return result;
}

}  // namespace

void CudaBackend::index_select(const View& x, int dim, const View& index, const View& out) {
  gather(x, dim, repeated(index, dim, out), out);
}

void CudaBackend::gather(const View& x, int dim, const View& index, const View& out) {
  const int64_t n = out.numel();
  if (n == 0) return;
  dispatch(out.dtype, [&]<class T>() {
    launch<gather_kernel<T>>(elements(n, stream()), x, dim, index, out, n);
  });
}

void CudaBackend::index_add(int dim, const View& index, const View& source, const View& out) {
  if (source.numel() == 0) return;
  const Lines lines(source, dim);
  const int64_t n = index.sizes[0];
  const Scratch<int64_t> order(*this, padded(n));
  sort_lines(index, false, order.data());
  dispatch(out.dtype, [&]<class T>() {
    launch<scatter_add_kernel<T>>(elements(n * lines.count, stream()), lines, dim,
                                  repeated(index, dim, source), order.data(), 0, source, out, n);
  });
}

void CudaBackend::scatter_add(int dim, const View& index, const View& source, const View& out) {
  if (index.numel() == 0) return;
  const Lines lines(index, dim);
  const int64_t n = index.sizes[dim];
  const Scratch<int64_t> order(*this, lines.count * padded(n));
  sort_lines(last(index, dim), false, order.data());
  dispatch(out.dtype, [&]<class T>() {
    launch<scatter_add_kernel<T>>(elements(n * lines.count, stream()), lines, dim, index,
                                  order.data(), padded(n), source, out, n);
  });
}

}  // namespace gradus::cuda
