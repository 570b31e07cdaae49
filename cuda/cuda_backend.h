#pragma once
// The GPU's side of the Backend interface; each family of kernels has a `.cu` file of its own
// beside this one.
#include "cuda/gpu.h"
#include "tensor/backend.h"

namespace gradus::cuda {

class CudaBackend final : public Backend {
 public:
  void* allocate(size_t bytes) override;
  void deallocate(void* pointer, size_t bytes) noexcept override;
  void copy_from_host(void* to, const void* from, size_t bytes) override;
  void copy_to_host(void* to, const void* from, size_t bytes) override;
  void synchronize() override;

#define KERNEL(name, ...) void name(__VA_ARGS__) override;
#include "tensor/kernels.def"
#undef KERNEL

  /// Everything runs on one stream, in the order in which it was asked for: CUDA's default stream.
  static cudaStream_t stream() { return nullptr; }

 private:
  /// IndexError for the first bad index that check_indices has found since the last call. The
  /// stream has been waited for.
  static void throw_noted_error();
  template <class T>
  void product(const View& a, const View& b, double beta, const View& out);
};

}  // namespace gradus::cuda
