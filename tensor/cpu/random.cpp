// Filling with uniform and normal numbers, and dropout, from Philox blocks (tensor/philox.h says
// which block makes which element).
//   uniform: low + (high - low) u      normal: mean + std z      dropout: x keep / (1 - p)
// Philox has no state to pass on, so blocks are made a batch at a time in one vector loop, and
// element i gets the same number whichever thread makes it.
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace gradus::cpu {
namespace {

constexpr int64_t kBatch = 64;  // blocks made at once
constexpr int64_t kCost = 4;    // a random number costs several elements of cheap work

// A function of its own, so that the loop sees nothing but its arguments and vectorises.
[[gnu::noinline]] void make_blocks(PhiloxKey key, uint64_t first, uint32_t* words) {
#pragma omp simd
  for (int64_t j = 0; j < kBatch; ++j) {
    const PhiloxBlock block = philox(key, first + static_cast<uint64_t>(j));
    words[4 * j] = block.word[0];
    words[4 * j + 1] = block.word[1];
    words[4 * j + 2] = block.word[2];
    words[4 * j + 3] = block.word[3];
  }
}

/// f(words, begin, end) for batches that cover elements [0, n), `per_block` elements a block.
template <class F>
void for_batches(PhiloxKey key, int64_t n, int64_t per_block, F&& f) {
  const int64_t batch = per_block * kBatch;
  parallel_for(
      n, kCost,
      [&](int64_t from, int64_t to) {
        uint32_t words[4 * kBatch];
        for (int64_t begin = from; begin < to; begin += batch) {
          make_blocks(key, static_cast<uint64_t>(begin / per_block), words);
          f(words, begin, std::min(to, begin + batch));
        }
      },
      batch);
}

template <class T>
void uniform_range(const uint32_t* words, T low, T high, T* y, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) y[j] = uniform_between(uniform_number<T>(words, j), low, high);
}

template <class T>
void normal_range(const uint32_t* words, T mean, T std, T* y, int64_t n) {
  for (int64_t j = 0; j < n; j += 2) {
    const auto z = box_muller(uniform_number<T>(words, j), uniform_number<T>(words, j + 1));
    y[j] = mean + std * z.first;
    if (j + 1 < n) y[j + 1] = mean + std * z.second;
  }
}

template <class T>
void dropout_range(const uint32_t* words, float p, T scale, const T* x, T* y, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) y[j] = x[j] * (dropout_keeps(words[j], p) ? scale : T(0));
}

}  // namespace

void CpuBackend::uniform(PhiloxKey key, double low, double high, const View& out) {
  dispatch_float(out.dtype, [&]<class T>() {
    for_batches(key, out.numel(), kPhiloxNumbers<T>,
                [&](const uint32_t* words, int64_t begin, int64_t end) {
                  uniform_range(words, static_cast<T>(low), static_cast<T>(high),
                                out.as<T>() + begin, end - begin);
                });
  });
}

void CpuBackend::normal(PhiloxKey key, double mean, double std, const View& out) {
  dispatch_float(out.dtype, [&]<class T>() {
    for_batches(key, out.numel(), kPhiloxNumbers<T>,
                [&](const uint32_t* words, int64_t begin, int64_t end) {
                  normal_range(words, static_cast<T>(mean), static_cast<T>(std),
                               out.as<T>() + begin, end - begin);
                });
  });
}

void CpuBackend::dropout(PhiloxKey key, double p, const View& x, const View& out) {
  dispatch_float(out.dtype, [&]<class T>() {
    const T scale = static_cast<T>(1 / (1 - p));
    for_batches(key, out.numel(), 4, [&](const uint32_t* words, int64_t begin, int64_t end) {
      dropout_range(words, static_cast<float>(p), scale, x.as<T>() + begin, out.as<T>() + begin,
                    end - begin);
    });
  });
}

}  // namespace gradus::cpu
