#pragma once
// The order of numbers in sorts, argmax and argmin, as in PyTorch: NaN counts as the largest.
#include "tensor/view.h"

namespace gradus {

template <class T>
GRADUS_HD bool is_nan(T x) {
  return x != x;
}

/// Does a come before b in this order? Of equal values, neither does.
template <class T>
GRADUS_HD bool before(T a, T b, bool descending) {
  if (descending) return a > b || (is_nan(a) && !is_nan(b));
  return a < b || (is_nan(b) && !is_nan(a));
}

}  // namespace gradus
