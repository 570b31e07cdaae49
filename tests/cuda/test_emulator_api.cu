// More of the host side of CUDA: rows with a pitch, symbols by address, functions in a stream,
// occupancy, and cuBLAS factors in device memory. This is real CUDA, so it also runs on a GPU.
#include <cublas_v2.h>
#include <cuda_profiler_api.h>
#include <cuda_runtime_api.h>

#include <vector>

#include "tests/cuda/device.h"

TEST_CASE("emulator: copies and fills of rows with a pitch") {
  char* rows = nullptr;
  std::size_t pitch = 0;
  REQUIRE(cudaMallocPitch(&rows, &pitch, 12, 3) == cudaSuccess);
  CHECK(pitch >= 12);
  CHECK(pitch % 32 == 0);
  const std::vector<int> x = {1, 2,  3, -1, 4, 5,
                              6, -1, 7, 8,  9, -1};  // only three of four columns are copied
  CHECK(cudaMemcpy2D(rows, pitch, x.data(), 16, 12, 3, cudaMemcpyHostToDevice) == cudaSuccess);
  CHECK(cudaMemset2D(rows + 4, pitch, 0, 4, 2) == cudaSuccess);
  std::vector<int> y(9);
  CHECK(cudaMemcpy2D(y.data(), 12, rows, pitch, 12, 3, cudaMemcpyDeviceToHost) == cudaSuccess);
  CHECK(y == std::vector<int>{1, 0, 3, 4, 0, 6, 7, 8, 9});

  const Quiet quiet;
  CHECK(cudaMemcpy2D(y.data(), 8, rows, pitch, 12, 3, cudaMemcpyDeviceToHost) ==
        cudaErrorInvalidPitchValue);
  Device<int> small(5);  // the third row would end at byte 20 + 12
  CHECK(cudaMemcpy2D(small.data(), 12, rows, pitch, 12, 3, cudaMemcpyDeviceToDevice) ==
        cudaErrorInvalidValue);
  cudaGetLastError();
  CHECK(cudaFree(rows) == cudaSuccess);
}

__device__ float emulator_addressed[4];

__global__ void emulator_add_one(float* x) { x[threadIdx.x] += 1; }

TEST_CASE("emulator: a __device__ variable by its address") {
  float* p = nullptr;
  std::size_t bytes = 0;
  CHECK(cudaGetSymbolSize(&bytes, emulator_addressed) == cudaSuccess);
  CHECK(bytes == 16);
  REQUIRE(cudaGetSymbolAddress(reinterpret_cast<void**>(&p), emulator_addressed) == cudaSuccess);
  const float start[] = {1, 2, 3, 4};
  CHECK(cudaMemcpyToSymbolAsync(emulator_addressed, start, 16, 0, cudaMemcpyHostToDevice,
                                nullptr) == cudaSuccess);
  launch<emulator_add_one>({1, 4}, p);
  float end[4] = {};
  CHECK(cudaMemcpy(end, p, 16, cudaMemcpyDeviceToHost) == cudaSuccess);
  CHECK(end[0] == 2);
  CHECK(end[3] == 5);
}

TEST_CASE("emulator: a host function runs when its turn comes in a stream") {
  Device<float> x{1, 2};
  float* host = nullptr;
  REQUIRE(cudaMallocHost(&host, 8) == cudaSuccess);
  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream) == cudaSuccess);
  CHECK(cudaMemcpyAsync(host, x.data(), 8, cudaMemcpyDeviceToHost, stream) == cudaSuccess);
  const cudaHostFn_t twice = [](void* p) { static_cast<float*>(p)[1] *= 2; };
  CHECK(cudaLaunchHostFunc(stream, twice, host) == cudaSuccess);
  CHECK(cudaMemcpyAsync(x.data(), host, 8, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(x.host() == std::vector<float>{1, 4});
  float* mapped = nullptr;
  CHECK(cudaHostGetDevicePointer(&mapped, host, 0) == cudaSuccess);
  launch<emulator_add_one>({1, 2}, mapped);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  CHECK(host[1] == 5);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
  CHECK(cudaFreeHost(host) == cudaSuccess);
  CHECK(cudaProfilerStart() == cudaSuccess);
}

TEST_CASE("emulator: occupancy and attributes of a kernel, within the limits that are known") {
  int few = 0, many = 0, grid = 0, threads = 0;
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&few, emulator_add_one, 1024, 0) ==
        cudaSuccess);
  CHECK(few >= 1);
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&many, emulator_add_one, 33, 0) ==
        cudaSuccess);
  CHECK(many >= 16);
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&few, emulator_add_one, 32, 40 * 1024) ==
        cudaSuccess);
  CHECK(few >= 1);
  CHECK(few < many);
  CHECK(cudaOccupancyMaxPotentialBlockSize(&grid, &threads, emulator_add_one, 0, 200) ==
        cudaSuccess);
  CHECK(threads <= 200);
  CHECK(threads >= 32);
  CHECK(grid >= 1);
  cudaFuncAttributes attributes;
  CHECK(cudaFuncGetAttributes(&attributes, emulator_add_one) == cudaSuccess);
  CHECK(attributes.maxThreadsPerBlock == 1024);
  CHECK(attributes.maxDynamicSharedSizeBytes == 48 * 1024);
  int most = 0;
  CHECK(cudaDeviceGetAttribute(&most, cudaDevAttrMaxBlockDimZ, 0) == cudaSuccess);
  CHECK(most == 64);
}

TEST_CASE("emulator: cublas with its factors in device memory") {
  cublasHandle_t handle;
  REQUIRE(cublasCreate(&handle) == CUBLAS_STATUS_SUCCESS);
  cublasPointerMode_t mode;
  CHECK(cublasGetPointerMode(handle, &mode) == CUBLAS_STATUS_SUCCESS);
  CHECK(mode == CUBLAS_POINTER_MODE_HOST);
  CHECK(cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_DEVICE) == CUBLAS_STATUS_SUCCESS);
  Device<float> factors{10, 1}, a{2}, b{3}, c{4};
  CHECK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, factors.data(), a.data(), 1,
                    b.data(), 1, factors.data() + 1, c.data(), 1) == CUBLAS_STATUS_SUCCESS);
  CHECK(c.host() == std::vector<float>{64});
  CHECK(cublasDestroy(handle) == CUBLAS_STATUS_SUCCESS);
}
