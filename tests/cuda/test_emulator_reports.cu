// What the emulator reports about wrong programs: the error code that a GPU gives (where a GPU
// notices anything), and the text. Emulator only, because after a sticky error a process cannot use
// the GPU any more.
#include "tests/cuda/reports.h"

#if defined(SIMT_EMULATOR)

namespace {

std::string here(int line) { return "test_emulator_reports.cu:" + std::to_string(line); }

}  // namespace

// ---- Synchronisation ----------------------------------------------------------------------------

constexpr int kDivergent = __LINE__ + 2;
__global__ void emulator_divergent(int* x) {
  if (threadIdx.x < 40) __syncthreads();
  x[threadIdx.x] = 1;
}

constexpr int kTwoBarriers = __LINE__ + 3;
__global__ void emulator_two_barriers(int*) {
  if (threadIdx.x % 2 == 0)
    __syncthreads();
  else
    __syncthreads();
}

TEST_CASE("emulator reports: threads at a barrier that others do not reach") {
  under_each_schedule([] {
    Device<int> x(64);
    const int line = __LINE__ + 1;
    std::string text = report_of([&] { launch<emulator_divergent>({2, 64}, x.data()); });
    CHECK(has(text, "kernel emulator_divergent launched at " + here(line) + ", block ("));
    CHECK(has(text, "threads 0-39 wait in __syncthreads at " + here(kDivergent)));
    CHECK(has(text, "threads 40-63 left the kernel"));

    text = report_of([&] { launch<emulator_two_barriers>({1, 32}, x.data()); });
    const std::string even = "threads 0, 2, 4, 6, 8, 10, …";
    CHECK(has(text, even + " wait in __syncthreads at " + here(kTwoBarriers)));
    CHECK(has(text, "wait in __syncthreads at " + here(kTwoBarriers + 2)));

    launch<emulator_divergent>({1, 40}, x.data());  // a correct launch works again
  });
}

__global__ void emulator_half_warp(int* x) {
  if (threadIdx.x % 32 < 16) x[threadIdx.x] = __shfl_down_sync(0xffffffff, 1, 2);
  __syncthreads();
}

__global__ void emulator_two_masks(int* x) {
  x[threadIdx.x] = threadIdx.x < 16 ? __shfl_sync(0x0000ffff, 1, 0) : __shfl_sync(0xffffffff, 1, 0);
  __syncwarp();
}

__global__ void emulator_wrong_mask(int* x) {
  x[threadIdx.y * 4 + threadIdx.x] = int(__ballot_sync(0x0000ffff, 1));
}

__global__ void emulator_absent_lane(int* x) { x[threadIdx.x] = __shfl_sync(0xffffffff, 1, 21); }

__global__ void emulator_odd_width(int* x) {
  x[threadIdx.x] = __shfl_xor_sync(0xffffffff, 1, 1, 12);
}

TEST_CASE("emulator reports: wrong masks and lanes of warp functions") {
  under_each_schedule([] {
    Device<int> x(64);
    std::string text = report_of([&] { launch<emulator_half_warp>({1, 64}, x.data()); });
    CHECK(has(text, "threads 0-15, 32-47 wait in __shfl_down_sync at "));
    CHECK(has(text, ", mask ffffffff"));
    CHECK(has(text, "threads 16-31, 48-63 wait in __syncthreads"));

    text = report_of([&] { launch<emulator_two_masks>({1, 32}, x.data()); });
    CHECK(has(text, "threads 16-31 wait in __shfl_sync at "));
    CHECK(has(text, "all lanes named in a mask must call the same function with the same mask"));

    text = report_of([&] { launch<emulator_wrong_mask>({1, dim3(4, 8)}, x.data()); });
    CHECK(has(text, "calls a warp function with a mask that leaves it out at "));
    CHECK(has(text, ") calls"));

    text = report_of([&] { launch<emulator_absent_lane>({1, 20}, x.data()); });
    CHECK(has(text, "shuffles from lane 21, which does not take part at "));

    text = report_of([&] { launch<emulator_odd_width>({1, 32}, x.data()); });
    CHECK(has(text, "shuffles with a width that is not a power of two up to 32"));
  });
}

// ---- Launches -----------------------------------------------------------------------------------

__global__ void emulator_one(int* x) { x[threadIdx.x] = 1; }

