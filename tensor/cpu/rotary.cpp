// Rotary position embedding of packed q, k and v: autograd/ops.h has the formula. A sine costs as
// much as many multiplications, so those of each position are computed once per call, and used for
// all texts and heads.
#include "tensor/rotary.h"

#include <vector>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace gradus::cpu {
namespace {

constexpr int64_t kSineCost = 16;  // in elements of a cheap loop

/// (T, D): for each position the cosines of its D / 2 angles, then their sines.
template <class T>
std::vector<T> turns(int64_t first_position, int64_t positions, int64_t d, double base,
                     double direction) {
  const int64_t half = d / 2;
  std::vector<double> frequency(static_cast<size_t>(half));
  for (int64_t i = 0; i < half; ++i) frequency[i] = rotary_frequency(i, d, base);
  std::vector<T> table(static_cast<size_t>(positions * d));
  parallel_items(positions, d * kSineCost, [&](int64_t t) {
    T* const cosine = table.data() + t * d;
    for (int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(first_position + t) * frequency[i];
      cosine[i] = static_cast<T>(std::cos(angle));
      cosine[half + i] = static_cast<T>(direction * std::sin(angle));
    }
  });
  return table;
}

/// One head of one position: the first half of its channels beside the second.
template <class T>
void turn(const T* x, const T* cosine, const T* sine, int64_t half, T* out) {
#pragma omp simd
  for (int64_t i = 0; i < half; ++i) {
    out[i] = x[i] * cosine[i] - x[half + i] * sine[i];
    out[half + i] = x[half + i] * cosine[i] + x[i] * sine[i];
  }
}

}  // namespace

void CpuBackend::rotary(const View& qkv, int64_t first_position, double base, double direction,
                        const View& out) {
  const int64_t texts = qkv.sizes[0], positions = qkv.sizes[1], d = qkv.sizes[3];
  const int64_t turned = qkv.sizes[2] / 3 * 2, width = qkv.sizes[2] * d;
  dispatch_float(qkv.dtype, [&]<class T>() {
    const std::vector<T> table = turns<T>(first_position, positions, d, base, direction);
    parallel_items(texts * positions, width, [&](int64_t row) {
      const T* const from = qkv.as<T>() + row * width;
      const T* const cosine = table.data() + row % positions * d;
      T* const to = out.as<T>() + row * width;
      for (int64_t head = 0; head < turned; ++head)
        turn(from + head * d, cosine, cosine + d / 2, d / 2, to + head * d);
      std::copy(from + turned * d, from + width, to + turned * d);
    });
  });
}

}  // namespace gradus::cpu
