// Softmax, log-softmax and layer normalisation of the rows of x (N, C), with their gradients: the
// formulas are in tensor/cpu/softmax.cpp and tensor/cpu/layer_norm.cpp.
//
// One block works on one row: its threads walk the row in steps of the block's size, so that the 32
// lanes of a warp read 32 neighbours, and what they found is combined by block_reduce. A row is
// read several times, but only once from memory, then from the cache. None of these kernels does
// more than a few operations per byte, so all are bound by memory: what counts is bytes moved.
#include <algorithm>

#include "cuda/block_reduce.h"
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "cuda/scratch.h"

namespace gradus::cuda {

// ---- Softmax ------------------------------------------------------------------------------------

/// Reads x, writes y: 8 bytes an element in F32. Three passes: maximum, sum of e^(x - max), result.
template <class T>
__global__ void softmax_kernel(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* from = x + row * n;
    T* to = y + row * n;
    T best = -std::numeric_limits<T>::infinity(), sum = 0;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) best = scalar::Maximum{}(best, from[j]);
    best = block_max(best);
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
      to[j] = scalar::exp(from[j] - best);
      sum += to[j];
    }
    const T scale = T(1) / block_sum(sum);
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) to[j] *= scale;  // its own elements
  }
}

/// Reads g and y, writes dx = y (g - sum g y): 12 bytes an element.
template <class T>
__global__ void softmax_backward_kernel(const T* g, const T* y, T* dx, int64_t rows, int64_t n) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T *grad = g + row * n, *value = y + row * n;
    T sum = 0;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) sum += grad[j] * value[j];
    sum = block_sum(sum);
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x)
      dx[row * n + j] = value[j] * (grad[j] - sum);
  }
}

/// x - max - ln sum: what is near the maximum stays exact; max + ln sum would round it away.
template <class T>
__global__ void log_softmax_kernel(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* from = x + row * n;
    T best = -std::numeric_limits<T>::infinity(), sum = 0;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) best = scalar::Maximum{}(best, from[j]);
    best = block_max(best);
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) sum += scalar::exp(from[j] - best);
    const T log_sum = std::log(block_sum(sum));
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) y[row * n + j] = from[j] - best - log_sum;
  }
}

/// dx = g - e^y sum g
template <class T>
__global__ void log_softmax_backward_kernel(const T* g, const T* y, T* dx, int64_t rows,
                                            int64_t n) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T *grad = g + row * n, *value = y + row * n;
    T sum = 0;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) sum += grad[j];
    sum = block_sum(sum);
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x)
      dx[row * n + j] = grad[j] - scalar::exp(value[j]) * sum;
  }
}

// ---- Normalisation: layer_norm, and without a mean and a bias rms_norm --------------------------

/// Reads x, writes y: 8 bytes an element; weight and bias stay in the cache. The mean is a sum of
/// x - x_0, which keeps the digits that a common offset would cost; the variance is a second pass
/// over (x - mean)^2, since E[x^2] - E[x]^2 would cancel. bias and mean are null unless centred.
template <bool centred, class T>
__global__ void norm_kernel(const T* x, const T* weight, const T* bias, T eps, T* y, T* mean,
                            T* rstd, int64_t rows, int64_t n) {
  const T count = static_cast<T>(n);
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* from = x + row * n;
    T m = 0, squares = 0;
    if constexpr (centred) {
      const T first = from[0];
      T sum = 0;
      for (int64_t j = threadIdx.x; j < n; j += blockDim.x) sum += from[j] - first;
      m = first + block_sum(sum) / count;
    }
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) squares += (from[j] - m) * (from[j] - m);
    const T r = T(1) / std::sqrt(block_sum(squares) / count + eps);
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
      T value = (from[j] - m) * r * weight[j];
      if constexpr (centred) value += bias[j];
      y[row * n + j] = value;
    }
    if (threadIdx.x == 0) {
      rstd[row] = r;
      if constexpr (centred) mean[row] = m;
    }
  }
}

