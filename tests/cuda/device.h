// What the tests of CUDA share: device memory as a C++ object, and the schedules that the emulator
// knows. On a GPU there is one schedule, the GPU's.
#pragma once
#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "cuda/gpu.h"

/// Device memory that frees itself.
template <class T>
class Device {
 public:
  explicit Device(std::size_t n) : size_(n) {
    CHECK(cudaMalloc(&data_, n * sizeof(T)) == cudaSuccess);
  }
  explicit Device(const std::vector<T>& host) : Device(host.size()) {
    CHECK(cudaMemcpy(data_, host.data(), bytes(), cudaMemcpyHostToDevice) == cudaSuccess);
  }
  Device(std::initializer_list<T> host) : Device(std::vector<T>(host)) {}  // Device<int> x{1, 2}
  ~Device() { cudaFree(data_); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  T* data() const { return data_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  std::vector<T> host() const {
    std::vector<T> values(size_);
    const cudaError_t error = cudaMemcpy(values.data(), data_, bytes(), cudaMemcpyDeviceToHost);
    CHECK_MESSAGE(error == cudaSuccess, cudaGetErrorString(error));
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

/// Runs `test` under each schedule of the emulator; on a GPU once.
template <class Test>
void under_each_schedule(Test test) {
#if defined(SIMT_EMULATOR)
  const simt::Config before = simt::config();
  constexpr const char* names[] = {"forward", "reverse", "random"};
  for (int i = 0; i < 4; ++i) {
    simt::config().schedule = simt::Schedule(i < 3 ? i : 2);
    simt::config().seed = before.seed + std::uint64_t(i);
    INFO("schedule ", std::string(names[i < 3 ? i : 2]));
    test();
  }
  simt::config() = before;
#else
  test();
#endif
  CHECK_MESSAGE(cudaDeviceSynchronize() == cudaSuccess, cudaGetErrorString(cudaPeekAtLastError()));
  CHECK(cudaGetLastError() == cudaSuccess);
}

/// No reports on the screen while it exists: for calls that are wrong on purpose.
struct Quiet {
#if defined(SIMT_EMULATOR)
  bool before = simt::config().quiet;
  Quiet() { simt::config().quiet = true; }
  ~Quiet() { simt::config().quiet = before; }
#else
  Quiet() {}
#endif
};
