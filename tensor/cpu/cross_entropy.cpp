// Cross-entropy of the rows of logits x (N, C) with class indices t (N), smoothing s.
//   loss = lse - (1 - s) x_t - s mean(x), lse = ln sum_j e^x_j    ignored rows: 0
//   dx_j = g (e^(x_j - lse) - (1 - s) [j = t] - s / C)
// Only lse is kept for the backward pass, as max and ln sum e^d apart: the probabilities, as large
// as the logits (50,257 columns for GPT-2), are never stored but recomputed from it. The forward
// pass works with d = x - max, loss = ln sum e^d - (1 - s) d_t - s mean(d), so that large logits
// lose no digits.
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/rows.h"

namespace gradus::cpu {
namespace {

template <class T>
T loss_of_row(const T* x, int64_t n, int64_t target, T smoothing, T* lse) {
  const T max = row_max(x, n);
  const T log_sum = std::log(row_sum_exp<T, false>(x, max, nullptr, n));
  lse[0] = max, lse[1] = log_sum;
  const T loss = log_sum - (T(1) - smoothing) * (x[target] - max);
  // Without smoothing the mean must not be touched: 0 times an infinite logit is NaN.
  if (smoothing == T(0)) return loss;
  return loss - smoothing * row_sum(x, n, max) / static_cast<T>(n);
}

}  // namespace

void CpuBackend::cross_entropy(const View& logits, const View& targets, int64_t ignore_index,
                               double smoothing, const View& losses, const View& lse) {
  const int64_t n = logits.sizes[1];
  const int64_t* target = targets.as<int64_t>();
  dispatch_float(logits.dtype, [&]<class T>() {
    T *loss = losses.as<T>(), *log_sum_exp = lse.as<T>();
    parallel_rows(logits, [&](int64_t row) {
      if (target[row] == ignore_index) {
        loss[row] = log_sum_exp[2 * row] = log_sum_exp[2 * row + 1] = 0;
        return;
      }
      loss[row] = loss_of_row(logits.as<T>() + row * n, n, target[row], static_cast<T>(smoothing),
                              log_sum_exp + 2 * row);
    });
  });
}

void CpuBackend::cross_entropy_backward(const View& g, const View& logits, const View& targets,
                                        const View& lse, int64_t ignore_index, double smoothing,
                                        const View& dlogits) {
  const int64_t n = logits.sizes[1];
  const int64_t* target = targets.as<int64_t>();
  dispatch_float(logits.dtype, [&]<class T>() {
    const T everywhere = static_cast<T>(smoothing / static_cast<double>(n));
    const T at_target = static_cast<T>(1 - smoothing);
    parallel_rows(logits, [&](int64_t row) {
      const T* x = logits.as<T>() + row * n;
      T* dx = dlogits.as<T>() + row * n;
      if (target[row] == ignore_index) {
        std::fill_n(dx, n, T(0));
        return;
      }
      const T grad = g.as<T>()[row * g.strides[0]];
      const T max = lse.as<T>()[2 * row], log_sum = lse.as<T>()[2 * row + 1];
      for (int64_t j = 0; j < n; ++j)
        dx[j] = grad * (scalar::exp(x[j] - max - log_sum) - everywhere);
      dx[target[row]] -= grad * at_target;
    });
  });
}

}  // namespace gradus::cpu
