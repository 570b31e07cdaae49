// Which backend serves which device.
#include "tensor/backend.h"

#include <array>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/error.h"

namespace gradus {

namespace {
std::array<Backend*, 2>& table() {
  static cpu::CpuBackend cpu_backend;
  static std::array<Backend*, 2> backends{&cpu_backend, nullptr};
  return backends;
}
}  // namespace

Backend& backend(Device device) {
  Backend* b = table()[static_cast<size_t>(device)];
  check<DeviceError>(b != nullptr,
                     "device cuda: this program was built without it, or no GPU was found; "
                     "use the cpu");
  return *b;
}
void bad_index(const char* op, int64_t index, int64_t position, int64_t size) {
  throw IndexError(
      fmt::format("{}: index {} at position {} is outside [0, {})", op, index, position, size));
}
void set_backend(Device device, Backend* b) { table()[static_cast<size_t>(device)] = b; }

}  // namespace gradus
