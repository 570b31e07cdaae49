// Cross-entropy of the rows of logits x (N, C) with class indices t (N), smoothing s; the formulas
// are in tensor/cpu/cross_entropy.cpp. One block works on one row; the row of GPT-2's 50,257
// logits is 200 KB, which the second pass finds in the L2 cache. Only max and ln sum e^d are kept
// for backward.
#include "cuda/block_reduce.h"
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"

namespace gradus::cuda {

/// Does the row of this target count? One that is out of range is ignored, too: check_indices.cu
/// has made a note of it, and the error comes later.
__device__ inline bool counts(int64_t target, int64_t ignore_index, int64_t classes) {
  return target != ignore_index && target >= 0 && target < classes;
}

/// With d = x - max: loss = ln sum e^d - (1 - s) d_t - s mean(d), and lse = (max, ln sum e^d).
/// Reads x: 4 bytes an element in F32, and writes next to nothing. Ignored rows: 0.
template <class T>
__global__ void cross_entropy_kernel(const T* x, const int64_t* targets, int64_t ignore_index,
                                     T smoothing, T* losses, T* lse, int64_t rows, int64_t n) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const int64_t target = targets[row];
    if (!counts(target, ignore_index, n)) {  // so for the whole block: no barrier is missed
      if (threadIdx.x == 0) losses[row] = lse[2 * row] = lse[2 * row + 1] = T(0);
      continue;
    }
    const T* from = x + row * n;
    T best = -std::numeric_limits<T>::infinity(), sum_exp = 0, sum = 0;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) best = scalar::Maximum{}(best, from[j]);
    best = block_max(best);
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
      sum_exp += scalar::exp(from[j] - best);
      sum += from[j] - best;
    }
    const T log_sum = std::log(block_sum(sum_exp));
    sum = block_sum(sum);
    if (threadIdx.x != 0) continue;
    T loss = log_sum - (T(1) - smoothing) * (from[target] - best);
    // Without smoothing the mean must not be touched: 0 times an infinite logit is NaN.
    if (smoothing != T(0)) loss -= smoothing * sum / static_cast<T>(n);
    losses[row] = loss;
    lse[2 * row] = best, lse[2 * row + 1] = log_sum;
  }
}

/// dx_j = g (e^(x_j - lse) - s / C - (1 - s) [j = t]). Reads x, writes dx: 8 bytes an element.
template <class T>
__global__ void cross_entropy_backward_kernel(const T* g, int64_t g_stride, const T* x,
                                              const int64_t* targets, const T* lse,
                                              int64_t ignore_index, T at_target, T everywhere,
                                              T* dx, int64_t rows, int64_t n) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const int64_t target = targets[row];
    const bool counted = counts(target, ignore_index, n);
    const T grad = g[row * g_stride], best = lse[2 * row], log_sum = lse[2 * row + 1];
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
      const T p = scalar::exp(x[row * n + j] - best - log_sum);
      const T d = grad * (p - everywhere) - (j == target ? grad * at_target : T(0));
      dx[row * n + j] = counted ? d : T(0);
    }
  }
}

void CudaBackend::cross_entropy(const View& logits, const View& targets, int64_t ignore_index,
                                double smoothing, const View& losses, const View& lse) {
  const int64_t rows = logits.sizes[0], n = logits.sizes[1];
  if (rows == 0) return;
  dispatch_float(logits.dtype, [&]<class T>() {
    launch<cross_entropy_kernel<T>>(
        {blocks_for(rows), threads_for_row(n), 0, stream()}, logits.as<T>(), targets.as<int64_t>(),
        ignore_index, static_cast<T>(smoothing), losses.as<T>(), lse.as<T>(), rows, n);
  });
}

void CudaBackend::cross_entropy_backward(const View& g, const View& logits, const View& targets,
                                         const View& lse, int64_t ignore_index, double smoothing,
                                         const View& dlogits) {
  const int64_t rows = logits.sizes[0], n = logits.sizes[1];
  if (rows == 0 || n == 0) return;
  dispatch_float(logits.dtype, [&]<class T>() {
    const T everywhere = static_cast<T>(smoothing / static_cast<double>(n));
    const T at_target = static_cast<T>(1 - smoothing);
    launch<cross_entropy_backward_kernel<T>>({blocks_for(rows), threads_for_row(n), 0, stream()},
                                             g.as<T>(), g.strides[0], logits.as<T>(),
                                             targets.as<int64_t>(), lse.as<T>(), ignore_index,
                                             at_target, everywhere, dlogits.as<T>(), rows, n);
  });
}

}  // namespace gradus::cuda
