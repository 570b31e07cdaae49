// Wrong addresses, and uninitialised memory.
#include <cmath>

#include "tests/cuda/bugs.h"

namespace bugs {

__global__ void read_past_end(const float* x, float* y, int n) {
  const int i = int(threadIdx.x);
  y[i] = x[i == n - 1 ? i + 1 : i];  // BUG: global read past the end
}

__global__ void write_past_end(float* y, int n) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i <= n) y[i] = 1;  // BUG: global write past the end
}

__global__ void read_before_begin(const float* x, float* y) {
  const int i = int(threadIdx.x);
  y[i] = x[i - 1];  // BUG: global read before the beginning
}

__global__ void static_past_end(float* y) {
  SHARED(float, s, [100]);
  float* p = s;        // a pointer does not know the size of the array
  p[threadIdx.x] = 1;  // BUG: static shared memory past the end
  __syncthreads();
  y[threadIdx.x] = p[threadIdx.x];
}

__global__ void dynamic_past_end(float* y) {
  DYN_SHARED(float, s);
  s[threadIdx.x] = 1;  // BUG: too little dynamic shared memory
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];
}

// This stays inside the array, but leaves the row.
__global__ void row_past_end(float* y) {
  SHARED(float, s, [8][32]);
  const unsigned t = threadIdx.x;
  s[t / 32][t % 32] = 1;
  __syncthreads();
  y[t] = s[0][t % 32 + 1];  // BUG: past the end of a row
}

__global__ void one_never_written(float* y) {
  SHARED(float, s, [64]);
  const unsigned t = threadIdx.x;
  if (t != 5) s[t] = 1;
  __syncthreads();
  y[t] = s[t];  // BUG: uninitialised shared memory
}

__global__ void add_one(float* y) {
  y[threadIdx.x] += 1;  // BUG: uninitialised cudaMalloc
}

__global__ void misaligned_vector(float* y) {
  const float4 v = *reinterpret_cast<const float4*>(y + 1);  // BUG: misaligned float4
  y[0] = v.x + v.w;
}

__global__ void mean_of_none(int* y, int sum, int count) {
  y[0] = sum / count;  // BUG: division by zero
}
__global__ void overflowing_index(float* y, int rows, int columns) {
  const int i = (rows - 1) * columns;  // BUG: int overflow in an index
  y[0] = float(i);
}

__global__ void local_past_end(float* y, int n) {
  float a[8];
  for (int i = 0; i <= n; ++i) {
    a[i] = float(i);  // BUG: past the end of a local array
  }
  y[0] = a[3];
}

struct Vector {
  float* data;
};
// The launch does not see the pointer, because it is inside a struct.
__global__ void follow(Vector v, float* y) {
  y[threadIdx.x] = v.data[threadIdx.x];  // BUG: pointer in a struct
}

__global__ void through_null(float* y, float* nothing) {
  y[threadIdx.x] = nothing[threadIdx.x];  // BUG: null pointer
}

// Three columns of 200 elements are stored, but indexed as columns of 400. The first element
// outside lies 800 bytes past the end, which may be in the middle of other memory.
__global__ void wrong_stride(float* y) {
  const unsigned column = threadIdx.x, row = threadIdx.y;
  y[column * 400 + row] = 1;  // BUG: wrong row stride
}

__global__ void far_past_end(float* y, int n) {
  SHARED(float, s, [64]);
  s[threadIdx.x] = 1;
  __syncthreads();
  y[n + int(threadIdx.x)] = s[63 - threadIdx.x];  // BUG: index into another allocation
}

__global__ void both_kinds_of_shared(float* y) {
  DYN_SHARED(float, dynamic);
  SHARED(float, fixed, [10000]);
  dynamic[threadIdx.x] = fixed[threadIdx.x] = 1;
  y[threadIdx.x] = dynamic[threadIdx.x] + fixed[threadIdx.x];
}

