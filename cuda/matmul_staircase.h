#pragma once
// The matrix product four times, each a step up from the one before: see matmul_staircase.cu.
#include "cuda/gpu.h"
#include "cuda/matmul_options.h"
#include "tensor/view.h"

namespace gradus::cuda {

/// Matrices of any strides, `batch` elements apart from the next of a batch (0: the same for all).
template <class T>
struct Matrices {
  T* data;
  int64_t row, column, batch;  // strides, in elements

  GRADUS_HD T& at(int64_t b, int64_t r, int64_t c) const {
    return data[b * batch + r * row + c * column];
  }
};

/// C (batch, m, n) = A (batch, m, k) B (batch, k, n) + beta C.
template <class T>
struct Product {
  int64_t batch, m, n, k;
  Matrices<const T> a, b;
  Matrices<T> c;
  T beta;

  /// Writes an element of C. With beta = 0, what C held before is not read: it may be anything.
  GRADUS_HD void store(int64_t i, int64_t row, int64_t column, T sum) const {
    T& to = c.at(i, row, column);
    to = beta == T(0) ? sum : sum + beta * to;
  }
};

/// Launches the kernel of a step, for float or double.
template <class T>
void matmul_staircase(MatmulKernel step, const Product<T>& product, cudaStream_t stream);

}  // namespace gradus::cuda
