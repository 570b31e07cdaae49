// The device: is there one, its memory, and copies to and from it.
//
// cudaMalloc and cudaFree each wait for the GPU; a training step would spend its time on them. So
// freed blocks are kept by size for the next request. A block may be handed out again while kernels
// that use it still wait to run: all work is on one stream, so the new owner's comes after.
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "cuda/cuda.h"
#include "cuda/cuda_backend.h"
#include "cuda/errors.h"

namespace gradus::cuda {

namespace {

// In a checked build of the emulator a pool would hide what is read after it was freed, or past the
// end, so each block is its own there.
#if defined(SIMT_EMULATOR) && (defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__))
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

/// Up to eight steps per power of two, so that at most an eighth is wasted.
size_t rounded(size_t bytes) {
  if (!kPooled) return bytes == 0 ? 1 : bytes;
  size_t step = 512;
  while (step * 16 <= bytes) step *= 2;
  return bytes == 0 ? step : (bytes + step - 1) / step * step;
}

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> free_blocks;
  int64_t taken = 0;  // from the device, in use or kept

  void* take(size_t bytes) {
    const std::lock_guard lock(mutex);
    std::vector<void*>& blocks = free_blocks[bytes];
    if (!blocks.empty()) {
      void* block = blocks.back();
      blocks.pop_back();
      return block;
    }
    void* block = nullptr;
    cudaError_t code = cudaMalloc(&block, bytes);
    if (code == cudaErrorMemoryAllocation) {  // other sizes than now were kept
      cudaGetLastError();
      release();
      code = cudaMalloc(&block, bytes);
    }
    if (code == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      fail_out_of_memory(bytes, taken);
    }
    check_cuda(code, "cudaMalloc");
    taken += static_cast<int64_t>(bytes);
    return block;
  }
  void give(void* block, size_t bytes) {
    const std::lock_guard lock(mutex);
    if (kPooled) return free_blocks[bytes].push_back(block);
    cudaFree(block);  // an error would be a kernel's: the next launch or copy reports it
    taken -= static_cast<int64_t>(bytes);
  }
  /// The caller holds the mutex.
  void release() {
    for (auto& [bytes, blocks] : free_blocks) {
      for (void* block : blocks) cudaFree(block);
      taken -= static_cast<int64_t>(bytes * blocks.size());
    }
    free_blocks.clear();
  }
};

// Never destroyed: tensors with static lifetime may be freed after it would be.
Pool& pool() {
  static Pool* p = new Pool;
  return *p;
}

std::atomic<int64_t> launched = 0, waited = 0;

cudaError_t count_devices(int& count) {
  count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  cudaGetLastError();  // having no GPU is an answer, not an error to find later
  return code;
}

}  // namespace

// ---- cuda.h

bool available() {
  int count;
  return count_devices(count) == cudaSuccess && count > 0;
}

void install() {
  static CudaBackend* const only = [] {
    int count;
    const cudaError_t code = count_devices(count);
    if (code != cudaSuccess) fail_without_device(cudaGetErrorString(code));
    if (count == 0) fail_without_device("none is installed");
    return new CudaBackend;
  }();
  set_backend(Device::CUDA, only);
}

const char* device_name() {
  static const cudaDeviceProp properties = [] {
    int device = 0;
    cudaDeviceProp p;
    check_cuda(cudaGetDevice(&device), "cudaGetDevice");
    check_cuda(cudaGetDeviceProperties(&p, device), "cudaGetDeviceProperties");
    return p;
  }();
  return properties.name;
}

bool emulated() {
#if defined(SIMT_EMULATOR)
  return true;
#else
  return false;
#endif
}

int64_t launches() { return launched; }
int64_t waits() { return waited; }

int64_t pool_bytes() {
  const std::lock_guard lock(pool().mutex);
  return pool().taken;
}
void empty_cache() {
  const std::lock_guard lock(pool().mutex);
  pool().release();
}

// ---- errors.h

void check_launch(std::string_view kernel) {
  static const bool wait = [] {
    const char* value = std::getenv("GRADUS_SYNC");
    return value != nullptr && value[0] == '1';
  }();
  ++launched;
  cudaError_t code = cudaGetLastError();
  if (code == cudaSuccess && wait) code = cudaStreamSynchronize(CudaBackend::stream());
  check_cuda(code, kernel);
}

// ---- The backend

void* CudaBackend::allocate(size_t bytes) { return pool().take(rounded(bytes)); }
void CudaBackend::deallocate(void* pointer, size_t bytes) noexcept {
  pool().give(pointer, rounded(bytes));
}

// cudaMemcpy on the default stream comes after all kernels before it, and returns when `to` may be
// read, or `from` written again. What waits for kernels also reports the bad indices that
// they found.
void CudaBackend::copy_from_host(void* to, const void* from, size_t bytes) {
  if (bytes) check_cuda(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copy to the device");
}
void CudaBackend::copy_to_host(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  ++waited;
  check_cuda(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copy from the device");
  throw_noted_error();
}
void CudaBackend::synchronize() {
  ++waited;
  check_cuda(cudaStreamSynchronize(stream()), "synchronize");
  throw_noted_error();
}

}  // namespace gradus::cuda