std::vector<Bug> memory_errors() {
  const auto one = [](int) { return 1; };
  const auto zero = [](int) { return 0; };
  std::vector<Bug> bugs = {
      {"global read past the end",
       [=] {
         float *x = device<float>(100), *y = device<float>(100);
         launch<read_past_end>({1, 100}, x, y, 100);
         return equals(y, 100, zero);
       },
       "out of bounds: element 100 (bytes 400 to 403) of a cudaMalloc of 400 bytes (parameter 1)"},
      {"global write past the end",
       [=] {
         float* y = device<float>(100);
         launch<write_past_end>({1, 128}, y, 100);
         return equals(y, 100, one);
       },
       "out of bounds: element 100 (bytes 400 to 403) of a cudaMalloc of 400 bytes (parameter 1)"},
      {"global read before the beginning",
       [=] {
         float *x = device<float>(64), *y = device<float>(64);
         launch<read_before_begin>({1, 64}, x, y);
         return equals(y, 64, zero);
       },
       "out of bounds: element -1 (bytes -4 to -1) of a cudaMalloc of 256 bytes (parameter 1)"},
      {"static shared memory past the end",
       [=] {
         float* y = device<float>(101);
         launch<static_past_end>({1, 101}, y);
         return equals(y, 101, one);
       },
       "out of bounds: element 100 (bytes 400 to 403) of __shared__ s, 400 bytes"},
      {"too little dynamic shared memory",
       [=] {
         float* y = device<float>(64);
         launch<dynamic_past_end>({1, 64, 63 * sizeof(float)}, y);
         return equals(y, 64, one);
       },
       "out of bounds: element 63 (bytes 252 to 255) of dynamic shared memory, 252 bytes"},
      {"past the end of a row",
       [=] {
         float* y = device<float>(256);
         launch<row_past_end>({1, 256}, y);
         return equals(y, 256, one);
       },
       "index 32 is out of bounds for 'float"},
      {"uninitialised shared memory",
       [=] {
         float* y = device<float>(64);
         launch<one_never_written>({1, 64}, y);
         return equals(y, 64, one);
       },
       "uninitialised"},
      {"uninitialised cudaMalloc",
       [=] {
         float* y = device<float>(4, false);
         launch<add_one>({1, 4}, y);
         return equals(y, 4, one);
       },
       "uninitialised"},
      {"misaligned float4",
       [=] {
         float* y = device<float>(8);
         launch<misaligned_vector>({1, 1}, y);
         return equals(y, 1, zero);
       },
       "misaligned address"},
      {"division by zero",
       [] {
         int* y = device<int>(1);
         launch<mean_of_none>({1, 1}, y, 5, 0);
         return host(y, 1)[0] > 0;
       },
       "divides by zero: 5 / 0"},
      {"int overflow in an index",
       [] {
         float* y = device<float>(1);
         launch<overflowing_index>({1, 1}, y, 70000, 50000);
         return host(y, 1)[0] > 0;
       },
       "overflows 'int'"},
      {"past the end of a local array",
       [] {
         float* y = device<float>(1);
         launch<local_past_end>({1, 1}, y, 8);
         return equals(y, 1, [](int) { return 3; });
       },
       "index 8 is out of bounds for 'float"},
      {"pointer in a struct",
       [=] {
         std::vector<float> on_host(64, 1.0f);
         float* y = device<float>(64);
         launch<follow>({1, 64}, Vector{on_host.data()}, y);
         return equals(y, 64, one);
       },
       "host memory"},
      {"null pointer",
       [=] {
         float* y = device<float>(64);
         launch<through_null>({1, 64}, y, nullptr);
         return equals(y, 64, one);
       },
       "null pointer"},
      {"wrong row stride",
       [=] {
         float *y = device<float>(600), *next = device<float>(2000);
         launch<wrong_stride>({1, dim3(3, 8)}, y);
         return equals(next, 2000, zero);
       },
       "of a cudaMalloc of 2400 bytes (parameter 1)"},
      {"index into another allocation",
       [=] {
         float* y = device<float>(64);
         launch<far_past_end>({1, 64}, y, 229);
         return equals(y, 64, zero);
       },
       "of a cudaMalloc of 256 bytes (parameter 1)"},
      {"static and dynamic shared memory beyond 48 KB",
       [=] {
         float* y = device<float>(64);
         launch<both_kinds_of_shared>({1, 64, 20000}, y);
         return equals(y, 64, [](int) { return 2; });
       },
       "needs 40000 bytes of static and 20000 of dynamic shared memory"},
  };
#if defined(__clang__)  // clang loads only two of the four numbers, each of them aligned
  std::erase_if(bugs, [](const Bug& bug) { return std::string(bug.name) == "misaligned float4"; });
#endif
  return bugs;
}

}  // namespace bugs
