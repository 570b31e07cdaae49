#pragma once
// GRADUS_CHECK_NAN=1 names the first operation whose output, or whose input's gradient, is not
// finite. Off, it costs one test of a flag.
#include <string_view>

#include "tensor/tensor.h"

namespace gradus {

/// Whether the environment asked for the check; set_check_nan overrides it, for all threads.
bool check_nan_enabled();
void set_check_nan(bool on);

/// No check for a scope, on this thread. What a closure computes on its way is its own affair: only the gradient that
/// it returns is checked, and that under the name of an operation that the user wrote.
class CheckNanPause {
 public:
  explicit CheckNanPause(bool on = true);
  ~CheckNanPause();
  CheckNanPause(const CheckNanPause&) = delete;
  CheckNanPause& operator=(const CheckNanPause&) = delete;

 private:
  bool on_;
};

/// Throws Error naming `op`, and the first bad element, if the check is on and `value` holds NaN or
/// infinity. masked_fill with a value that is not finite is left out: there it is meant.
void debug_check_finite(std::string_view op, const Tensor& value, std::string_view what = "output");

}  // namespace gradus
