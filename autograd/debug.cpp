#include "autograd/debug.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

namespace gradus {

namespace {
bool& flag() {
  static bool on = [] {
    const char* value = std::getenv("GRADUS_CHECK_NAN");
    return value && std::strcmp(value, "0") != 0 && *value;
  }();
  return on;
}
}  // namespace

bool check_nan_enabled() { return flag(); }
void set_check_nan(bool on) { flag() = on; }

void debug_check_finite(std::string_view op, const Tensor& value, std::string_view what) {
  if (!flag() || !value.defined() || !value.is_floating_point()) return;
  const std::vector<double> values = value.to_vector<double>();
  for (size_t i = 0; i < values.size(); ++i)
    check<Error>(
        std::isfinite(values[i]),
        "{}: the {} of shape {} holds {} at position {}; every operation before it was finite", op,
        what, value.shape(), values[i], i);
}

}  // namespace gradus
