#pragma once
// Loops that many kernels share. The pragma allows the compiler to sum in vector lanes, here and
// nowhere else. (They are functions because g++ 12 does not vectorise closures.)
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

/// sums[r] = sum_i m[r ld + i] x_i for four rows: every element of x is loaded once for all four.
template <class T>
void dot4(const T* m0, int64_t ld, const T* x, int64_t n, T* sums) {
  const T *m1 = m0 + ld, *m2 = m1 + ld, *m3 = m2 + ld;
  T s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
  for (int64_t i = 0; i < n; ++i) {
    s0 += m0[i] * x[i];
    s1 += m1[i] * x[i];
    s2 += m2[i] * x[i];
    s3 += m3[i] * x[i];
  }
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

/// y_i += sum_r c[r] m[r ld + i] for four rows: y is loaded and stored once for all four.
template <class T>
void axpy4(const T* c, const T* m0, int64_t ld, T* y, int64_t n) {
  const T *m1 = m0 + ld, *m2 = m1 + ld, *m3 = m2 + ld;
  const T c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3];
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] += c0 * m0[i] + c1 * m1[i] + c2 * m2[i] + c3 * m3[i];
}

}  // namespace gradus::cpu
