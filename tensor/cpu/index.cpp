// Reading and adding at indices along one dimension; i runs along it, r over the other coordinates.
//   index_select  out[i, r] = x[index[i], r]            gather       out[i, r] = x[index[i, r], r]
//   index_add     out[index[i], r] += source[i, r]      scatter_add  out[index[i, r], r] += …
// Two positions of an index may name the same element. So the additions are split among threads by
// r, never by i: each element belongs to one thread and receives its terms in the order of i, the
// same bits on any number of threads, without atomics.
#include <limits>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/lines.h"
#include "tensor/walk.h"

namespace gradus::cpu {
namespace {

constexpr int64_t kCacheLine = 16;  // floats; threads that write should not share a line of cache

// f(lines begin, end, index begin, end). Only where every position writes an element of its own may
// the index be split, which is better when it is long: the rows of an embedding stay whole.
template <class F>
void parallel_lines(const Lines& lines, int64_t n, bool may_split_index, F&& f) {
  if (may_split_index && n > lines.count)
    parallel_for(n, lines.count, [&](int64_t b, int64_t e) { f(int64_t{0}, lines.count, b, e); });
  else
    parallel_for(
        lines.count, n, [&](int64_t b, int64_t e) { f(b, e, int64_t{0}, n); }, kCacheLine);
}

// Neighbouring elements: as many lines at once as there are. Far apart: a few, so that walking
// along the lines finds the cache lines that the step before has fetched.
int64_t longest_run(int64_t step_a, int64_t step_b) {
  return step_a == 1 && step_b == 1 ? std::numeric_limits<int64_t>::max() : 8;
}

struct Assign {
  template <class T>
  void operator()(T& to, T from) const {
    to = from;
  }
};
struct Accumulate {
  template <class T>
  void operator()(T& to, T from) const {
    to += from;
  }
};

template <class T, class Op>
void combine(Op op, T* to, int64_t to_step, const T* from, int64_t from_step, int64_t n) {
  if (to_step == 1 && from_step == 1)
    for (int64_t j = 0; j < n; ++j) op(to[j], from[j]);
  else
    for (int64_t j = 0; j < n; ++j) op(to[j * to_step], from[j * from_step]);
}

// One index for all lines. `whole` has the index's length along dim, `indexed` is met at index[i]:
// select reads there, add writes there.
template <class T, bool kAdd>
void along_index(const View& indexed, int dim, const View& index, const View& whole) {
  const Lines lines(whole, dim);
  const int64_t* ids = index.as<int64_t>();
  const int64_t indexed_step = lines.step(indexed), whole_step = lines.step(whole);
  const int64_t longest = longest_run(indexed_step, whole_step);
  parallel_lines(lines, whole.sizes[dim], !kAdd,
                 [&](int64_t begin, int64_t end, int64_t first, int64_t last) {
                   lines.for_runs(begin, end, longest, [&](int64_t line, int64_t run) {
                     T* const a = indexed.as<T>() + lines.offset(indexed, line);
                     T* const b = whole.as<T>() + lines.offset(whole, line);
                     for (int64_t i = first; i < last; ++i) {
                       T* const at = a + ids[i * index.strides[0]] * indexed.strides[dim];
                       T* const row = b + i * whole.strides[dim];
                       if constexpr (kAdd)
                         combine(Accumulate{}, at, indexed_step, row, whole_step, run);
                       else
                         combine(Assign{}, row, whole_step, at, indexed_step, run);
                     }
                   });
                 });
}

// An index for every element of `whole`.
template <class T, bool kAdd>
void at_index(const View& indexed, int dim, const View& index, const View& whole) {
  const Lines lines(index, dim);
  const int64_t indexed_step = lines.step(indexed), whole_step = lines.step(whole);
  const int64_t index_step = lines.step(index), longest = longest_run(whole_step, index_step);
  parallel_lines(
      lines, index.sizes[dim], !kAdd, [&](int64_t begin, int64_t end, int64_t first, int64_t last) {
        lines.for_runs(begin, end, longest, [&](int64_t line, int64_t run) {
          T* const a = indexed.as<T>() + lines.offset(indexed, line);
          T* const b = whole.as<T>() + lines.offset(whole, line);
          const int64_t* const ids = index.as<int64_t>() + lines.offset(index, line);
          for (int64_t i = first; i < last; ++i) {
            T* const row = b + i * whole.strides[dim];
            const int64_t* const at = ids + i * index.strides[dim];
            for (int64_t j = 0; j < run; ++j) {
              T& element = a[at[j * index_step] * indexed.strides[dim] + j * indexed_step];
              if constexpr (kAdd)
                element += row[j * whole_step];
              else
                row[j * whole_step] = element;
            }
          }
        });
      });
}

}  // namespace

void CpuBackend::check_indices(const char* op, const View& index, int64_t size,
                               std::optional<int64_t> ignore_index) {
  const Walk<1> walk({&index});
  const int64_t* ids = index.as<int64_t>();
  for (int64_t i = 0, n = index.numel(); i < n; ++i) {
    const int64_t id = ids[walk.element(i)[0]];
    if ((id < 0 || id >= size) && id != ignore_index) bad_index(op, id, i, size);
  }
}

void CpuBackend::index_select(const View& x, int dim, const View& index, const View& out) {
  dispatch(out.dtype, [&]<class T>() { along_index<T, false>(x, dim, index, out); });
}

void CpuBackend::index_add(int dim, const View& index, const View& source, const View& out) {
  dispatch(out.dtype, [&]<class T>() { along_index<T, true>(out, dim, index, source); });
}

void CpuBackend::gather(const View& x, int dim, const View& index, const View& out) {
  dispatch(out.dtype, [&]<class T>() { at_index<T, false>(x, dim, index, out); });
}

void CpuBackend::scatter_add(int dim, const View& index, const View& source, const View& out) {
  dispatch(out.dtype, [&]<class T>() { at_index<T, true>(out, dim, index, source); });
}

}  // namespace gradus::cpu
