// The memory of a device: taking it, giving it back, and copying between devices.
#include <atomic>

#include "tensor/raw.h"

namespace gradus {

namespace {
std::atomic<int64_t> live_storages{0};
}

Storage::Storage(size_t bytes, Device device)
    : data_(backend(device).allocate(bytes)),
      bytes_(bytes),
      device_(device),
      made_(current_event()),
      version_(made_) {
  ++live_storages;
}
Storage::Storage(void* data, size_t bytes, std::shared_ptr<void> owner)
    : data_(data),
      bytes_(bytes),
      device_(Device::CPU),
      borrowed_(true),
      made_(current_event()),
      version_(made_),
      owner_(std::move(owner)) {
  ++live_storages;
}
Storage::~Storage() {
  if (!borrowed_) backend(device_).deallocate(data_, bytes_);
  --live_storages;
}
int64_t Storage::live_count() { return live_storages; }

namespace raw {

void from_host_(const Tensor& out, const void* values) {
  check_contiguous("from_host_", {"the result", out});
  out.written();
  const size_t bytes = static_cast<size_t>(out.numel()) * size_of(out.dtype());
  backend(out.device()).copy_from_host(out.view().data, values, bytes);
}

Tensor to(const Tensor& x, Device device) {
  check_defined("to", x);
  if (x.device() == device) return x;
  const Tensor from = contiguous(x);
  Tensor out = empty(x.shape(), {x.dtype(), device});
  if (device != Device::CPU) {
    from_host_(out, from.view().data);
    return out;
  }
  const size_t bytes = static_cast<size_t>(x.numel()) * size_of(x.dtype());
  backend(x.device()).copy_to_host(out.view().data, from.view().data, bytes);
  return out;
}

}  // namespace raw
}  // namespace gradus
