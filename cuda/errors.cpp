// The throwing half of errors.h.
#include "tensor/error.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradus::cuda {

// As in errors.h, which needs CUDA's headers; this file is plain C++.
[[noreturn]] void fail(std::string_view doing, const char* name, const char* description);
[[noreturn]] void fail_without_device(const char* reason);
[[noreturn]] void fail_out_of_memory(size_t bytes, int64_t taken);

void fail(std::string_view doing, const char* name, const char* description) {
  throw CudaError(
      fmt::format("{}: {}: {}. Kernels run asynchronously: if this one looks innocent, run again "
                  "with GRADUS_SYNC=1, which names the kernel that failed",
                  doing, name, description));
}

void fail_without_device(const char* reason) {
  throw DeviceError(fmt::format(
      "device cuda: no GPU can be used: {}. `nvidia-smi` should list one, with a driver "
      "as new as this program's CUDA; or use the cpu",
      reason));
}

void fail_out_of_memory(size_t bytes, int64_t taken) {
  throw CudaError(
      fmt::format("out of device memory: {} bytes asked for, {} bytes already taken; a smaller "
                  "batch needs less",
                  bytes, taken));
}

}  // namespace gradus::cuda
