#pragma once
// The CPU's side of the Backend interface; each family of kernels has a file of its own beside this
// one.
#include "tensor/backend.h"

namespace gradus::cpu {

class CpuBackend final : public Backend {
 public:
  void* allocate(size_t bytes) override;
  void deallocate(void* pointer, size_t bytes) noexcept override;
  void copy_from_host(void* to, const void* from, size_t bytes) override;
  void copy_to_host(void* to, const void* from, size_t bytes) override;
  void synchronize() override;

#define KERNEL(name, ...) void name(__VA_ARGS__) override;
#include "tensor/kernels.def"
#undef KERNEL
};

}  // namespace gradus::cpu
