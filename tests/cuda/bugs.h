// Planted bugs: what a student gets wrong in CUDA, each small enough to see, and what must be said
// about it. bugs.cpp runs each in a process of its own, in the plain and in the checked emulator.
//
// In the source the guilty line ends in a comment, "BUG: name"; a report has to name that line.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "cuda/gpu.h"

namespace bugs {

struct Bug {
  const char* name;
  /// Does it; true if the results look right and no call failed.
  std::function<bool()> run;
  /// What the report of the checked build says. nullptr: the program is correct, and a report
  /// would be a false alarm. "": an error code from the call is all that CUDA gives.
  const char* report;
  simt::Loc where = simt::Loc::current();
};

std::vector<Bug> correct_programs();
std::vector<Bug> races();
std::vector<Bug> barriers();
std::vector<Bug> memory_errors();
std::vector<Bug> host_errors();
std::vector<Bug> stream_errors();

/// n elements of device memory, zero unless `fill` says otherwise.
template <class T>
T* device(std::size_t n, bool fill = true) {
  T* p = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&p), n * sizeof(T));
  if (fill) cudaMemset(p, 0, n * sizeof(T));
  return p;
}

template <class T>
std::vector<T> host(const T* p, std::size_t n) {
  std::vector<T> values(n);
  cudaMemcpy(values.data(), p, n * sizeof(T), cudaMemcpyDeviceToHost);
  return values;
}

/// Whether element i of y is expected(i), and nothing has failed.
template <class T, class F>
bool equals(const T* y, int n, F expected) {
  const std::vector<T> values = host(y, std::size_t(n));
  for (int i = 0; i < n; ++i) {
    if (values[std::size_t(i)] != T(expected(i))) return false;
  }
  return cudaDeviceSynchronize() == cudaSuccess;
}

inline bool succeeded() {
  const cudaError_t launch = cudaGetLastError();
  return launch == cudaSuccess && cudaDeviceSynchronize() == cudaSuccess;
}

}  // namespace bugs
