#pragma once
// What a device must provide: memory, and the kernels that tensor/kernels.def lists. The CPU's are
// in tensor/cpu/, a GPU's in cuda/.
#include <optional>
#include <span>

#include "tensor/philox.h"
#include "tensor/scalar_ops.h"
#include "tensor/view.h"

namespace gradus {

enum class ArgOp { Max, Min };

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, first;  // first: the momentum buffer starts as the gradient itself
};
struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;  // AdamW: the decay acts on the parameter, not on the gradient
  int64_t step;    // 1, 2, 3, …
};
struct RmspropStep {
  double lr, alpha, eps, weight_decay, momentum;
};

/// A parameter, its gradient, and what an optimizer remembers about it. An optimizer that needs
/// fewer than two states leaves the rest empty. SGD: momentum buffer. Adam: exp_avg, exp_avg_sq.
/// RMSprop: square_avg, momentum buffer.
struct ParameterViews {
  View value, gradient, state[2];
};

class Backend {
 public:
  virtual ~Backend() = default;

  // Memory.
  virtual void* allocate(size_t bytes) = 0;
  virtual void deallocate(void* pointer, size_t bytes) noexcept = 0;
  virtual void copy_from_host(void* to, const void* from, size_t bytes) = 0;
  virtual void copy_to_host(void* to, const void* from, size_t bytes) = 0;
  virtual void synchronize() = 0;

#define KERNEL(name, ...) virtual void name(__VA_ARGS__) = 0;
#include "tensor/kernels.def"
#undef KERNEL
};

/// Throws the IndexError of check_indices, the same on every device. `position` counts row by row.
[[noreturn]] void bad_index(const char* op, int64_t index, int64_t position, int64_t size);

/// The backend of a device; DeviceError if none has been set.
Backend& backend(Device device);
/// Makes `b` the backend of `device`. The CPU's is set from the start.
void set_backend(Device device, Backend* b);

}  // namespace gradus