TEST_CASE("emulator reports: launches that a GPU refuses") {
  Device<int> x(64);
  const auto refusal = [&](const LaunchConfig& config) {
    return report_of([&] { launch<emulator_one>(config, x.data()); },
                     cudaErrorInvalidConfiguration);
  };
  CHECK(has(refusal({1, 2048}),
            "at most 1024 threads, and (1024, 1024, 64) along x, y, z: block (2048, 1, 1)"));
  CHECK(has(refusal({1, dim3(64, 64)}), "block (64, 64, 1)"));
  CHECK(has(refusal({1, dim3(1, 1, 65)}), "block (1, 1, 65)"));
  CHECK(has(refusal({dim3(1, 70000), 1}),
            "(2147483647, 65535, 65535) blocks along x, y, z: grid (1, 70000, 1)"));
  CHECK(has(refusal({0, 32}), "no size may be 0 (or negative): grid (0, 1, 1), block (32, 1, 1)"));
  CHECK(has(refusal({-1, 32}), "no size may be 0"));
  CHECK(has(refusal({1l << 40, 32}), "no size may be 0"));
  const std::string text = report_of(
      [&] {
        launch<emulator_one>({1, 32, 60000}, x.data());
      },
      cudaErrorInvalidValue);
  CHECK(has(text, "60000 bytes of dynamic shared memory, but the limit is 49152"));
  const Quiet quiet;
  CHECK(cudaFuncSetAttribute(emulator_one, cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 20) ==
        cudaErrorInvalidValue);
  simt::clear_errors();
}

__global__ void emulator_big_static(float* x) {
  SHARED(float, a, [8192]);
  SHARED(float, b, [8192]);
  x[0] = a[0] = b[0] = 1;
}

TEST_CASE("emulator reports: more than 48 KiB of static shared memory") {
  Device<float> x(1);
  CHECK(has(report_of([&] {
              launch<emulator_big_static>({1, 1}, x.data());
            }),
            "uses 65536 bytes of static shared memory, more than 49152"));
}

// ---- Pointers -----------------------------------------------------------------------------------

TEST_CASE("emulator reports: pointers that a kernel cannot use") {
  int on_host[64];
  CHECK(has(report_of(
                [&] {
                  launch<emulator_one>({1, 64}, on_host);
                },
                cudaErrorIllegalAddress),
            "argument 1 points to host memory, which a kernel cannot reach"));
  int* freed = nullptr;
  cudaMalloc(&freed, 256);
  cudaFree(freed);
  CHECK(has(report_of(
                [&] {
                  launch<emulator_one>({1, 64}, freed);
                },
                cudaErrorIllegalAddress),
            "argument 1 points to freed memory"));
  CHECK(has(report_of([&] { cudaFree(freed); }, cudaErrorInvalidValue),
            "freed memory (freed twice?)"));
  CHECK(has(report_of([&] { cudaFree(on_host); }, cudaErrorInvalidValue), "points to host memory"));
  Device<int> x(4);
  CHECK(has(report_of([&] { cudaFree(x.data() + 1); }, cudaErrorInvalidValue),
            "byte 4 of an allocation of 16 bytes"));
  CHECK(has(report_of([&] { cudaFreeHost(x.data()); }, cudaErrorInvalidValue), "cudaMallocHost"));
}

__global__ void emulator_at(int* x, long i) { x[i] = 1; }
__global__ void emulator_divide(int* x, int zero) { x[0] = 7 / zero; }
__global__ void emulator_deep(int* x, int n);
__device__ int emulator_recurse(int n, volatile int* x) {
  volatile int frame[256];
  frame[n % 256] = x[0];
  return n == 0 ? 0 : emulator_recurse(n - 1, x) + frame[n % 256];
}
__global__ void emulator_deep(int* x, int n) { x[0] = emulator_recurse(n, x); }

  // Under a sanitizer, the sanitizer finds these first.
  #if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE(
    "emulator reports: what the processor refuses: no memory, division by zero, stack overflow") {
  Device<int> x{1, 2, 3, 4};
  std::string text = report_of([&] { launch<emulator_at>({1, 1}, static_cast<int*>(nullptr), 3); });
  CHECK(has(text, "kernel emulator_at launched at "));
  CHECK(has(text, "thread (0,0,0) accesses address 0xc, where there is no memory: a null pointer"));
  text = report_of([&] { launch<emulator_at>({1, 1}, x.data(), 1l << 44); });
  CHECK(has(text, "where there is no memory"));
    #if defined(__x86_64__)  // Arm divides by zero without a fault
  CHECK(has(report_of([&] {
              launch<emulator_divide>({1, 1}, x.data(), 0);
            }),
            "divides an integer by zero"));
    #endif
  CHECK(has(report_of([&] {
              launch<emulator_deep>({1, 1}, x.data(), 100000);
            }),
            "run out of stack"));
  launch<emulator_deep>({1, 64}, x.data(), 100);  // a correct launch still works
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
}

