// Filling with uniform and normal numbers, and dropout, from Philox blocks (tensor/philox.h says
// which block makes which element).
//   uniform: low + (high - low) u      normal: mean + std z      dropout: x keep / (1 - p)
// Philox has no state to pass on, so blocks are made a batch at a time in one vector loop, and
// element i gets the same number whichever thread makes it.
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace gradus::cpu {
namespace {

constexpr int64_t kBatch = 64;          // blocks made at once
constexpr int64_t kRandomGrain = 2048;  // a random number costs several elements of cheap work

/// f(blocks, begin, end) for batches that cover elements [0, n), `lanes` elements a block.
template <class F>
void for_batches(PhiloxKey key, int64_t n, int64_t lanes, F&& f) {
  const int64_t batch = lanes * kBatch;
  parallel_for(
      n, kRandomGrain,
      [&](int64_t from, int64_t to) {
        PhiloxBlock blocks[kBatch];
        for (int64_t begin = from; begin < to; begin += batch) {
          const auto first = static_cast<uint64_t>(begin / lanes);
#pragma omp simd
          for (int64_t j = 0; j < kBatch; ++j)
            blocks[j] = philox(key, first + static_cast<uint64_t>(j));
          f(blocks, begin, std::min(to, begin + batch));
        }
      },
      batch);
}

}  // namespace

void CpuBackend::uniform(PhiloxKey key, double low, double high, const View& out) {
  dispatch_float(out.dtype, [&]<class T>() {
    const T from = static_cast<T>(low), to = static_cast<T>(high);
    constexpr int64_t lanes = kPhiloxLanes<T>;
    for_batches(key, out.numel(), lanes,
                [&](const PhiloxBlock* blocks, int64_t begin, int64_t end) {
                  T* const y = out.as<T>() + begin;
                  for (int64_t j = 0; j < end - begin; ++j)
                    y[j] = uniform_between(uniform_lane<T>(blocks[j / lanes], j % lanes), from, to);
                });
  });
}

void CpuBackend::normal(PhiloxKey key, double mean, double std, const View& out) {
  dispatch_float(out.dtype, [&]<class T>() {
    const T center = static_cast<T>(mean), width = static_cast<T>(std);
    constexpr int64_t lanes = kPhiloxLanes<T>;
    for_batches(key, out.numel(), lanes,
                [&](const PhiloxBlock* blocks, int64_t begin, int64_t end) {
                  T* const y = out.as<T>() + begin;
                  for (int64_t j = 0; j < end - begin; j += 2) {
                    const PhiloxBlock& block = blocks[j / lanes];
                    const int64_t lane = j % lanes;
                    const auto z =
                        box_muller(uniform_lane<T>(block, lane), uniform_lane<T>(block, lane + 1));
                    y[j] = center + width * z.first;
                    if (j + 1 < end - begin) y[j + 1] = center + width * z.second;
                  }
                });
  });
}

void CpuBackend::dropout(PhiloxKey key, double p, const View& x, const View& out) {
  dispatch_float(out.dtype, [&]<class T>() {
    const float drop = static_cast<float>(p);
    const T scale = static_cast<T>(1 / (1 - p));
    for_batches(key, out.numel(), 4, [&](const PhiloxBlock* blocks, int64_t begin, int64_t end) {
      const T* const from = x.as<T>() + begin;
      T* const to = out.as<T>() + begin;
      for (int64_t j = 0; j < end - begin; ++j)
        to[j] = from[j] * (dropout_keeps(blocks[j / 4], j % 4, drop) ? scale : T(0));
    });
  });
}

}  // namespace gradus::cpu
