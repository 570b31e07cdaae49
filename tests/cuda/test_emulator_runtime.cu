// The host side of CUDA: memory, copies, streams, events, devices, and products by cuBLAS.
#include <cublas_v2.h>

#include <cstring>
#include <limits>

#include "tests/cuda/device.h"

__global__ void emulator_increment(int* x, int n) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) x[i] += 1;
}

TEST_CASE("emulator: cudaMemcpy and cudaMemset, in every direction and in part") {
  const std::vector<int> x = {1, 2, 3, 4, 5};
  Device<int> a(x), b(5);
  CHECK(cudaMemset(b.data(), 0, b.bytes()) == cudaSuccess);
  CHECK(cudaMemcpy(b.data() + 1, a.data() + 2, 8, cudaMemcpyDeviceToDevice) == cudaSuccess);
  CHECK(b.host() == std::vector<int>{0, 3, 4, 0, 0});
  CHECK(cudaMemset(b.data() + 4, 0xff, 4) == cudaSuccess);
  int host[5];
  CHECK(cudaMemcpy(host, b.data(), 20, cudaMemcpyDefault) == cudaSuccess);
  CHECK(std::vector<int>(host, host + 5) == std::vector<int>{0, 3, 4, 0, -1});
  CHECK(cudaMemcpy(host + 3, x.data(), 8, cudaMemcpyHostToHost) == cudaSuccess);
  CHECK(host[4] == 2);
  CHECK(cudaMemcpy(host, nullptr, 0, cudaMemcpyDeviceToHost) == cudaSuccess);  // 0 bytes
}

TEST_CASE("emulator: the host and the device can both use pinned and managed memory") {
  int *pinned = nullptr, *managed = nullptr;
  REQUIRE(cudaMallocHost(&pinned, 8) == cudaSuccess);
  REQUIRE(cudaMallocManaged(&managed, 8) == cudaSuccess);
  pinned[0] = 1;
  pinned[1] = 2;
  CHECK(cudaMemcpy(managed, pinned, 8, cudaMemcpyDefault) == cudaSuccess);
  launch<emulator_increment>({1, 32}, managed, 2);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  CHECK(managed[0] == 2);
  CHECK(managed[1] == 3);
  Device<int> device{7};
  int on_host = 0;
  cudaPointerAttributes of;
  CHECK(cudaPointerGetAttributes(&of, device.data()) == cudaSuccess);
  CHECK(of.type == cudaMemoryTypeDevice);
  CHECK(cudaPointerGetAttributes(&of, pinned) == cudaSuccess);
  CHECK(of.type == cudaMemoryTypeHost);
  CHECK(cudaPointerGetAttributes(&of, managed) == cudaSuccess);
  CHECK(of.type == cudaMemoryTypeManaged);
  CHECK(cudaPointerGetAttributes(&of, &on_host) == cudaSuccess);
  CHECK(of.type == cudaMemoryTypeUnregistered);
  CHECK(cudaFreeHost(pinned) == cudaSuccess);
  CHECK(cudaFree(managed) == cudaSuccess);
  CHECK(cudaFree(nullptr) == cudaSuccess);
}

