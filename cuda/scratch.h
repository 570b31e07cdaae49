#pragma once
// Device memory for the length of one call. It goes back to the pool while kernels that use it may
// still be waiting to run: whoever takes it next runs after them, on the same stream.
#include "tensor/backend.h"

namespace gradus::cuda {

template <class T>
class Scratch {
 public:
  Scratch(Backend& backend, int64_t n)
      : backend_(backend),
        bytes_(static_cast<size_t>(n) * sizeof(T)),
        data_(static_cast<T*>(backend.allocate(bytes_))) {}
  ~Scratch() { backend_.deallocate(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const { return data_; }

 private:
  Backend& backend_;
  size_t bytes_;
  T* data_;
};

}  // namespace gradus::cuda