/// dx = r (h - mean(h) - z mean(h z)), h = g w, z = (x - mean) r, mean(h) only if centred: reads g
/// and x, writes dx.
template <bool centred, class T>
__global__ void norm_dx_kernel(const T* g, const T* x, const T* weight, const T* mean,
                               const T* rstd, T* dx, int64_t rows, int64_t n) {
  const T count = static_cast<T>(n);
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T *grad = g + row * n, *from = x + row * n;
    T m = 0;
    if constexpr (centred) m = mean[row];
    const T r = rstd[row];
    T sum_h = 0, sum_hz = 0;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
      const T h = grad[j] * weight[j];
      sum_h += h;
      sum_hz += h * ((from[j] - m) * r);
    }
    T mean_h = 0;
    if constexpr (centred) mean_h = block_sum(sum_h) / count;
    const T mean_hz = block_sum(sum_hz) / count;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x)
      dx[row * n + j] = r * (grad[j] * weight[j] - mean_h - (from[j] - m) * r * mean_hz);
  }
}

// The gradients of weight and bias are sums down the columns. A block takes 32 columns, so that the
// lanes of a warp read neighbours, and one part of the rows, of which each of its 8 warps adds
// every eighth. The parts' sums go to memory, and a second kernel adds them in order. How the rows
// are cut depends on their number alone: the same bits in every run, without atomics.
constexpr int kColumns = 32, kWarps = 8;
constexpr int64_t kPartRows = 64, kMaxParts = 128;

/// partial (parts, 2, n): the sums over the part's rows of g z and of g.
template <bool centred, class T>
__global__ void norm_parts_kernel(const T* g, const T* x, const T* mean, const T* rstd, T* partial,
                                  int64_t rows, int64_t n) {
  SHARED(T, dweight, [kWarps][kColumns]);
  SHARED(T, dbias, [kWarps][kColumns]);
  const unsigned lane = threadIdx.x, warp = threadIdx.y;
  const int64_t column = int64_t(blockIdx.x) * kColumns + lane;
  const int64_t part = blockIdx.y, parts = gridDim.y;
  const int64_t end = rows * (part + 1) / parts;
  T sum_gz = 0, sum_g = 0;
  if (column < n)
    for (int64_t row = rows * part / parts + warp; row < end; row += kWarps) {
      const T grad = g[row * n + column];
      T m = 0;
      if constexpr (centred) m = mean[row];
      sum_gz += grad * ((x[row * n + column] - m) * rstd[row]);
      sum_g += grad;
    }
  dweight[warp][lane] = sum_gz;
  dbias[warp][lane] = sum_g;
  __syncthreads();
  if (warp != 0 || column >= n) return;
  for (int other = 1; other < kWarps; ++other) {
    sum_gz += dweight[other][lane];
    sum_g += dbias[other][lane];
  }
  partial[2 * part * n + column] = sum_gz;
  partial[(2 * part + 1) * n + column] = sum_g;
}

/// One thread per column adds the parts: reads 2 * parts numbers, writes 2 (1 if not centred).
template <bool centred, class T>
__global__ void norm_add_parts_kernel(const T* partial, T* dweight, T* dbias, int64_t parts,
                                      int64_t n) {
  const int64_t column = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= n) return;
  T sum_gz = 0, sum_g = 0;
  for (int64_t part = 0; part < parts; ++part) {
    sum_gz += partial[2 * part * n + column];
    sum_g += partial[(2 * part + 1) * n + column];
  }
  dweight[column] = sum_gz;
  if constexpr (centred) dbias[column] = sum_g;
}

// ---- The backend's calls ------------------------------------------------------------------------

namespace {

/// {blocks, threads} for a kernel that gives each row of x (N, C) a block.
LaunchConfig per_row(const View& x, cudaStream_t stream) {
  return {blocks_for(x.sizes[0]), threads_for_row(x.sizes[1]), 0, stream};
}

}  // namespace

void CudaBackend::softmax(const View& x, const View& out) {
  if (x.numel() == 0) return;
  dispatch_float(x.dtype, [&]<class T>() {
    launch<softmax_kernel<T>>(per_row(x, stream()), x.as<T>(), out.as<T>(), x.sizes[0], x.sizes[1]);
  });
}

