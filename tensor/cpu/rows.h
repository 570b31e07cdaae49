#pragma once
// What the row kernels share: maxima and sums along a contiguous row, written so that g++ and
// clang++ turn them into vector instructions. A sum in vector lanes is also the more exact one: the
// error grows with the length of a lane. Rows go to threads whole, so the order of a sum, and with
// it every bit, does not depend on the number of threads.
#include <type_traits>

#include "tensor/cpu/parallel.h"
#include "tensor/scalar_math.h"

namespace gradus::cpu {

/// f(row) for every row of x (N, C), where each element costs an exp: some four cheap operations.
template <class F>
void parallel_rows(const View& x, F&& f) {
  parallel_items(x.sizes[0], 4 * x.sizes[1], f);
}

/// The largest of x[0 … n), n > 0. NaN is skipped or comes out: the caller's exp(x - max) of a row
/// with NaN is NaN either way. A maximum may meet an element twice, so the last block overlaps the
/// one before it and leaves no tail to a scalar loop.
template <class T>
T row_max(const T* x, int64_t n) {
  constexpr int64_t lanes = 128 / sizeof(T);
  const auto larger = [](T a, T b) { return b > a ? b : a; };
  T best = x[0];
  if (n < lanes) {
    for (int64_t j = 1; j < n; ++j) best = larger(best, x[j]);
    return best;
  }
  T lane[lanes];
  for (int64_t l = 0; l < lanes; ++l) lane[l] = best;
  for (int64_t j = 0; j + lanes <= n; j += lanes)
    for (int64_t l = 0; l < lanes; ++l) lane[l] = larger(lane[l], x[j + l]);
  const T* last = x + n - lanes;
  for (int64_t l = 0; l < lanes; ++l) lane[l] = larger(lane[l], last[l]);
  for (int64_t half = lanes / 2; half > 0; half /= 2)
    for (int64_t l = 0; l < half; ++l) lane[l] = larger(lane[l], lane[l + half]);
  return lane[0];
}

// Sums of a block, in vector lanes: functions, because g++ 12 does not vectorise them in closures.
template <class T>
T block_sum(const T* x, int64_t n, T shift) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) sum += x[j] - shift;
  return sum;
}
template <class T>
T block_sum_squares(const T* x, int64_t n, T shift) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) sum += (x[j] - shift) * (x[j] - shift);
  return sum;
}

/// block(x, n, shift) of x in blocks, added up in double: a row of millions keeps its digits.
template <class T>
T in_blocks(T (*block)(const T* x, int64_t n, T shift), const T* x, int64_t n, T shift) {
  constexpr int64_t length = 1024;
  double total = 0;
  for (int64_t j = 0; j < n; j += length) total += block(x + j, std::min(length, n - j), shift);
  return static_cast<T>(total);
}

/// The sum of x_j - shift, and of its squares.
template <class T>
T row_sum(const T* x, int64_t n, T shift = T(0)) {
  return in_blocks(block_sum<T>, x, n, shift);
}
template <class T>
T row_sum_squares(const T* x, int64_t n, T shift) {
  return in_blocks(block_sum_squares<T>, x, n, shift);
}

/// The sum of exp(x_j - shift) over [0, n), and each of them in y if kStore. The library's exp for
/// double is a call, which no compiler vectorises: its loop is a plain one.
template <class T, bool kStore>
T row_sum_exp(const T* x, T shift, [[maybe_unused]] T* y, int64_t n) {
  T sum = 0;
  if constexpr (std::is_same_v<T, float>) {
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < n; ++j) {
      const T e = scalar::exp(x[j] - shift);
      if constexpr (kStore) y[j] = e;
      sum += e;
    }
  } else {
    for (int64_t j = 0; j < n; ++j) {
      const T e = scalar::exp(x[j] - shift);
      if constexpr (kStore) y[j] = e;
      sum += e;
    }
  }
  return sum;
}

}  // namespace gradus::cpu
