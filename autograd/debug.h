#pragma once
// GRADUS_CHECK_NAN=1 names the first operation whose output, or whose input's gradient, is not
// finite. Off, it costs one test of a constant.
#include <string_view>

#include "tensor/tensor.h"

namespace gradus {

/// Whether the environment asked for the check; set_check_nan overrides it.
bool check_nan_enabled();
void set_check_nan(bool on);

/// Throws Error naming `op`, and the first bad element, if the check is on and `value` holds NaN or
/// infinity.
void debug_check_finite(std::string_view op, const Tensor& value, std::string_view what = "output");

}  // namespace gradus
