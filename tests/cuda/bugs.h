// Planted bugs: what students get wrong in CUDA, each small enough to take in, and what the report
// must say about it. bugs.cpp runs each in a process of its own, on the plain and on the checked
// emulator.
//
// The guilty line ends with a comment, "BUG: name". The report has to name that line.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "cuda/gpu.h"

namespace bugs {

struct Bug {
  const char* name;
  /// Runs it. True if the results look right and no call failed.
  std::function<bool()> run;
  /// A part of the checked build's report. nullptr: the program is correct, and a report would be a
  /// false alarm.
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

/// Whether element i of y is expected(i) and nothing has failed.
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
