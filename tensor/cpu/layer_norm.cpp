// Normalisation of the rows of x (N, C), and its gradients. layer_norm: Ba, Kiros & Hinton 2016.
//   z = (x - m) r, r = 1 / sqrt(mean((x - m)^2) + eps);  y = z w + b
//   dx = r (h - mean(h) - z mean(h z)), h = g w;  dw = sum over rows of g z;  db = sum of g
// with m the mean of the row. rms_norm (Zhang & Sennrich 2019) is the same with m = 0: no b, and no
// mean(h), which is there because m depends on x.
// The mean of (x - m)^2 is taken over the row in the cache; E[x^2] - E[x]^2 would cancel.
// dw and db: the rows are cut into parts by their number alone, each part sums its own rows, and
// the parts are added in order, so any number of threads gives the same bits.
#include <vector>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/rows.h"

namespace gradus::cpu {
namespace {

constexpr int64_t kMaxParts = 64;     // of the rows; as many threads can share the backward pass
constexpr int64_t kMinPartRows = 48;  // below that, adding the parts costs more than it saves

/// bias and mean are null unless centred.
template <bool centred, class T>
void norm_row(const T* x, const T* weight, const T* bias, T eps, int64_t n, T* out, T* mean,
              T* rstd) {
  T m = 0;
  // Sums of x - x_0 keep the digits that a common offset would cost.
  if constexpr (centred) *mean = m = x[0] + row_sum(x, n, x[0]) / static_cast<T>(n);
  const T squares = row_sum_squares(x, n, m);
  const T r = T(1) / std::sqrt(squares / static_cast<T>(n) + eps);
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) {
    out[j] = (x[j] - m) * r * weight[j];
    if constexpr (centred) out[j] += bias[j];
  }
  *rstd = r;
}

/// One pass: dx of a row, whose g z and g are added to dweight and dbias (null unless centred).
template <bool centred, class T>
void norm_backward_row(const T* g, const T* x, const T* weight, T mean, T rstd, int64_t n, T* dx,
                       T* dweight, T* dbias) {
  T sum_h = 0, sum_hz = 0;
#pragma omp simd reduction(+ : sum_h, sum_hz)
  for (int64_t j = 0; j < n; ++j) {
    const T z = (x[j] - mean) * rstd, h = g[j] * weight[j];
    sum_hz += h * z;
    dweight[j] += g[j] * z;
    if constexpr (centred) {
      sum_h += h;
      dbias[j] += g[j];
    }
  }
  const T mean_h = sum_h / static_cast<T>(n), mean_hz = sum_hz / static_cast<T>(n);
#pragma omp simd
  for (int64_t j = 0; j < n; ++j)
    dx[j] = rstd * (g[j] * weight[j] - mean_h - (x[j] - mean) * rstd * mean_hz);
}

template <bool centred, class T>
void norm(const View& x, const View& weight, const View& bias, double eps, const View& out,
          const View& mean, const View& rstd) {
  const int64_t n = x.sizes[1];
  parallel_items(x.sizes[0], n, [&](int64_t row) {
    norm_row<centred>(x.as<T>() + row * n, weight.as<T>(), bias.as<T>(), static_cast<T>(eps), n,
                      out.as<T>() + row * n, centred ? mean.as<T>() + row : nullptr,
                      rstd.as<T>() + row);
  });
}

template <bool centred, class T>
void norm_backward(const View& g, const View& x, const View& weight, const View& mean,
                   const View& rstd, const View& dx, const View& dweight, const View& dbias) {
  const int64_t rows = x.sizes[0], n = x.sizes[1];
  const int64_t parts = std::clamp<int64_t>(rows / kMinPartRows, 1, kMaxParts);
  const int64_t width = centred ? 2 * n : n;
  std::vector<T> partial(static_cast<size_t>(width * parts));  // dw, or dw and db, of each part
  parallel_items(parts, 2 * n * rows / parts, [&](int64_t part) {
    T* const dw = partial.data() + part * width;
    const int64_t end = rows * (part + 1) / parts;
    for (int64_t row = rows * part / parts; row < end; ++row)
      norm_backward_row<centred>(g.as<T>() + row * n, x.as<T>() + row * n, weight.as<T>(),
                                 centred ? mean.as<T>()[row] : T(0), rstd.as<T>()[row], n,
                                 dx.as<T>() + row * n, dw, dw + n);
  });
  const auto add_parts = [&](const T* from, T* to) {
    const auto columns = [&](int64_t begin, int64_t end) {
      std::fill(to + begin, to + end, T(0));
      for (int64_t part = 0; part < parts; ++part)
        for (int64_t j = begin; j < end; ++j) to[j] += from[part * width + j];
    };
    parallel_for(n, parts, columns, 16);
  };
  add_parts(partial.data(), dweight.as<T>());
  if constexpr (centred) add_parts(partial.data() + n, dbias.as<T>());
}

}  // namespace

void CpuBackend::layer_norm(const View& x, const View& weight, const View& bias, double eps,
                            const View& out, const View& mean, const View& rstd) {
  dispatch_float(x.dtype, [&]<class T>() { norm<true, T>(x, weight, bias, eps, out, mean, rstd); });
}
void CpuBackend::layer_norm_backward(const View& g, const View& x, const View& weight,
                                     const View& mean, const View& rstd, const View& dx,
                                     const View& dweight, const View& dbias) {
  dispatch_float(x.dtype, [&]<class T>() {
    norm_backward<true, T>(g, x, weight, mean, rstd, dx, dweight, dbias);
  });
}

void CpuBackend::rms_norm(const View& x, const View& weight, double eps, const View& out,
                          const View& rstd) {
  dispatch_float(x.dtype, [&]<class T>() { norm<false, T>(x, weight, {}, eps, out, {}, rstd); });
}
void CpuBackend::rms_norm_backward(const View& g, const View& x, const View& weight,
                                   const View& rstd, const View& dx, const View& dweight) {
  dispatch_float(x.dtype, [&]<class T>() {
    norm_backward<false, T>(g, x, weight, {}, rstd, dx, dweight, {});
  });
}

}  // namespace gradus::cpu