void CudaBackend::softmax_backward(const View& g, const View& y, const View& dx) {
  if (y.numel() == 0) return;
  dispatch_float(y.dtype, [&]<class T>() {
    launch<softmax_backward_kernel<T>>(per_row(y, stream()), g.as<T>(), y.as<T>(), dx.as<T>(),
                                       y.sizes[0], y.sizes[1]);
  });
}

void CudaBackend::log_softmax(const View& x, const View& out) {
  if (x.numel() == 0) return;
  dispatch_float(x.dtype, [&]<class T>() {
    launch<log_softmax_kernel<T>>(per_row(x, stream()), x.as<T>(), out.as<T>(), x.sizes[0],
                                  x.sizes[1]);
  });
}

void CudaBackend::log_softmax_backward(const View& g, const View& y, const View& dx) {
  if (y.numel() == 0) return;
  dispatch_float(y.dtype, [&]<class T>() {
    launch<log_softmax_backward_kernel<T>>(per_row(y, stream()), g.as<T>(), y.as<T>(), dx.as<T>(),
                                           y.sizes[0], y.sizes[1]);
  });
}

namespace {

template <bool centred, class T>
void norm(const View& x, const View& weight, const View& bias, double eps, const View& out,
          const View& mean, const View& rstd) {
  if (x.numel() == 0) return;
  launch<norm_kernel<centred, T>>(per_row(x, CudaBackend::stream()), x.as<T>(), weight.as<T>(),
                                  bias.as<T>(), static_cast<T>(eps), out.as<T>(), mean.as<T>(),
                                  rstd.as<T>(), x.sizes[0], x.sizes[1]);
}

template <bool centred, class T>
void norm_backward(CudaBackend& backend, const View& g, const View& x, const View& weight,
                   const View& mean, const View& rstd, const View& dx, const View& dweight,
                   const View& dbias) {
  const int64_t rows = x.sizes[0], n = x.sizes[1];
  const cudaStream_t stream = CudaBackend::stream();
  if (n == 0) return;
  if (rows > 0)
    launch<norm_dx_kernel<centred, T>>(per_row(x, stream), g.as<T>(), x.as<T>(), weight.as<T>(),
                                       mean.as<T>(), rstd.as<T>(), dx.as<T>(), rows, n);
  const int64_t parts = std::min(std::max<int64_t>(rows / kPartRows, 1), kMaxParts);
  const Scratch<T> partial(backend, 2 * parts * n);
  launch<norm_parts_kernel<centred, T>>(
      {dim3(static_cast<unsigned>((n + kColumns - 1) / kColumns), static_cast<unsigned>(parts)),
       dim3(kColumns, kWarps), 0, stream},
      g.as<T>(), x.as<T>(), mean.as<T>(), rstd.as<T>(), partial.data(), rows, n);
  constexpr int threads = 128;
  launch<norm_add_parts_kernel<centred, T>>({(n + threads - 1) / threads, threads, 0, stream},
                                            partial.data(), dweight.as<T>(), dbias.as<T>(), parts,
                                            n);
}

}  // namespace

void CudaBackend::layer_norm(const View& x, const View& weight, const View& bias, double eps,
                             const View& out, const View& mean, const View& rstd) {
  dispatch_float(x.dtype, [&]<class T>() { norm<true, T>(x, weight, bias, eps, out, mean, rstd); });
}
void CudaBackend::layer_norm_backward(const View& g, const View& x, const View& weight,
                                      const View& mean, const View& rstd, const View& dx,
                                      const View& dweight, const View& dbias) {
  dispatch_float(x.dtype, [&]<class T>() {
    norm_backward<true, T>(*this, g, x, weight, mean, rstd, dx, dweight, dbias);
  });
}

void CudaBackend::rms_norm(const View& x, const View& weight, double eps, const View& out,
                           const View& rstd) {
  dispatch_float(x.dtype, [&]<class T>() { norm<false, T>(x, weight, {}, eps, out, {}, rstd); });
}
void CudaBackend::rms_norm_backward(const View& g, const View& x, const View& weight,
                                    const View& rstd, const View& dx, const View& dweight) {
  dispatch_float(x.dtype, [&]<class T>() {
    norm_backward<false, T>(*this, g, x, weight, {}, rstd, dx, dweight, {});
  });
}

}  // namespace gradus::cuda
