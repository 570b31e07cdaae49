// Rotary position embedding of packed q, k and v: autograd/ops.h has the formula. Its sines are
// the same for all texts and heads. So one kernel makes a table of them, in double, and another,
// bound by memory, turns the pairs.
#include "tensor/rotary.h"

#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "cuda/scratch.h"

namespace gradus::cuda {

/// table (T, D): for each position the cosines of its D / 2 angles, then their sines. A thread
/// writes 8 bytes for an angle; the arithmetic in double is what it costs.
template <class T>
__global__ void rotary_table_kernel(int64_t first_position, int64_t positions, int64_t half,
                                    double base, double direction, T* table) {
  for (int64_t n = first_element(); n < positions * half; n += element_step()) {
    const int64_t t = n / half, i = n % half;
    const double angle =
        static_cast<double>(first_position + t) * rotary_frequency(i, 2 * half, base);
    table[2 * half * t + i] = static_cast<T>(std::cos(angle));
    table[2 * half * t + half + i] = static_cast<T>(direction * std::sin(angle));
  }
}

/// A thread turns one pair of q or k, or copies one of v: reads 8, writes 8. The table comes from
/// the cache. `vectors` (3 H) of half pairs each belong to one position of one text.
template <class T>
__global__ void rotary_kernel(const T* x, const T* table, int64_t rows, int64_t positions,
                              int64_t vectors, int64_t half, T* out) {
  for (int64_t n = first_element(); n < rows * vectors * half; n += element_step()) {
    const int64_t i = n % half, vector = n / half, row = vector / vectors;
    const int64_t at = 2 * half * vector + i;
    const T first = x[at], second = x[at + half];
    const bool turned = vector % vectors < vectors / 3 * 2;
    const T* const turn = table + row % positions * 2 * half;
    out[at] = turned ? first * turn[i] - second * turn[half + i] : first;
    out[at + half] = turned ? second * turn[i] + first * turn[half + i] : second;
  }
}

void CudaBackend::rotary(const View& qkv, int64_t first_position, double base, double direction,
                         const View& out) {
  if (qkv.numel() == 0) return;
  const int64_t positions = qkv.sizes[1], vectors = qkv.sizes[2], half = qkv.sizes[3] / 2;
  const int64_t rows = qkv.sizes[0] * positions;
  dispatch_float(qkv.dtype, [&]<class T>() {
    const Scratch<T> table(*this, 2 * positions * half);
    launch<rotary_table_kernel<T>>(elements(positions * half, stream()), first_position, positions,
                                   half, base, direction, table.data());
    launch<rotary_kernel<T>>(elements(rows * vectors * half, stream()), qkv.as<T>(), table.data(),
                             rows, positions, vectors, half, out.as<T>());
  });
}

}  // namespace gradus::cuda
