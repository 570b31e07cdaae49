#pragma once
// OpenBLAS, kept on one thread per call: our own team splits a product (matmul.cpp), so that there
// is one pool of threads and not two on the same cores.
#include <cblas.h>

#include <cstdint>

namespace gradus::cpu {

/// Chooses OpenBLAS's kernels once, before the first product. Called by every product; cheap after.
void prepare_blas();

/// A row-major matrix that BLAS can read: `ld` elements from row to row, perhaps transposed.
template <class T>
struct Matrix {
  const T* data;
  int64_t ld;
  bool transposed;
};

/// c (m, n; ldc) = a (m, k) b (k, n) + beta c, on the calling thread.
inline void gemm(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b,
                 float beta, float* c, int64_t ldc) {
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
              b.transposed ? CblasTrans : CblasNoTrans, static_cast<int>(m), static_cast<int>(n),
              static_cast<int>(k), alpha, a.data, static_cast<int>(a.ld), b.data,
              static_cast<int>(b.ld), beta, c, static_cast<int>(ldc));
}
inline void gemm(int64_t m, int64_t n, int64_t k, double alpha, Matrix<double> a, Matrix<double> b,
                 double beta, double* c, int64_t ldc) {
  cblas_dgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
              b.transposed ? CblasTrans : CblasNoTrans, static_cast<int>(m), static_cast<int>(n),
              static_cast<int>(k), alpha, a.data, static_cast<int>(a.ld), b.data,
              static_cast<int>(b.ld), beta, c, static_cast<int>(ldc));
}

}  // namespace gradus::cpu