TEST_CASE("emulator: streams and events, eager and deferred") {
  const auto test = [] {
    cudaStream_t one, two;
    cudaEvent_t ready, begin;
    CHECK(cudaStreamCreateWithFlags(&one, cudaStreamNonBlocking) == cudaSuccess);
    CHECK(cudaStreamCreateWithFlags(&two, cudaStreamNonBlocking) == cudaSuccess);
    CHECK(cudaEventCreateWithFlags(&ready, cudaEventDisableTiming) == cudaSuccess);
    CHECK(cudaEventCreate(&begin) == cudaSuccess);
    int* pinned = nullptr;
    CHECK(cudaMallocHost(&pinned, 4) == cudaSuccess);
    *pinned = 10;
    Device<int> x(1), y(1);

    // Stream one: x = 10, x += 1, ready. Stream two: wait for ready, y = x, y += 1, copy to the
    // host.
    CHECK(cudaEventRecord(begin, one) == cudaSuccess);
    CHECK(cudaMemcpyAsync(x.data(), pinned, 4, cudaMemcpyHostToDevice, one) == cudaSuccess);
    launch<emulator_increment>({1, 32, 0, one}, x.data(), 1);
    CHECK(cudaEventRecord(ready, one) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(two, ready) == cudaSuccess);
    CHECK(cudaMemcpyAsync(y.data(), x.data(), 4, cudaMemcpyDeviceToDevice, two) == cudaSuccess);
    launch<emulator_increment>({1, 32, 0, two}, y.data(), 1);
    CHECK(cudaMemcpyAsync(pinned, y.data(), 4, cudaMemcpyDeviceToHost, two) == cudaSuccess);
#if defined(SIMT_EMULATOR) && !defined(__SANITIZE_THREAD__)  // a race, which the checker reports
    CHECK(*pinned == (simt::config().deferred ? 10 : 12));   // a GPU may do either
#endif
    CHECK(cudaStreamSynchronize(two) == cudaSuccess);
    CHECK(*pinned == 12);

    CHECK(cudaMemsetAsync(x.data(), 0, 4, one) == cudaSuccess);
    cudaEvent_t end;
    CHECK(cudaEventCreate(&end) == cudaSuccess);
    CHECK(cudaEventRecord(end, one) == cudaSuccess);
    cudaError_t query;
    while ((query = cudaEventQuery(end)) == cudaErrorNotReady) {}
    CHECK(query == cudaSuccess);
    while ((query = cudaStreamQuery(one)) == cudaErrorNotReady) {}
    CHECK(query == cudaSuccess);
    float ms = -1;
    CHECK(cudaEventSynchronize(end) == cudaSuccess);
    CHECK(cudaEventElapsedTime(&ms, begin, end) == cudaSuccess);
    CHECK(ms >= 0);
    CHECK(x.host()[0] == 0);

    int* later = nullptr;  // stream-ordered memory
    CHECK(cudaMallocAsync(&later, 4, one) == cudaSuccess);
    CHECK(cudaMemsetAsync(later, 0, 4, one) == cudaSuccess);
    launch<emulator_increment>({1, 1, 0, one}, later, 1);
    CHECK(cudaMemcpyAsync(x.data(), later, 4, cudaMemcpyDeviceToDevice, one) == cudaSuccess);
    CHECK(cudaFreeAsync(later, one) == cudaSuccess);
    CHECK(cudaStreamSynchronize(one) == cudaSuccess);
    CHECK(x.host()[0] == 1);

    for (const cudaEvent_t event : {ready, begin, end})
      CHECK(cudaEventDestroy(event) == cudaSuccess);
    for (const cudaStream_t stream : {one, two}) CHECK(cudaStreamDestroy(stream) == cudaSuccess);
    CHECK(cudaFreeHost(pinned) == cudaSuccess);
  };
  test();
#if defined(SIMT_EMULATOR)
  const simt::Config before = simt::config();
  simt::config().deferred = !before.deferred;
  test();
  simt::config() = before;
#endif
}

TEST_CASE("emulator: the default stream waits for blocking streams, and they for it") {
  const auto test = [] {
    cudaStream_t blocking;
    CHECK(cudaStreamCreate(&blocking) == cudaSuccess);
    Device<int> x{1};
    launch<emulator_increment>({1, 1, 0, blocking}, x.data(), 1);
    launch<emulator_increment>({1, 1}, x.data(), 1);
    launch<emulator_increment>({1, 1, 0, blocking}, x.data(), 1);
    CHECK(x.host()[0] == 4);  // cudaMemcpy is in the default stream
    CHECK(cudaStreamDestroy(blocking) == cudaSuccess);
  };
  test();
#if defined(SIMT_EMULATOR)
  const simt::Config before = simt::config();
  simt::config().deferred = true;
  test();
  simt::config() = before;
#endif
}

TEST_CASE("emulator: device properties and attributes are consistent") {
  int count = 0, device = -1, value = 0;
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
  CHECK(count >= 1);
  CHECK(cudaSetDevice(0) == cudaSuccess);
  CHECK(cudaGetDevice(&device) == cudaSuccess);
  CHECK(device == 0);
  cudaDeviceProp p;
  CHECK(cudaGetDeviceProperties(&p, 0) == cudaSuccess);
  CHECK(p.warpSize == 32);
  CHECK(p.maxThreadsPerBlock == 1024);
  CHECK(p.sharedMemPerBlock == 48 * 1024);
  CHECK(p.sharedMemPerBlockOptin >= p.sharedMemPerBlock);
  CHECK(p.major * 10 + p.minor >= 75);
  CHECK(std::strlen(p.name) > 0);
  CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 0) == cudaSuccess);
  CHECK(value == 32);
  CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0) == cudaSuccess);
  CHECK(value == p.major);
  std::size_t free = 0, total = 0;
  CHECK(cudaMemGetInfo(&free, &total) == cudaSuccess);
  CHECK(free <= total);
  CHECK(cudaSetDevice(99) == cudaErrorInvalidDevice);
  CHECK(std::string(cudaGetErrorName(cudaGetLastError())) == "cudaErrorInvalidDevice");
  CHECK(cudaGetLastError() == cudaSuccess);  // read once, forgotten
}

