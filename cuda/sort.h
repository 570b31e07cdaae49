#pragma once
// Sorting the lines of a tensor on the device, for topk and for additions at equal indices.
#include <cstdint>

#include "cuda/cuda_backend.h"

namespace gradus::cuda {

/// The smallest power of two that is at least n: the length of a sorted line in memory.
inline int64_t padded(int64_t n) {
  int64_t p = 1;
  while (p < n) p *= 2;
  return p;
}

/// Sorts each line of x along its last dimension, of size n: order[line * padded(n) + i] becomes
/// the place of the i-th element, for i < n. Equal elements keep their order; NaN counts as the
/// largest. Lines are numbered as tensor/lines.h does.
void sort_lines(const View& x, bool descending, int64_t* order);

}  // namespace gradus::cuda
