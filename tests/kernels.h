#pragma once
// What the tests of the CPU's kernels share. They call the backend directly, through views of
// std::vector memory, and compare with the formula written plainly in double.
#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <numeric>
#include <vector>

#include "tensor/cpu/cpu_backend.h"

namespace gradus::test {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Lengths around the widths of vector loops, and one that is many vectors and a tail.
inline constexpr int64_t kLengths[] = {1, 7, 8, 9, 31, 33, 1025};

template <class T>
inline constexpr DType kDType = F32;
template <>
inline constexpr DType kDType<double> = F64;
template <>
inline constexpr DType kDType<int64_t> = I64;

/// A contiguous tensor in a vector.
template <class T>
struct Array {
  std::vector<T> data;
  View view;

  explicit Array(std::vector<int64_t> sizes, T value = T(0)) {
    view.dtype = kDType<T>;
    view.ndim = static_cast<int>(sizes.size());
    int64_t stride = 1;
    for (int d = view.ndim - 1; d >= 0; --d) {
      view.sizes[d] = sizes[static_cast<size_t>(d)];
      view.strides[d] = stride;
      stride *= view.sizes[d];
    }
    data.assign(static_cast<size_t>(stride), value);
    view.data = data.data();
  }
  Array(const Array& other) : data(other.data), view(other.view) { view.data = data.data(); }
  Array& operator=(const Array& other) {
    data = other.data;
    view = other.view;
    view.data = data.data();
    return *this;
  }

  T& operator[](int64_t i) { return data[static_cast<size_t>(i)]; }
  const T& operator[](int64_t i) const { return data[static_cast<size_t>(i)]; }
  int64_t size() const { return static_cast<int64_t>(data.size()); }
  bool same_bits(const Array& other) const {
    if (data.empty() || other.data.empty()) return data.empty() == other.data.empty();
    return size() == other.size() &&
           std::memcmp(data.data(), other.data.data(), data.size() * sizeof(T)) == 0;
  }
};

/// Numbers in [-3, 3] without a pattern; another `salt` gives others.
template <class T>
Array<T> scattered(std::vector<int64_t> sizes, uint64_t salt = 1) {
  Array<T> a(std::move(sizes));
  uint64_t state = salt * 0x9E3779B97F4A7C15u + 1;
  for (T& x : a.data) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = static_cast<T>(static_cast<double>(state >> 40) / 16777216.0 * 6 - 3);
  }
  return a;
}

/// The view with two dimensions exchanged.
inline View transposed(View v, int a, int b) {
  std::swap(v.sizes[a], v.sizes[b]);
  std::swap(v.strides[a], v.strides[b]);
  return v;
}

/// Runs f() on one thread, then on 2, 3 and 16; CHECKs that all return the same bits.
template <class F>
void on_any_threads(F&& f) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto expected = f();
  for (int n : {2, 3, 16}) {
    omp_set_num_threads(n);
    const auto got = f();
    for (size_t i = 0; i < expected.size(); ++i) CHECK(got[i].same_bits(expected[i]));
  }
  omp_set_num_threads(threads);
}

/// Is `got` within `tolerance` of `expected`, relative to max(1, |expected|)? NaN equals NaN.
inline bool close(double got, double expected, double tolerance) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (std::isinf(expected)) return got == expected;
  return std::abs(got - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

/// How far F32 and F64 kernels may be from the reference.
template <class T>
inline constexpr double kTolerance = sizeof(T) == 4 ? 2e-6 : 1e-13;

/// The first element that is not close, or nothing: one CHECK for an array.
template <class T, class F>
void check_close(const Array<T>& got, F&& expected, double tolerance = kTolerance<T>) {
  for (int64_t i = 0; i < got.size(); ++i) {
    const double want = expected(i), have = static_cast<double>(got[i]);
    if (close(have, want, tolerance)) continue;
    CAPTURE(i);
    CAPTURE(got.size());
    CHECK(have == want);
    return;
  }
  CHECK(got.size() > 0);
}

}  // namespace gradus::test
