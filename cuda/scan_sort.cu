// Along the last dimension, any strides: running sums, and the k first in order.
//
// A sort should keep all threads busy, none waiting for another's choice. A sorting network does:
// it compares and exchanges pairs whose places are fixed beforehand. Batcher's bitonic network
// builds sorted runs of 2, 4, 8, …; a run of `size` is made from two half as long in log2(size)
// steps, in which elements size/2, size/4, … 1 apart are compared. (Batcher, "Sorting Networks and
// Their Applications", AFIPS 1968.) That is n log2(n) (log2(n) + 1) / 4 comparisons, 10^8 for a
// million elements: more than a radix sort needs, in a tenth of the code. What is exchanged are
// places, and of two equal elements the one with the lower place comes first, so the sort is
// stable. Lines are padded to a power of two with places beyond the end, which stand behind
// everything.
#include "cuda/launch.h"
#include "cuda/scratch.h"
#include "cuda/sort.h"
#include "tensor/lines.h"
#include "tensor/order.h"

namespace gradus::cuda {

// ---- Running sums

/// Errors of a running sum add up, so floats are summed in double.
template <class T>
using RunningSum = std::conditional_t<std::is_same_v<T, float>, double, T>;

/// One block walks a line, blockDim.x elements at a time, and carries the sum so far along. Within
/// these, in step 1, 2, 4, … each thread adds what stands that far to its left, until it has
/// everything to its left (Hillis & Steele, "Data Parallel Algorithms", 1986). Reads 4, writes 4.
template <class T>
__global__ void cumsum_kernel(Lines lines, View x, View out, int64_t n, int64_t x_stride,
                              int64_t out_stride) {
  using Sum = RunningSum<T>;
  SHARED(Sum, sums, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), width = static_cast<int>(blockDim.x);
  for (int64_t line = blockIdx.x; line < lines.count; line += gridDim.x) {
    const T* from = x.as<T>() + lines.offset(x, line);
    T* to = out.as<T>() + lines.offset(out, line);
    Sum carry = 0;
    for (int64_t begin = 0; begin < n; begin += width) {
      const int64_t i = begin + t;
      sums[t] = i < n ? static_cast<Sum>(from[i * x_stride]) : Sum(0);
      __syncthreads();
      for (int step = 1; step < width; step *= 2) {
        const Sum left = t >= step ? sums[t - step] : Sum(0);
        __syncthreads();  // all have read before one writes
        sums[t] += left;
        __syncthreads();
      }
      if (i < n) to[i * out_stride] = static_cast<T>(carry + sums[t]);
      carry += sums[width - 1];
      __syncthreads();  // before the next elements overwrite these
    }
  }
}

// ---- Sorting

inline constexpr int kChunk = 2 * kThreads;  // elements that a block sorts in shared memory

/// The lines to be sorted, `length` = padded(n) places each, one after another.
template <class T>
struct Sort {
  Lines lines;
  View x;
  int64_t n, stride, length;
  bool descending;

  GRADUS_HD int64_t total() const { return lines.count * length; }

