// out = a @ b + beta out, for any strides, 2-d or batched. cuBLAS does the arithmetic on the stream
// of all other kernels; what is decided here is how strides become its flags. cuBLAS knows columns:
// a row-major matrix is, to it, the transpose, so instead of C = A B it computes C^T = B^T A^T, and
// no number moves. What is neither row- nor column-major is copied first. GRADUS_CUDA_MATMUL
// chooses a kernel of the staircase instead, which takes any strides as they are.
#include <algorithm>
#include <climits>
#include <optional>

#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "cuda/matmul_staircase.h"
#include "cuda/scratch.h"

// After gpu.h, which says whose cuBLAS this is.
#include <cublas_v2.h>

namespace gradus::cuda {

namespace {

void check_cublas(cublasStatus_t status, std::string_view doing) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail(doing, cublasGetStatusName(status), cublasGetStatusString(status));
}

/// Created at the first product and never destroyed: at exit, CUDA may be gone before our
/// destructors.
cublasHandle_t cublas(cudaStream_t stream) {
  static const cublasHandle_t handle = [] {
    cublasHandle_t h = nullptr;
    check_cublas(cublasCreate(&h), "cublasCreate");
    return h;
  }();
  check_cublas(cublasSetStream(handle, stream), "cublasSetStream");
  check_cublas(cublasSetMathMode(handle, tf32() ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH),
               "cublasSetMathMode");
  return handle;
}

/// (batch, rows, columns) views of both 2-d and batched tensors.
template <class T>
Matrices<T> matrices(const View& v) {
  return {v.as<T>(), v.strides[v.ndim - 2], v.strides[v.ndim - 1], v.ndim == 3 ? v.strides[0] : 0};
}

/// A row-major matrix as cuBLAS reads it: as the transpose, column-major, rows `ld` apart. What is
/// column-major here needs the operation T.
template <class T>
struct BlasMatrix {
  const T* data;
  cublasOperation_t operation;
  int64_t ld, batch;
};

/// Nothing if neither the rows nor the columns are contiguous.
template <class T>
std::optional<BlasMatrix<T>> blas_matrix(const Matrices<const T>& m, int64_t rows,
                                         int64_t columns) {
  const int64_t row = rows == 1 ? (m.row > columns ? m.row : columns) : m.row;
  const int64_t column = columns == 1 ? (m.column > rows ? m.column : rows) : m.column;
  if ((m.column == 1 || columns == 1) && row >= columns)
    return BlasMatrix<T>{m.data, CUBLAS_OP_N, row, m.batch};
  if ((m.row == 1 || rows == 1) && column >= rows)
    return BlasMatrix<T>{m.data, CUBLAS_OP_T, column, m.batch};
  return std::nullopt;
}

cublasStatus_t gemm(cublasHandle_t handle, const Product<float>& p, const BlasMatrix<float>& a,
                    const BlasMatrix<float>& b) {
  const float one = 1;
  return cublasSgemmStridedBatched(handle, b.operation, a.operation, static_cast<int>(p.n),
                                   static_cast<int>(p.m), static_cast<int>(p.k), &one, b.data,
                                   static_cast<int>(b.ld), b.batch, a.data, static_cast<int>(a.ld),
                                   a.batch, &p.beta, p.c.data, static_cast<int>(p.c.row), p.c.batch,
                                   static_cast<int>(p.batch));
}
cublasStatus_t gemm(cublasHandle_t handle, const Product<double>& p, const BlasMatrix<double>& a,
                    const BlasMatrix<double>& b) {
  const double one = 1;
  return cublasDgemmStridedBatched(handle, b.operation, a.operation, static_cast<int>(p.n),
                                   static_cast<int>(p.m), static_cast<int>(p.k), &one, b.data,
                                   static_cast<int>(b.ld), b.batch, a.data, static_cast<int>(a.ld),
                                   a.batch, &p.beta, p.c.data, static_cast<int>(p.c.row), p.c.batch,
                                   static_cast<int>(p.batch));
}

/// The same shape over other memory.
View contiguous_like(const View& v, void* data) {
  View out = v;
  out.data = data;
  int64_t stride = 1;
  for (int d = v.ndim - 1; d >= 0; --d) out.strides[d] = stride, stride *= v.sizes[d];
  return out;
}

}  // namespace

template <class T>
void CudaBackend::product(const View& a, const View& b, double beta, const View& out) {
  const int r = out.ndim - 2;
  Product<T> p{out.ndim == 3 ? out.sizes[0] : 1,
               out.sizes[r],
               out.sizes[r + 1],
               a.sizes[a.ndim - 1],
               matrices<const T>(a),
               matrices<const T>(b),
               matrices<T>(out),
               static_cast<T>(beta)};
  p.c.row = p.n,
  p.c.column = 1;  // out is contiguous; where a size is 1, its stride may say anything
  if (p.batch == 0 || p.m == 0 || p.n == 0) return;
  const int64_t sizes[] = {p.batch, p.m, p.n, p.k, p.a.row, p.a.column, p.b.row, p.b.column};
  const int64_t largest = *std::max_element(std::begin(sizes), std::end(sizes));
  if (largest > INT_MAX)  // cuBLAS counts in int; our kernels do not
    return matmul_staircase(MatmulKernel::Registers, p, stream());
  if (matmul_kernel() != MatmulKernel::Cublas)
    return matmul_staircase(matmul_kernel(), p, stream());
  const auto blas_a = blas_matrix(p.a, p.m, p.k), blas_b = blas_matrix(p.b, p.k, p.n);
  if (!blas_a || !blas_b) {
    const View& odd = blas_a ? b : a;
    const Scratch<T> scratch(*this, odd.numel());
    const View copied = contiguous_like(odd, scratch.data());
    copy(odd, copied);
    return blas_a ? product<T>(a, copied, beta, out) : product<T>(copied, b, beta, out);
  }
  check_cublas(gemm(cublas(stream()), p, *blas_a, *blas_b), "cublasGemmStridedBatched");
  check_launch("cublasGemmStridedBatched");
}

void CudaBackend::matmul(const View& a, const View& b, double beta, const View& out) {
  dispatch_float(out.dtype, [&]<class T>() { product<T>(a, b, beta, out); });
}

}  // namespace gradus::cuda
