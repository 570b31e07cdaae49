#pragma once
// The lines of a tensor along one dimension: fix every other coordinate, and one line remains. A
// kernel that works along a dimension picks lines by number, whatever the strides of its views.
// Neighbouring lines differ in the innermost of the other dimensions, so a run of them has a
// constant step.
#include <algorithm>

#include "tensor/view.h"

namespace gradus {

class Lines {
 public:
  /// The lines of `shape` along `dim`. A 0-d tensor is one line.
  Lines(const View& shape, int dim) {
    for (int d = 0; d < shape.ndim; ++d) {
      if (d == dim) continue;
      count *= shape.sizes[d];
      if (shape.sizes[d] == 1) continue;
      sizes_[ndim_] = shape.sizes[d];
      dims_[ndim_++] = d;
    }
  }

  int64_t count = 1;

  /// Where line `number` starts in v. Along the dimension v may have another size; if it is the
  /// last one, v may lack it.
  GRADUS_HD int64_t offset(const View& v, int64_t number) const {
    int64_t result = 0;
    for (int d = ndim_ - 1; d >= 0; --d) {
      result += number % sizes_[d] * v.strides[dims_[d]];
      number /= sizes_[d];
    }
    return result;
  }

  /// The distance from one line of v to the next within a run.
  int64_t step(const View& v) const { return ndim_ == 0 ? 1 : v.strides[dims_[ndim_ - 1]]; }

  /// Calls f(line, length) for runs of at most `longest` lines, which together cover [begin, end).
  template <class F>
  void for_runs(int64_t begin, int64_t end, int64_t longest, F&& f) const {
    const int64_t inner = ndim_ == 0 ? 1 : sizes_[ndim_ - 1];
    while (begin < end) {
      const int64_t length = std::min({end - begin, inner - begin % inner, longest});
      f(begin, length);
      begin += length;
    }
  }

 private:
  int ndim_ = 0;
  int64_t sizes_[kMaxDims] = {};
  int dims_[kMaxDims] = {};
};

}  // namespace gradus
