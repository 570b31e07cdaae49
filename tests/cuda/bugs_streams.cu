// Streams: work that overlaps because nothing waits for it.
#include "tests/cuda/bugs.h"

namespace bugs {

__global__ void fill(float* y, float value) { y[threadIdx.x] = value; }
__global__ void copy(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x]; }

float* pinned(float value) {
  float* p = nullptr;
  cudaMallocHost(reinterpret_cast<void**>(&p), 64 * sizeof(float));
  for (int i = 0; i < 64; ++i) p[i] = value;
  return p;
}

cudaStream_t stream() {
  cudaStream_t s;
  cudaStreamCreate(&s);
  return s;
}

std::vector<Bug> stream_errors() {
  return {
      {"result copied asynchronously, read at once",
       [] {
         float *y = device<float>(64), *h = pinned(0);
         cudaDeviceSynchronize();
         const cudaStream_t s = stream();
         launch<fill>({1, 64, 0, s}, y, 1.0f);
         cudaMemcpyAsync(h, y, 256, cudaMemcpyDeviceToHost, s);
         const bool right = h[0] == 1;
         return cudaDeviceSynchronize() == cudaSuccess && right;
       },
       "no synchronisation or event orders the two"},
      {"source of a copy overwritten at once",
       [] {
         float *y = device<float>(64), *h = pinned(1);
         cudaDeviceSynchronize();
         cudaMemcpyAsync(y, h, 256, cudaMemcpyHostToDevice, stream());
         h[0] = 2;
         cudaDeviceSynchronize();
         return equals(y, 1, [](int) { return 1; });
       },
       "no synchronisation or event orders the two"},
      {"missing cudaStreamWaitEvent",
       [] {
         float *x = device<float>(64), *y = device<float>(64);
         cudaDeviceSynchronize();
         const cudaStream_t s = stream(), t = stream();
         launch<fill>({1, 64, 0, s}, x, 1.0f);
         launch<copy>({1, 64, 0, t}, x, y);
         cudaStreamSynchronize(t);
         return equals(y, 64, [](int) { return 1; });
       },
       "no synchronisation or event orders the two"},
      {"missing cudaStreamWaitEvent before a copy",
       [] {
         float *x = device<float>(64), *y = device<float>(64);
         cudaDeviceSynchronize();
         const cudaStream_t s = stream(), t = stream();
         launch<fill>({1, 64, 0, s}, x, 1.0f);
         cudaMemcpyAsync(y, x, 256, cudaMemcpyDeviceToDevice, t);
         cudaStreamSynchronize(t);
         return equals(y, 64, [](int) { return 1; });
       },
       "no synchronisation or event orders the two"},
      {"event recorded too early",
       [] {
         float *x = device<float>(64), *y = device<float>(64);
         cudaDeviceSynchronize();
         const cudaStream_t s = stream(), t = stream();
         cudaEvent_t filled;
         cudaEventCreate(&filled);
         cudaEventRecord(filled, s);
         launch<fill>({1, 64, 0, s}, x, 1.0f);
         cudaStreamWaitEvent(t, filled, 0);
         launch<copy>({1, 64, 0, t}, x, y);
         cudaStreamSynchronize(t);
         return equals(y, 64, [](int) { return 1; });
       },
       "no synchronisation or event orders the two"},
      {"two streams write one buffer",
       [] {
         float* y = device<float>(64);
         cudaDeviceSynchronize();
         launch<fill>({1, 64, 0, stream()}, y, 1.0f);
         launch<fill>({1, 64, 0, stream()}, y, 2.0f);
         cudaDeviceSynchronize();
         return equals(y, 64, [](int) { return 2; });
       },
       "no synchronisation or event orders the two"},
      {"cudaMemsetAsync beside a kernel",
       [] {
         float* y = device<float>(64);
         cudaDeviceSynchronize();
         launch<fill>({1, 64, 0, stream()}, y, 1.0f);
         cudaMemsetAsync(y, 0, 256, stream());  // BUG: cudaMemsetAsync beside a kernel
         cudaDeviceSynchronize();
         return equals(y, 64, [](int) { return 0; });
       },
       "cudaMemsetAsync called at"},
  };
}

}  // namespace bugs
