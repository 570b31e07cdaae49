// Bugs on the host: pointers to the wrong side, launches that no GPU accepts, bad copies.
#include <cublas_v2.h>

#include "tests/cuda/bugs.h"

namespace bugs {

__global__ void ones(float* y) { y[threadIdx.x] = 1; }
__global__ void not_negative(int n) { assert(n >= 0); }  // BUG: assert in a kernel

// The pointer is stored in device memory, so no launch can see that it has been freed.
__global__ void store_pointer(float** where, float* y) { *where = y; }
__global__ void use_pointer(float** where) {
  (*where)[threadIdx.x] = 1;  // BUG: use of a stored pointer after cudaFree
}

std::vector<Bug> host_errors() {
  return {
      {"host reads device memory",
       [] {
         const volatile float* y = device<float>(4);
         return y[3] == 0;  // BUG: host reads device memory
       },
       "host code reads 4 bytes"},
      {"host pointer given to a kernel",
       [] {
         std::vector<float> y(64);
         launch<ones>({1, 64}, y.data());
         return succeeded();
       },
       "host memory"},
      {"use after cudaFree",
       [] {
         float* y = device<float>(64);
         cudaFree(y);
         launch<ones>({1, 64}, y);
         return succeeded();
       },
       "freed memory"},
      {"use of a stored pointer after cudaFree",
       [] {
         float *y = device<float>(64), **where = device<float*>(1);
         launch<store_pointer>({1, 1}, where, y);
         cudaFree(y);
         launch<use_pointer>({1, 64}, where);
         return succeeded();
       },
       "after cudaFree: element 0 (bytes 0 to 3) of a freed cudaMalloc of 256 bytes"},
      {"double cudaFree",
       [] {
         float* y = device<float>(64);
         cudaFree(y);
         return cudaFree(y) == cudaSuccess;
       },
       "freed twice"},
      {"2048 threads in a block",
       [] {
         launch<ones>({1, 2048}, device<float>(64));
         return succeeded();
       },
       "1024 threads"},
      {"grid.y = 70000",
       [] {
         launch<ones>({dim3(1, 70000), 64}, device<float>(64));
         return succeeded();
       },
       "65535"},
      {"60 KB of dynamic shared memory without opting in",
       [] {
         launch<ones>({1, 64, 60000}, device<float>(64));
         return succeeded();
       },
       "cudaFuncSetAttribute"},
      {"assert in a kernel",
       [] {
         launch<not_negative>({1, 32}, -1);
         return succeeded();
       },
       "thread (0,0,0) fails assert(n >= 0)"},
      {"copy of memory that is only partly written",
       [] {
         float* y = device<float>(64, false);
         launch<ones>({1, 32}, y);
         const std::vector<float> h = host(y, 64);  // elements 32 to 63 are uninitialised
         return h[63] == 1;
       },
       "256 bytes, 128 of them uninitialised: from element 32 (bytes 128 to"},
      {"copy past the end",
       [] {
         std::vector<float> h(8);
         return cudaMemcpy(h.data(), device<float>(4), 32, cudaMemcpyDeviceToHost) == cudaSuccess;
       },
       "out of bounds"},
      {"copy in the wrong direction",
       [] {
         std::vector<float> h(4);
         return cudaMemcpy(device<float>(4), h.data(), 16, cudaMemcpyDeviceToHost) == cudaSuccess;
       },
       "must be host memory"},
      {"cuBLAS reads past a matrix",
       [] {
         float *a = device<float>(6), *b = device<float>(6), *c = device<float>(4);
         cublasHandle_t handle;
         cublasCreate(&handle);
         const float one = 1, zero = 0;
         const int lda = 3;  // a has 2 rows
         return cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 3, &one, a, lda, b, 3, &zero, c,
                            2) == CUBLAS_STATUS_SUCCESS &&
                succeeded();
       },
       "cublasSgemm"},
  };
}

}  // namespace bugs
