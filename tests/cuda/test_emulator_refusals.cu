// What the emulator refuses, as a GPU would: arguments of the wrong type, too much shared memory, a
// failed assert, an endless wait. And the text of each error code.
#include <cassert>

#include "tests/cuda/reports.h"

__global__ void emulator_typed(float* x, int n, const char* text, double d);

#if defined(SIMT_EMULATOR)
using EmulatorTyped = decltype(simt::kernel_of<emulator_typed>(emulator_typed));
static_assert(EmulatorTyped::accepts<float*, long, char*, float>);
static_assert(EmulatorTyped::accepts<float*, unsigned, decltype(nullptr), int>);
static_assert(!EmulatorTyped::accepts<int*, int, const char*, double>);
static_assert(!EmulatorTyped::accepts<const float*, int, const char*, double>);
static_assert(!EmulatorTyped::accepts<float*, float*, const char*, double>);
static_assert(!EmulatorTyped::accepts<float*, int, const char*>);

__global__ void emulator_both_shared(float* x) {
  SHARED(float, fixed, [8000]);
  DYN_SHARED(float, dynamic);
  x[0] = fixed[0] = dynamic[0] = 1;
}

TEST_CASE("emulator reports: too much static and dynamic shared memory, as a refused launch") {
  Device<float> x(1);
  const auto go = [&](std::size_t bytes) { launch<emulator_both_shared>({1, 1, bytes}, x.data()); };
  const std::string text = report_of([&] { go(20000); }, cudaErrorInvalidValue);
  CHECK(has(text, "kernel emulator_both_shared launched at "));
  CHECK(has(text,
            "needs 32000 bytes of static and 20000 of dynamic shared memory, together more "
            "than 49152"));
  go(17152);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  CHECK(x.host() == std::vector<float>{1});
  // A kernel that asks for more may have all there is, 64 KiB on sm_75.
  CHECK(cudaFuncSetAttribute(emulator_both_shared, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             33536) == cudaSuccess);
  go(33536);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  CHECK(cudaFuncSetAttribute(emulator_both_shared, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             33540) == cudaSuccess);
  CHECK(has(report_of([&] { go(33540); }, cudaErrorInvalidValue), "together more than 65536"));
}

constexpr int kAssert = __LINE__ + 1;
__global__ void emulator_assert(int n) { assert(n > int(threadIdx.x) && "too few"); }

TEST_CASE("emulator reports: an assert that fails, by its thread and line") {
  const std::string text = report_of([] { launch<emulator_assert>({1, 64}, 40); }, cudaErrorAssert);
  CHECK(has(text,
            ",0,0) fails assert(n > int(threadIdx.x) && \"too few\") at "
            "test_emulator_refusals.cu:" +
                std::to_string(kAssert)));
  launch<emulator_assert>({1, 64}, 64);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
}

__global__ void emulator_grid_barrier(unsigned* arrived, bool all_wait) {
  if (threadIdx.x == 0) atomicAdd(arrived, 1u);
  if (threadIdx.x == 0 || all_wait) {
    while (atomicAdd(arrived, 0u) < gridDim.x) {}
  }
  __syncthreads();
}

// This takes long, but it is not a wait: each atomic changes something.
__global__ void emulator_long_way(unsigned* steps, unsigned n) {
  for (unsigned i = 0; i < n; ++i) atomicAdd(steps, 1u);
}

TEST_CASE("emulator reports: blocks that wait for each other") {
  Device<unsigned> arrived{0};
  for (const bool all : {false, true}) {
    cudaMemset(arrived.data(), 0, 4);
    CHECK(has(report_of([&] {
                launch<emulator_grid_barrier>({2, 64}, arrived.data(), all);
              }),
              "waits in a loop for something that no other thread of the block will do; blocks run "
              "one after another"));
    cudaMemset(arrived.data(), 0, 4);
    launch<emulator_grid_barrier>({1, 64}, arrived.data(), all);
    CHECK(cudaDeviceSynchronize() == cudaSuccess);
  }
  cudaMemset(arrived.data(), 0, 4);
  launch<emulator_long_way>({1, 1}, arrived.data(), 11'000'000u);
  CHECK(arrived.host() == std::vector<unsigned>{11'000'000u});
}

TEST_CASE("emulator: every error has a name and a text") {
  simt::clear_errors();
  CHECK(std::string(cudaGetErrorString(cudaSuccess)) == "no error");
  CHECK(std::string(cudaGetErrorName(cudaErrorInvalidDevice)) == "cudaErrorInvalidDevice");
  CHECK(std::string(cudaGetErrorString(cudaErrorInvalidDevice)) == "no device has this number");
  CHECK(std::string(cudaGetErrorString(cudaError_t(998))) == "unrecognized error code");
}
#endif
