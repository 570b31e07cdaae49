#pragma once
// Many tensors in one launch. A model has hundreds of parameters, most of them small: a launch for
// each would cost more than the work. So a kernel takes pointers and sizes of many tensors as an
// argument (CUDA allows 4 KiB of arguments). The tensors are cut into pieces of kPiece elements, a
// block takes one piece after another, and finds out by bisection whose piece it is.
#include <span>

#include "cuda/gpu.h"
#include "tensor/view.h"

namespace gradus::cuda {

inline constexpr int64_t kPiece = 4096;  // 16 elements for each thread of a block

/// Up to kMost tensors with `arrays` pointers each: a parameter, its gradient and its state, for
/// example.
template <int arrays>
struct TensorList {
  static constexpr int kMost = 3840 / (8 * (arrays + 2));
  int count = 0;
  void* data[kMost][arrays];
  int64_t sizes[kMost];
  int64_t ends[kMost];  // the pieces of all tensors up to this one

  /// Elements [begin, end) of a tensor.
  struct Piece {
    int tensor;
    int64_t begin, end;
  };

  bool full() const { return count == kMost; }
  template <class... Pointer>
  void add(int64_t size, Pointer*... pointers) {
    static_assert(sizeof...(Pointer) == arrays);
    int i = 0;
    ((data[count][i++] = pointers), ...);
    sizes[count] = size;
    ends[count] = pieces() + (size + kPiece - 1) / kPiece;
    ++count;
  }
  GRADUS_HD int64_t pieces_before(int tensor) const { return tensor == 0 ? 0 : ends[tensor - 1]; }
  GRADUS_HD int64_t pieces() const { return pieces_before(count); }

  /// The piece of that number, out of pieces().
  __device__ Piece piece(int64_t number) const {
    int low = 0, high = count - 1;
    while (low < high) {
      const int middle = (low + high) / 2;
      if (ends[middle] > number)
        high = middle;
      else
        low = middle + 1;
    }
    const int64_t begin = (number - pieces_before(low)) * kPiece;
    return {low, begin, begin + kPiece < sizes[low] ? begin + kPiece : sizes[low]};
  }
};

/// f(list, first) for as many lists as all of `xs` need. add(list, x) puts x into a list, which
/// begins at xs[first].
template <int arrays, class X, class Add, class F>
void for_each_list(std::span<const X> xs, Add add, F f) {
  for (size_t i = 0; i < xs.size();) {
    const size_t first = i;
    TensorList<arrays> list;
    while (i < xs.size() && !list.full()) add(list, xs[i++]);
    f(list, first);
  }
}

}  // namespace gradus::cuda