  /// Does place a of a line stand before place b?
  __device__ bool precedes(const T* line, int64_t a, int64_t b) const {
    if (a >= n || b >= n) return a < b;
    const T va = line[a * stride], vb = line[b * stride];
    if (before(va, vb, descending)) return true;
    if (before(vb, va, descending)) return false;
    return a < b;
  }
  /// Puts two places in order, that of position i and that of position i + distance. Every other
  /// run of `size` is sorted backwards: with the one before, it rises and falls, as the next step
  /// needs.
  __device__ void exchange(int64_t i, int64_t size, int64_t& first, int64_t& second) const {
    const int64_t line = i / length;
    const bool forwards = ((i - line * length) & size) == 0;
    if (precedes(x.as<T>() + lines.offset(x, line), second, first) != forwards) return;
    const int64_t swap = first;
    first = second;
    second = swap;
  }
};

/// The first position of pair number t, when pairs stand `distance` apart.
__device__ inline int64_t pair_start(int64_t t, int64_t distance) {
  return 2 * t - (t & (distance - 1));
}

/// All steps for runs of `from` … `to` elements whose distance fits into a chunk, in shared memory;
/// a thread has a pair. from == 2 begins a sort. Reads and writes 8 bytes of order an element, and
/// x, at scattered places, in each step.
template <class T>
__global__ void sort_chunk_kernel(Sort<T> sort, int64_t* order, int64_t from, int64_t to) {
  SHARED(int64_t, chunk, [kChunk]);
  const int64_t total = sort.total();
  for (int64_t base = static_cast<int64_t>(blockIdx.x) * kChunk; base < total;
       base += static_cast<int64_t>(gridDim.x) * kChunk) {
    const int64_t here = total - base < kChunk ? total - base : kChunk;
    for (int64_t i = threadIdx.x; i < here; i += blockDim.x)
      chunk[i] = from == 2 ? (base + i) % sort.length : order[base + i];
    __syncthreads();
    for (int64_t size = from; size <= to; size *= 2)
      for (int64_t distance = (size < kChunk ? size : kChunk) / 2; distance > 0; distance /= 2) {
        const int64_t i = pair_start(threadIdx.x, distance);
        if (i < here) sort.exchange(base + i, size, chunk[i], chunk[i + distance]);
        __syncthreads();
      }
    // No barrier: the next chunk's places go to where the same thread has just read.
    for (int64_t i = threadIdx.x; i < here; i += blockDim.x) order[base + i] = chunk[i];
  }
}

/// One step whose pairs lie in different chunks; a thread has a pair.
template <class T>
__global__ void sort_step_kernel(Sort<T> sort, int64_t* order, int64_t size, int64_t distance) {
  for (int64_t t = first_element(); t < sort.total() / 2; t += element_step()) {
    const int64_t i = pair_start(t, distance);
    sort.exchange(i, size, order[i], order[i + distance]);
  }
}

/// The first k of each sorted line: reads 8 of order and 4 of x, writes 12.
template <class T>
__global__ void take_kernel(Sort<T> sort, const int64_t* order, View values, View indices,
                            int64_t k, int64_t value_stride, int64_t index_stride) {
  for (int64_t i = first_element(); i < sort.lines.count * k; i += element_step()) {
    const int64_t line = i / k, j = i % k, place = order[line * sort.length + j];
    const T* from = sort.x.template as<T>() + sort.lines.offset(sort.x, line);
    values.as<T>()[sort.lines.offset(values, line) + j * value_stride] = from[place * sort.stride];
    indices.as<int64_t>()[sort.lines.offset(indices, line) + j * index_stride] = place;
  }
}

namespace {

// A 0-d tensor is a line of one element.
int64_t last_size(const View& x) { return x.ndim == 0 ? 1 : x.sizes[x.ndim - 1]; }
int64_t last_stride(const View& x) { return x.ndim == 0 ? 1 : x.strides[x.ndim - 1]; }

template <class T>
Sort<T> sort_of(const View& x, bool descending) {
  const int64_t n = last_size(x);
  return {Lines(x, x.ndim - 1), x, n, last_stride(x), padded(n), descending};
}

template <class T>
void sort_with(const Sort<T>& sort, int64_t* order, cudaStream_t stream) {
  if (sort.total() == 0) return;
  // elements() counts a thread per element; here each has two.
  const int64_t pairs = (sort.total() + 1) / 2;
  const LaunchConfig config = elements(pairs, stream);
  launch<sort_chunk_kernel<T>>(config, sort, order, 2, sort.length < kChunk ? sort.length : kChunk);
  for (int64_t size = 2 * kChunk; size <= sort.length; size *= 2) {
    for (int64_t distance = size / 2; distance >= kChunk; distance /= 2)
      launch<sort_step_kernel<T>>(config, sort, order, size, distance);
    launch<sort_chunk_kernel<T>>(config, sort, order, size, size);
  }
}

}  // namespace

void sort_lines(const View& x, bool descending, int64_t* order) {
  dispatch(x.dtype,
           [&]<class T>() { sort_with(sort_of<T>(x, descending), order, CudaBackend::stream()); });
}

void CudaBackend::topk(const View& x, bool largest, const View& values, const View& indices) {
  const int64_t k = last_size(values);
  if (k == 0 || x.numel() == 0) return;
  dispatch(x.dtype, [&]<class T>() {
    const Sort<T> sort = sort_of<T>(x, largest);
    const Scratch<int64_t> order(*this, sort.total());
    sort_with(sort, order.data(), stream());
    launch<take_kernel<T>>(elements(sort.lines.count * k, stream()), sort, order.data(), values,
                           indices, k, last_stride(values), last_stride(indices));
  });
}

void CudaBackend::cumsum(const View& x, const View& out) {
  const int64_t n = last_size(x);
  if (x.numel() == 0) return;
  const Lines lines(x, x.ndim - 1);
  int threads = 32;
  while (threads < kThreads && threads < n) threads *= 2;
  dispatch(x.dtype, [&]<class T>() {
    launch<cumsum_kernel<T>>({blocks_for(lines.count), threads, 0, stream()}, lines, x, out, n,
                             last_stride(x), last_stride(out));
  });
}

}  // namespace gradus::cuda
