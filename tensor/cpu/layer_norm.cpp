// Layer normalisation of the rows of x (N, C), and its gradients. Ba, Kiros & Hinton 2016.
//   z = (x - mean) r, r = 1 / sqrt(var + eps);  y = z w + b
//   dx = r (h - mean(h) - z mean(h z)), h = g w;  dw = sum over rows of g z;  db = sum of g
// The variance is the mean of (x - mean)^2 over the row in the cache; E[x^2] - E[x]^2 would cancel.
// dw and db: the rows are cut into parts by their number alone, each part sums its own rows, and
// the parts are added in order, so any number of threads gives the same bits.
#include <vector>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/rows.h"

namespace gradus::cpu {
namespace {

constexpr int64_t kMaxParts = 16;     // of the rows; as many threads can share the backward pass
constexpr int64_t kMinPartRows = 16;  // below that, adding the parts costs more than it saves

template <class T>
void layer_norm_row(const T* x, const T* weight, const T* bias, T eps, int64_t n, T* out, T* mean,
                    T* rstd) {
  // Sums of x - x_0 keep the digits that a common offset would cost.
  const T m = x[0] + row_sum(x, n, x[0]) / static_cast<T>(n);
  const T squares = static_cast<T>(in_blocks(n, [=](int64_t begin, int64_t end) {
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = begin; j < end; ++j) sum += (x[j] - m) * (x[j] - m);
    return sum;
  }));
  const T r = T(1) / std::sqrt(squares / static_cast<T>(n) + eps);
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) out[j] = (x[j] - m) * r * weight[j] + bias[j];
  *mean = m;
  *rstd = r;
}

// One pass: dx of a row, whose g z and g are added to dweight and dbias.
template <class T>
void layer_norm_backward_row(const T* g, const T* x, const T* weight, T mean, T rstd, int64_t n,
                             T* dx, T* dweight, T* dbias) {
  T sum_h = 0, sum_hz = 0;
#pragma omp simd reduction(+ : sum_h, sum_hz)
  for (int64_t j = 0; j < n; ++j) {
    const T z = (x[j] - mean) * rstd, h = g[j] * weight[j];
    sum_h += h;
    sum_hz += h * z;
    dweight[j] += g[j] * z;
    dbias[j] += g[j];
  }
  const T mean_h = sum_h / static_cast<T>(n), mean_hz = sum_hz / static_cast<T>(n);
#pragma omp simd
  for (int64_t j = 0; j < n; ++j)
    dx[j] = rstd * (g[j] * weight[j] - mean_h - (x[j] - mean) * rstd * mean_hz);
}

}  // namespace

void CpuBackend::layer_norm(const View& x, const View& weight, const View& bias, double eps,
                            const View& out, const View& mean, const View& rstd) {
  const int64_t n = x.sizes[1];
  dispatch_float(x.dtype, [&]<class T>() {
    parallel_items(x.sizes[0], n, [&](int64_t row) {
      layer_norm_row(x.as<T>() + row * n, weight.as<T>(), bias.as<T>(), static_cast<T>(eps), n,
                     out.as<T>() + row * n, mean.as<T>() + row, rstd.as<T>() + row);
    });
  });
}

void CpuBackend::layer_norm_backward(const View& g, const View& x, const View& weight,
                                     const View& mean, const View& rstd, const View& dx,
                                     const View& dweight, const View& dbias) {
  const int64_t rows = x.sizes[0], n = x.sizes[1];
  const int64_t parts = std::clamp<int64_t>(rows / kMinPartRows, 1, kMaxParts);
  dispatch_float(x.dtype, [&]<class T>() {
    std::vector<T> partial(static_cast<size_t>(2 * n * parts));  // (parts, 2, C)
    parallel_items(parts, 2 * n * rows / parts, [&](int64_t part) {
      T* const dw = partial.data() + part * 2 * n;
      const int64_t end = rows * (part + 1) / parts;
      for (int64_t row = rows * part / parts; row < end; ++row)
        layer_norm_backward_row(g.as<T>() + row * n, x.as<T>() + row * n, weight.as<T>(),
                                mean.as<T>()[row], rstd.as<T>()[row], n, dx.as<T>() + row * n, dw,
                                dw + n);
    });
    for (int64_t j = 0; j < n; ++j) dweight.as<T>()[j] = dbias.as<T>()[j] = 0;
    for (int64_t part = 0; part < parts; ++part) {
      const T* const dw = partial.data() + part * 2 * n;
      for (int64_t j = 0; j < n; ++j) {
        dweight.as<T>()[j] += dw[j];
        dbias.as<T>()[j] += dw[n + j];
      }
    }
  });
}

}  // namespace gradus::cpu
