// Filling with uniform and normal numbers, and dropout, from Philox blocks (tensor/philox.h says
// which block makes which element): the CPU's numbers, since a block is a function of the key and
// its position alone. A thread makes a block, 16 bytes of numbers, and writes its elements; a warp
// writes 512 bytes in a row. Nothing is read, so the arithmetic of Philox and of the logarithm
// counts here, not the memory.
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"

namespace gradus::cuda {

/// low + (high - low) u: writes 4 bytes an element.
template <class T>
__global__ void uniform_kernel(PhiloxKey key, T low, T high, T* out, int64_t n, int64_t blocks) {
  constexpr int numbers = kPhiloxNumbers<T>;
  for (int64_t b = first_element(); b < blocks; b += element_step()) {
    const PhiloxBlock block = philox(key, static_cast<uint64_t>(b));
    T* to = out + b * numbers;
    for (int j = 0; j < numbers; ++j)
      if (b * numbers + j < n) to[j] = uniform_between(uniform_number<T>(block.word, j), low, high);
  }
}

/// mean + std z, in pairs: writes 4 bytes an element.
template <class T>
__global__ void normal_kernel(PhiloxKey key, T mean, T std, T* out, int64_t n, int64_t blocks) {
  constexpr int numbers = kPhiloxNumbers<T>;
  for (int64_t b = first_element(); b < blocks; b += element_step()) {
    const PhiloxBlock block = philox(key, static_cast<uint64_t>(b));
    T* to = out + b * numbers;
    for (int j = 0; j < numbers; j += 2) {
      const auto z =
          box_muller(uniform_number<T>(block.word, j), uniform_number<T>(block.word, j + 1));
      if (b * numbers + j < n) to[j] = mean + std * z.first;
      if (b * numbers + j + 1 < n) to[j + 1] = mean + std * z.second;
    }
  }
}

/// x keep / (1 - p): reads 4, writes 4.
template <class T>
__global__ void dropout_kernel(PhiloxKey key, float p, T scale, const T* x, T* out, int64_t n,
                               int64_t blocks) {
  for (int64_t b = first_element(); b < blocks; b += element_step()) {
    const PhiloxBlock block = philox(key, static_cast<uint64_t>(b));
    for (int64_t i = 4 * b; i < 4 * b + 4 && i < n; ++i)
      out[i] = x[i] * (dropout_keeps(block.word[i - 4 * b], p) ? scale : T(0));
  }
}

void CudaBackend::uniform(PhiloxKey key, double low, double high, const View& out) {
  const int64_t n = out.numel();
  if (n == 0) return;
  dispatch_float(out.dtype, [&]<class T>() {
    const int64_t blocks = (n + kPhiloxNumbers<T> - 1) / kPhiloxNumbers<T>;
    launch<uniform_kernel<T>>(elements(blocks, stream()), key, static_cast<T>(low),
                              static_cast<T>(high), out.as<T>(), n, blocks);
  });
}

void CudaBackend::normal(PhiloxKey key, double mean, double std, const View& out) {
  const int64_t n = out.numel();
  if (n == 0) return;
  dispatch_float(out.dtype, [&]<class T>() {
    const int64_t blocks = (n + kPhiloxNumbers<T> - 1) / kPhiloxNumbers<T>;
    launch<normal_kernel<T>>(elements(blocks, stream()), key, static_cast<T>(mean),
                             static_cast<T>(std), out.as<T>(), n, blocks);
  });
}

void CudaBackend::dropout(PhiloxKey key, double p, const View& x, const View& out) {
  const int64_t n = out.numel(), blocks = (n + 3) / 4;
  if (n == 0) return;
  dispatch_float(out.dtype, [&]<class T>() {
    launch<dropout_kernel<T>>(elements(blocks, stream()), key, static_cast<float>(p),
                              static_cast<T>(1 / (1 - p)), x.as<T>(), out.as<T>(), n, blocks);
  });
}

}  // namespace gradus::cuda
