// The runtime API for devices. There is one, with the architecture of GRADUS_CUDA_ARCH. Its limits
// are those of the real device. Its other sizes are arbitrary.
#include <cuda_runtime.h>

#include <cstdio>

#include "cuda/emulator/check.h"
#include "cuda/emulator/errors.h"
#include "cuda/emulator/memory.h"
#include "cuda/emulator/shared.h"
#include "cuda/emulator/stream.h"

using namespace simt;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return set_error(cudaSuccess);
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return set_error(cudaSuccess);
}

cudaError_t cudaSetDevice(int device) {
  return set_error(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  if (device != 0) return set_error(cudaErrorInvalidDevice);
  *p = {};
  std::snprintf(p->name, sizeof p->name, "emulated sm_%d", config().arch);
  p->totalGlobalMem = kDeviceBytes;
  p->totalConstMem = 64 * 1024;
  p->sharedMemPerBlock = 48 * 1024;
  p->sharedMemPerBlockOptin = p->sharedMemPerMultiprocessor = shared_memory_limit(config().arch);
  p->major = config().arch / 10;
  p->minor = config().arch % 10;
  p->warpSize = 32;
  p->maxThreadsPerBlock = p->maxThreadsPerMultiProcessor = 1024;
  p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
  p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 2147483647;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->maxBlocksPerMultiProcessor = 16;
  p->regsPerBlock = p->regsPerMultiprocessor = 65536;
  p->multiProcessorCount = 4;
  p->l2CacheSize = 1 << 20;
  p->memoryBusWidth = 64;
  p->integrated = p->canMapHostMemory = p->managedMemory = p->unifiedAddressing = 1;
  return set_error(cudaSuccess);
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  if (const cudaError_t e = cudaGetDeviceProperties(&p, device); e != cudaSuccess) return e;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = p.maxThreadsPerBlock; break;
    case cudaDevAttrMaxBlockDimX:
    case cudaDevAttrMaxBlockDimY:
    case cudaDevAttrMaxBlockDimZ:
      *value = p.maxThreadsDim[attribute - cudaDevAttrMaxBlockDimX];
      break;
    case cudaDevAttrMaxGridDimX:
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ: *value = p.maxGridSize[attribute - cudaDevAttrMaxGridDimX]; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = p.maxThreadsPerMultiProcessor; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = int(p.sharedMemPerBlock); break;
    case cudaDevAttrWarpSize: *value = p.warpSize; break;
    case cudaDevAttrMultiProcessorCount: *value = p.multiProcessorCount; break;
    case cudaDevAttrComputeCapabilityMajor: *value = p.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = p.minor; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = int(p.sharedMemPerBlockOptin); break;
    default: return set_error(cudaErrorInvalidValue);
  }
  return set_error(cudaSuccess);
}

cudaError_t cudaDeviceSynchronize() {
  drain_all();
  check::host_waits_for_device();
  return set_error(cudaSuccess);
}

cudaError_t cudaDeviceReset() {
  drain_all();
  check::host_waits_for_device();
  free_all_memory();
  clear_errors();
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return set_error(cudaSuccess);
}

cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }
