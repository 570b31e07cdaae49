#pragma once
// Two loops that many kernels share. The pragma allows the compiler to sum in vector lanes, here
// and nowhere else.
#include <cstdint>

namespace gradus::cpu {

/// sum_i a_i b_i
template <class T>
T dot(const T* a, const T* b, int64_t n) {
  T s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t i = 0; i < n; ++i) s += a[i] * b[i];
  return s;
}

/// y += c x
template <class T>
void axpy(T c, const T* x, T* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] += c * x[i];
}

}  // namespace gradus::cpu