__global__ void emulator_big_shared(int* out, int last) {
  DYN_SHARED(int, room);
  room[last - int(threadIdx.x)] = int(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = room[last - 31 + int(threadIdx.x)];
}

TEST_CASE("emulator: a kernel must ask for more than 48 KiB of shared memory") {
  const int bytes = 60 * 1024;
  Device<int> out(32);
  {
    const Quiet quiet;
    launch<emulator_big_shared>({1, 32, bytes}, out.data(), bytes / 4 - 1);
  }
  CHECK(cudaGetLastError() == cudaErrorInvalidValue);
  CHECK(cudaFuncSetAttribute(emulator_big_shared, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             bytes) == cudaSuccess);
  launch<emulator_big_shared>({1, 32, bytes}, out.data(), bytes / 4 - 1);
  CHECK(out.host()[5] == 26);
}

// ---- cuBLAS -------------------------------------------------------------------------------------

namespace {

cublasStatus_t gemm(cublasHandle_t h, cublasOperation_t p, cublasOperation_t q, int m, int n, int k,
                    float alpha, const float* a, int lda, long long sa, const float* b, int ldb,
                    long long sb, float beta, float* c, int ldc, long long sc, int batch) {
  if (batch == 1) return cublasSgemm(h, p, q, m, n, k, &alpha, a, lda, b, ldb, &beta, c, ldc);
  return cublasSgemmStridedBatched(h, p, q, m, n, k, &alpha, a, lda, sa, b, ldb, sb, &beta, c, ldc,
                                   sc, batch);
}
cublasStatus_t gemm(cublasHandle_t h, cublasOperation_t p, cublasOperation_t q, int m, int n, int k,
                    double alpha, const double* a, int lda, long long sa, const double* b, int ldb,
                    long long sb, double beta, double* c, int ldc, long long sc, int batch) {
  if (batch == 1) return cublasDgemm(h, p, q, m, n, k, &alpha, a, lda, b, ldb, &beta, c, ldc);
  return cublasDgemmStridedBatched(h, p, q, m, n, k, &alpha, a, lda, sa, b, ldb, sb, &beta, c, ldc,
                                   sc, batch);
}

// Small whole numbers, so that sums are exact. Leading dimensions are one more than the least.
template <class T>
void check_gemm(cublasOperation_t p, cublasOperation_t q, int batch, T beta) {
  const int m = 2, n = 3, k = 5;
  const int lda = (p == CUBLAS_OP_N ? m : k) + 1, ldb = (q == CUBLAS_OP_N ? k : n) + 1, ldc = m + 1;
  const int sa = lda * (p == CUBLAS_OP_N ? k : m), sb = ldb * (q == CUBLAS_OP_N ? n : k),
            sc = ldc * n;
  std::vector<T> a(sa * batch), b(sb * batch), c(sc * batch);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = T(int(i * i % 7) - 3);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = T(int(i * 5 % 11) - 5);
  // With beta 0, C is not read, so it may contain anything.
  for (std::size_t i = 0; i < c.size(); ++i)
    c[i] = beta == T(0) ? std::numeric_limits<T>::quiet_NaN() : T(i);
  Device<T> da(a), db(b), dc(c);
  cublasHandle_t handle;
  REQUIRE(cublasCreate(&handle) == CUBLAS_STATUS_SUCCESS);
  CHECK(gemm(handle, p, q, m, n, k, T(2), da.data(), lda, sa, db.data(), ldb, sb, beta, dc.data(),
             ldc, sc, batch) == CUBLAS_STATUS_SUCCESS);
  const std::vector<T> got = dc.host();
  for (int t = 0; t < batch; ++t)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < m; ++i) {
        T sum = 0;
        for (int l = 0; l < k; ++l)
          sum += a[t * sa + (p == CUBLAS_OP_N ? i + l * lda : l + i * lda)] *
                 b[t * sb + (q == CUBLAS_OP_N ? l + j * ldb : j + l * ldb)];
        const int at = t * sc + i + j * ldc;
        CHECK(got[at] == 2 * sum + (beta == T(0) ? T(0) : beta * c[at]));
      }
  CHECK(cublasDestroy(handle) == CUBLAS_STATUS_SUCCESS);
}

}  // namespace

TEST_CASE("emulator: cublas gemm, column-major, transposed or not, single and batched") {
  for (const cublasOperation_t p : {CUBLAS_OP_N, CUBLAS_OP_T})
    for (const cublasOperation_t q : {CUBLAS_OP_N, CUBLAS_OP_T})
      for (const int batch : {1, 4})
        for (const int beta : {0, 3}) {
          check_gemm<float>(p, q, batch, float(beta));
          check_gemm<double>(p, q, batch, beta);
        }
}

TEST_CASE("emulator: cublas refuses leading dimensions below the rows") {
  const Quiet quiet;
  Device<float> x(36);
  cudaMemset(x.data(), 0, x.bytes());
  cublasHandle_t handle;
  REQUIRE(cublasCreate(&handle) == CUBLAS_STATUS_SUCCESS);
  const float one = 1;
  CHECK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 3, 3, 3, &one, x.data(), 2, x.data(), 3, &one,
                    x.data(), 3) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, -1, 3, 3, &one, x.data(), 3, x.data(), 3,
                    &one, x.data(), 3) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasSgemm(nullptr, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, x.data(), 1, x.data(), 1,
                    &one, x.data(), 1) == CUBLAS_STATUS_NOT_INITIALIZED);
  CHECK(cublasDestroy(handle) == CUBLAS_STATUS_SUCCESS);
  cudaGetLastError();
}
