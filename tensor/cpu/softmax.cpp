// Softmax and log-softmax of the rows of x (N, C), and their gradients.
//   y_j = e^(x_j - m) / sum_k e^(x_k - m), m = max x     dx_j = y_j (g_j - sum_k g_k y_k)
//   y_j = x_j - m - ln sum_k e^(x_k - m)                 dx_j = g_j - e^(y_j) sum_k g_k
// Subtracting the maximum changes nothing but keeps e^x in range. A row is read from memory once:
// the second and third pass over it find it in the cache.
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/rows.h"
#include "tensor/cpu/vector.h"

namespace gradus::cpu {

void CpuBackend::softmax(const View& x, const View& out) {
  const int64_t n = x.sizes[1];
  if (n == 0) return;
  dispatch_float(x.dtype, [&]<class T>() {
    parallel_rows(x, [&](int64_t row) {
      const T* from = x.as<T>() + row * n;
      T* to = out.as<T>() + row * n;
      const T scale = T(1) / row_sum_exp<T, true>(from, row_max(from, n), to, n);
      for (int64_t j = 0; j < n; ++j) to[j] *= scale;
    });
  });
}

void CpuBackend::softmax_backward(const View& g, const View& y, const View& dx) {
  const int64_t n = y.sizes[1];
  dispatch_float(y.dtype, [&]<class T>() {
    parallel_rows(y, [&](int64_t row) {
      const T *grad = g.as<T>() + row * n, *value = y.as<T>() + row * n;
      T* to = dx.as<T>() + row * n;
      const T sum = dot(grad, value, n);
#pragma omp simd
      for (int64_t j = 0; j < n; ++j) to[j] = value[j] * (grad[j] - sum);
    });
  });
}

void CpuBackend::log_softmax(const View& x, const View& out) {
  const int64_t n = x.sizes[1];
  if (n == 0) return;
  dispatch_float(x.dtype, [&]<class T>() {
    parallel_rows(x, [&](int64_t row) {
      const T* from = x.as<T>() + row * n;
      T* to = out.as<T>() + row * n;
      const T max = row_max(from, n);
      const T log_sum = std::log(row_sum_exp<T, false>(from, max, nullptr, n));
      // x - max is exact for values near the maximum; max + log_sum would round it away.
#pragma omp simd
      for (int64_t j = 0; j < n; ++j) to[j] = from[j] - max - log_sum;
    });
  });
}

void CpuBackend::log_softmax_backward(const View& g, const View& y, const View& dx) {
  const int64_t n = y.sizes[1];
  dispatch_float(y.dtype, [&]<class T>() {
    parallel_rows(y, [&](int64_t row) {
      const T *grad = g.as<T>() + row * n, *value = y.as<T>() + row * n;
      T* to = dx.as<T>() + row * n;
      const T sum = row_sum(grad, n);
      for (int64_t j = 0; j < n; ++j) to[j] = grad[j] - scalar::exp(value[j]) * sum;
    });
  });
}

}  // namespace gradus::cpu
