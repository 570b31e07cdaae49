// cuBLAS on top of OpenBLAS. It also checks what cuBLAS leaves to the caller: all elements named by
// the sizes and leading dimensions must lie in an allocation.
#include <cblas.h>
#include <cublas_v2.h>

#include <algorithm>
#include <string>

#include "cuda/emulator/check.h"
#include "cuda/emulator/errors.h"
#include "cuda/emulator/memory.h"
#include "cuda/emulator/stream.h"

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
  cublasPointerMode_t pointers = CUBLAS_POINTER_MODE_HOST;
};

namespace {

using simt::check::range_read;
using simt::check::range_written;

/// `batch` matrices of (rows, columns), as stored.
template <class T>
struct Matrices {
  T* data;
  int rows, columns, leading;
  long long stride;
  int batch;

  bool empty() const { return rows == 0 || columns == 0 || batch == 0; }
  T* matrix(int i) const { return data + i * stride; }

  /// Why these are not `batch` matrices in device memory, or "".
  std::string objection(const char* name) const {
    if (leading < std::max(1, rows))
      return std::string("ld") + name + " = " + std::to_string(leading) + " is less than the " +
             std::to_string(rows) + " rows of " + name;
    if (empty()) return "";
    const long long elements =
        (batch - 1) * std::max(stride, 0ll) + (columns - 1ll) * leading + rows;
    if (simt::in_allocation(data, std::size_t(elements) * sizeof(T))) return "";
    return std::string(name) +
           " is out of bounds: " + std::to_string(std::size_t(elements) * sizeof(T)) +
           " bytes from " + simt::describe_address(data);
  }

  template <class F>
  void each_column(F f) const {
    for (int i = 0; i < batch; ++i)
      for (int j = 0; j < columns; ++j)
        f(matrix(i) + static_cast<long long>(j) * leading, std::size_t(rows) * sizeof(T));
  }
};

void product(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, float alpha,
             const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasColMajor, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void product(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, double alpha,
             const double* a, int lda, const double* b, int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasColMajor, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

CBLAS_TRANSPOSE transposed(cublasOperation_t op) {
  return op == CUBLAS_OP_N ? CblasNoTrans : CblasTrans;
}

/// alpha or beta. On the host it is read now. In device memory it is read when its turn comes.
template <class T>
struct Factor {
  const T* on_device;
  T value;
  Factor(const T* p, cublasPointerMode_t mode)
      : on_device(mode == CUBLAS_POINTER_MODE_DEVICE ? p : nullptr), value(on_device ? T(0) : *p) {}
  T get() const {
    if (!on_device) return value;
    range_read(on_device, sizeof(T));
    return *on_device;
  }
};

template <class T>
cublasStatus_t gemm(const char* call, cublasHandle_t handle, cublasOperation_t op_a,
                    cublasOperation_t op_b, int m, int n, int k, const T* alpha, const T* beta,
                    Matrices<const T> a, Matrices<const T> b, Matrices<T> c) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!alpha || !beta || m < 0 || n < 0 || k < 0 || c.batch < 0) return CUBLAS_STATUS_INVALID_VALUE;
  if (simt::sticky_error() != cudaSuccess) return CUBLAS_STATUS_EXECUTION_FAILED;
  a.rows = op_a == CUBLAS_OP_N ? m : k;
  a.columns = op_a == CUBLAS_OP_N ? k : m;
  b.rows = op_b == CUBLAS_OP_N ? k : n;
  b.columns = op_b == CUBLAS_OP_N ? n : k;
  c.rows = m;
  c.columns = n;
  for (const std::string& wrong : {a.objection("a"), b.objection("b"), c.objection("c")}) {
    if (wrong.empty()) continue;
    const bool wrong_size = wrong.starts_with("ld");
    const std::string text = std::string(call) + ": " + wrong;
    if (wrong_size)
      simt::report_error(cudaErrorInvalidValue, text);
    else
      simt::report_sticky_error(cudaErrorIllegalAddress, text);
    return wrong_size ? CUBLAS_STATUS_INVALID_VALUE : CUBLAS_STATUS_EXECUTION_FAILED;
  }
  if (c.empty()) return CUBLAS_STATUS_SUCCESS;
  const bool on_device = handle->pointers == CUBLAS_POINTER_MODE_DEVICE;
  if (on_device &&
      !(simt::in_allocation(alpha, sizeof(T)) && simt::in_allocation(beta, sizeof(T)))) {
    simt::report_sticky_error(
        cudaErrorIllegalAddress,
        std::string(call) + ": in this pointer mode, alpha and beta must be device memory");
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
  const Factor<T> alpha_factor(alpha, handle->pointers), beta_factor(beta, handle->pointers);
  simt::submit(handle->stream, call, simt::Loc{}, [=] {
    const T alpha_now = alpha_factor.get(), beta_now = beta_factor.get();
    a.each_column([](const T* p, std::size_t bytes) { range_read(p, bytes); });
    b.each_column([](const T* p, std::size_t bytes) { range_read(p, bytes); });
    if (beta_now != T(0))
      c.each_column([](const T* p, std::size_t bytes) { range_read(p, bytes); });
    for (int i = 0; i < c.batch; ++i)
      product(transposed(op_a), transposed(op_b), m, n, k, alpha_now, a.matrix(i), a.leading,
              b.matrix(i), b.leading, beta_now, c.matrix(i), c.leading);
    c.each_column([](T* p, std::size_t bytes) { range_written(p, bytes); });
  });
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

const char* cublasGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
  }
  return "unknown status";
}

const char* cublasGetStatusString(cublasStatus_t status) {
  const bool explained =
      status == CUBLAS_STATUS_INVALID_VALUE || status == CUBLAS_STATUS_EXECUTION_FAILED;
  return explained && !simt::last_report().empty() ? simt::last_report().c_str()
                                                   : cublasGetStatusName(status);
}

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return handle ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t* stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->pointers = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetPointerMode(cublasHandle_t handle, cublasPointerMode_t* mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *mode = handle->pointers;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->math = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *mode = handle->math;
  return CUBLAS_STATUS_SUCCESS;
}

#define SIMT_GEMM(Name, T)                                                                        \
  cublasStatus_t Name##StridedBatched(                                                            \
      cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k, \
      const T* alpha, const T* a, int lda, long long stride_a, const T* b, int ldb,               \
      long long stride_b, const T* beta, T* c, int ldc, long long stride_c, int batch) {          \
    return gemm<T>(#Name "StridedBatched", handle, op_a, op_b, m, n, k, alpha, beta,              \
                   {a, 0, 0, lda, stride_a, batch}, {b, 0, 0, ldb, stride_b, batch},              \
                   {c, 0, 0, ldc, stride_c, batch});                                              \
  }                                                                                               \
  cublasStatus_t Name(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b,      \
                      int m, int n, int k, const T* alpha, const T* a, int lda, const T* b,       \
                      int ldb, const T* beta, T* c, int ldc) {                                    \
    return gemm<T>(#Name, handle, op_a, op_b, m, n, k, alpha, beta, {a, 0, 0, lda, 0, 1},         \
                   {b, 0, 0, ldb, 0, 1}, {c, 0, 0, ldc, 0, 1});                                   \
  }
SIMT_GEMM(cublasSgemm, float)
SIMT_GEMM(cublasDgemm, double)
#undef SIMT_GEMM