TEST_CASE("emulator reports: a write past the end of an allocation, even in the plain build") {
  Device<int> x(4);
  CHECK(has(report_of(
                [&] {
                  launch<emulator_at>({1, 1}, x.data(), 4);
                },
                cudaErrorIllegalAddress),
            "wrote past the end of an allocation of 16 bytes"));
  CHECK(has(report_of(
                [&] {
                  launch<emulator_at>({1, 1}, x.data(), -1);
                },
                cudaErrorIllegalAddress),
            "wrote before the beginning of an allocation of 16 bytes"));
}
  #endif

__global__ void emulator_trap(int* x) {
  if (x[0] == 5 && threadIdx.y == 2) __trap();
}

TEST_CASE("emulator reports: the thread that executes __trap") {
  Device<int> x{5};
  CHECK(has(report_of([&] {
              launch<emulator_trap>({1, dim3(1, 4)}, x.data());
            }),
            "thread (0,2,0) executes __trap() at test_emulator_reports.cu:"));
}

TEST_CASE("emulator reports: copies past the end and in the wrong direction") {
  Device<int> x(4);
  int host[8] = {};
  const auto refusal = [&](void* to, const void* from, std::size_t n, cudaMemcpyKind kind) {
    return report_of([&] { CHECK(cudaMemcpy(to, from, n, kind) == cudaErrorInvalidValue); },
                     cudaErrorInvalidValue);
  };
  CHECK(has(refusal(host, x.data(), 32, cudaMemcpyDeviceToHost),
            "cudaMemcpy of 32 bytes, cudaMemcpyDeviceToHost: the source is out of bounds: 32 bytes "
            "from byte 0 of an allocation of 16 bytes"));
  CHECK(has(refusal(x.data() + 2, host, 12, cudaMemcpyDefault), "12 bytes from byte 8"));
  CHECK(has(refusal(x.data(), host, 16, cudaMemcpyDeviceToHost),
            "the destination must be host memory, but is device memory: byte 0 of an allocation"));
  CHECK(has(refusal(host, host + 4, 16, cudaMemcpyDeviceToHost),
            "the source must be device memory, but is host memory"));
  CHECK(
      has(refusal(nullptr, host, 16, cudaMemcpyHostToDevice), "the destination is a null pointer"));
  CHECK(has(report_of([&] { cudaMemset(x.data() + 3, 0, 8); }, cudaErrorInvalidValue),
            "cudaMemset of 8 bytes: the destination is out of bounds"));
  int* huge = nullptr;
  CHECK(has(report_of([&] { cudaMalloc(&huge, std::size_t(1) << 50); }, cudaErrorMemoryAllocation),
            "out of memory: 1125899906842624 bytes requested"));
  CHECK(huge == nullptr);
}

TEST_CASE(
    "emulator reports: a fault is sticky: every later call returns it, and nothing runs any more") {
  Device<int> x{0, 0};
  const Quiet quiet;
  launch<emulator_trap>({1, dim3(1, 4)}, x.data());
  CHECK(cudaGetLastError() == cudaSuccess);
  cudaMemset(x.data(), 0, 8);
  const int five = 5;
  cudaMemcpy(x.data(), &five, 4, cudaMemcpyHostToDevice);
  launch<emulator_trap>({1, dim3(1, 4)}, x.data());
  launch<emulator_one>({1, 2}, x.data());
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
  CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  int* p = nullptr;
  CHECK(cudaMalloc(&p, 4) == cudaErrorLaunchFailure);
  cudaFree(p);
  simt::clear_errors();
  CHECK(x.host() == std::vector<int>{5, 0});
}

// ---- Replay -------------------------------------------------------------------------------------

__global__ void emulator_order(int* x) {  // which thread comes first depends on the schedule
  const int place = atomicAdd(&x[0], 1);
  x[1 + place] = int(threadIdx.x);
}

TEST_CASE("emulator reports: replay finds results that depend on the order of threads") {
  Device<int> x(65), y(64);
  cudaMemset(x.data(), 0, x.bytes());
  const bool before = simt::config().replay;
  const std::string text = report_of([&] {
    simt::config().replay = true;
    launch<emulator_one>({1, 64}, y.data());
    CHECK(cudaPeekAtLastError() == cudaSuccess);
    launch<emulator_order>({1, 64}, x.data());
  });
  simt::config().replay = before;
  CHECK(has(text, "kernel emulator_order launched at "));
  CHECK(has(text,
            "the result depends on the order in which threads run: byte 4 of an allocation of 260 "
            "bytes"));
  CHECK(y.host() == std::vector<int>(64, 1));
}

TEST_CASE("emulator: threads that do not wait share one stack") {
  if (simt::config().replay || simt::config().deferred) return;
  const std::uint64_t switches = simt::stats().switches;
  Device<int> x(1024);
  launch<emulator_one>({1, 1024}, x.data());
  CHECK(simt::stats().switches - switches <= 2);
}

#endif
