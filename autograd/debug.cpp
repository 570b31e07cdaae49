#include "autograd/debug.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace gradus {

namespace {
std::atomic<bool>& flag() {
  static std::atomic<bool> on = [] {
    const char* value = std::getenv("GRADUS_CHECK_NAN");
    return value && std::strcmp(value, "0") != 0 && *value;
  }();
  return on;
}
thread_local int pauses = 0;
}  // namespace

bool check_nan_enabled() { return flag(); }
void set_check_nan(bool on) { flag() = on; }

CheckNanPause::CheckNanPause(bool on) : on_(on) { pauses += on_; }
CheckNanPause::~CheckNanPause() { pauses -= on_; }

void debug_check_finite(std::string_view op, const Tensor& value, std::string_view what) {
  if (!flag() || pauses > 0 || !value.defined() || !value.is_floating_point()) return;
  const std::vector<double> values = value.to_vector<double>();
  for (size_t i = 0; i < values.size(); ++i)
    check<Error>(
        std::isfinite(values[i]),
        "{}: the {} of shape {} holds {} at position {}; every operation before it was finite", op,
        what, value.shape(), values[i], i);
}

}  // namespace gradus
