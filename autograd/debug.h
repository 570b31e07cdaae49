#pragma once
// GRADUS_CHECK_NAN=1 names the first operation whose output, or whose gradient of an input, is not
// finite. When it is off, it costs one test of a flag.
#include <string_view>

#include "tensor/tensor.h"

namespace gradus {

/// Whether the environment asked for the check; set_check_nan overrides it, for all threads.
bool check_nan_enabled();
void set_check_nan(bool on);

/// Switches the check off for a scope, on this thread. The engine does this around a closure: of
/// all that it computes, only the result is checked, under the name of the user's operation.
class CheckNanPause {
 public:
  explicit CheckNanPause(bool on = true);
  ~CheckNanPause();
  CheckNanPause(const CheckNanPause&) = delete;
  CheckNanPause& operator=(const CheckNanPause&) = delete;

 private:
  bool on_;
};

/// If the check is on and `value` holds NaN or infinity, throws an Error that names `op` and the
/// first such element. masked_fill with an infinite value is exempt: there it is intended.
void debug_check_finite(std::string_view op, const Tensor& value, std::string_view what = "output");

}  // namespace gradus
