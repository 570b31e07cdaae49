#pragma once
// A tensor is a handle to storage (the numbers) and a way to look at it (shape, strides, offset).
// Copying a Tensor shares both; a view shares the storage and looks at it differently. Operations
// are free functions: tensor/raw.h computes, autograd/ops.h computes and records. Nothing here
// knows how to differentiate; the slots for a gradient and a graph node are filled by autograd/.
#include <atomic>
#include <concepts>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/shape.h"

namespace gradus {

struct Node;  // autograd/node.h

/// The C++ types that a tensor's elements may have.
template <class T>
concept Element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, int64_t>;

/// A clock for memory and graphs. It advances with every recorded operation and every write into an
/// existing tensor. Of two events, the later one has the larger number.
uint64_t current_event();
uint64_t next_event();

/// A block of a device's memory; freed with the last tensor that shares it.
class Storage {
 public:
  Storage(size_t bytes, Device device);
  /// Memory that belongs to `owner`, which is kept alive.
  Storage(void* data, size_t bytes, std::shared_ptr<void> owner);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  /// The event of the last write in place, or else of its making.
  uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  uint64_t made() const { return made_; }
  void written() { version_.store(next_event(), std::memory_order_relaxed); }
  /// How many storages are alive; a leak test compares this before and after.
  static int64_t live_count();

 private:
  void* data_;
  size_t bytes_;
  Device device_;
  bool borrowed_ = false;
  uint64_t made_;
  std::atomic<uint64_t> version_;
  std::shared_ptr<void> owner_;
};

/// Where factories put tensors unless told otherwise: the CPU, or the device that was set. It holds
/// for all threads. A device without a backend gives a DeviceError at its first tensor.
Device get_default_device();
void set_default_device(Device device);

/// Dtype and device for a factory: zeros({2, 3}, F64), zeros({2, 3}, {F32, Device::CUDA}).
struct Options {
  DType dtype = F32;
  Device device = get_default_device();
  Options() = default;
  Options(DType t) : dtype(t) {}
  Options(DType t, Device d) : dtype(t), device(d) {}
};

class Tensor {
 public:
  struct Impl;
  Tensor() = default;  // undefined: only defined() and requires_grad() work, the rest is an Error
  explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  const Shape& strides() const;
  int dim() const { return shape().size(); }
  /// The size along d; a negative d counts from the end. IndexError outside [-dim, dim).
  int64_t size(int d) const;
  int64_t numel() const { return shape().numel(); }
  DType dtype() const;
  Device device() const;
  bool is_contiguous() const;
  bool is_floating_point() const { return dtype() != I64; }
  Options options() const { return {dtype(), device()}; }

  /// A pointer to the first element, for host code: data<float>() to write, data<const float>() to
  /// read. data<float>() counts as a write (see written()). DTypeError if T is not the dtype,
  /// DeviceError if the tensor is not on the CPU.
  template <class T>
  requires Element<std::remove_const_t<T>> T* data() const;
  /// Says that the elements have been or will be changed in place. A backward pass that needs the
  /// old ones then throws a GradError, instead of computing a wrong gradient. raw::…_ and
  /// optimizers call this themselves.
  void written() const;
  /// The only element, as a double. ShapeError if there are several or none.
  double item() const;
  int64_t item_int() const;
  /// All elements in row order, converted to T.
  template <Element T = float>
  std::vector<T> to_vector() const;

  // The slots of autograd/.
  bool requires_grad() const;
  /// Says whether to differentiate with respect to this leaf; returns *this. DTypeError for I64.
  const Tensor& set_requires_grad(bool on = true) const;
  bool is_leaf() const;
  /// The gradient that backward() left here; undefined before that. GradError for the result of a
  /// recorded operation, which gets none.
  const Tensor& grad() const;
  /// ShapeError, DTypeError or DeviceError unless g fits this tensor; an undefined g clears it.
  void set_grad(Tensor g) const;
  void zero_grad() const { set_grad(Tensor()); }
  /// The same storage without history.
  Tensor detach() const;

  View view() const;
  Impl* impl() const { return impl_.get(); }
  bool sole_handle() const { return impl_.use_count() == 1; }
  const std::shared_ptr<Impl>& impl_ptr() const { return impl_; }
  /// Nobody else holds this handle or its storage, so nobody sees a write in place.
  bool unique() const;

 private:
  Impl& checked() const;
  std::shared_ptr<Impl> impl_;
};

[[noreturn]] void refuse_undefined(const char* op);
/// An Error that names `op`, unless all tensors are defined.
template <std::same_as<Tensor>... Tensors>
void check_defined(const char* op, const Tensors&... tensors) {
  if (!(tensors.defined() && ...)) [[unlikely]]
    refuse_undefined(op);
}

struct Tensor::Impl {
  Impl() = default;
  ~Impl();  // gradients may have gradients, a million deep: so not by recursion
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::shared_ptr<Storage> storage;
  Shape shape, strides;
  int64_t offset = 0;
  DType dtype = F32;
  bool requires_grad = false;  // a leaf that wants a gradient
  std::shared_ptr<Node> node;  // how it was computed, if that was recorded
  Tensor grad;
  std::vector<std::function<Tensor(const Tensor&)>> hooks;  // of a leaf; others have them in node
};

// Inline, because every operation calls these several times.
inline Tensor::Impl& Tensor::checked() const {
  check_defined("tensor", *this);
  return *impl_;
}
inline const Shape& Tensor::shape() const { return checked().shape; }
inline const Shape& Tensor::strides() const { return checked().strides; }
inline DType Tensor::dtype() const { return checked().dtype; }
inline Device Tensor::device() const { return checked().storage->device(); }

/// Alive while a closure of the operation `op`, recorded at event `recorded`, runs on this
/// thread. A tensor made before that event and written after it is not what the closure saved, so
/// reading it is a GradError. `arriving`, the gradient that the pass began with, is exempt.
class SavedTensorsCheck {
 public:
  SavedTensorsCheck(std::string_view op, uint64_t recorded, const Storage* arriving);
  ~SavedTensorsCheck();
  SavedTensorsCheck(const SavedTensorsCheck&) = delete;
  SavedTensorsCheck& operator=(const SavedTensorsCheck&) = delete;
  void require_unchanged(const Tensor::Impl& x) const;

 private:
  std::string_view op_;
  uint64_t recorded_;
  const Storage* arriving_;
  const SavedTensorsCheck* outer_;
};

/// "float32", "float64", "int64"; "cpu", "cuda".
const char* name(DType dtype);
const char* name(Device device);
size_t size_of(DType dtype);
template <Element T>
constexpr DType dtype_of() {
  return std::is_same_v<T, float> ? F32 : std::is_same_v<T, double> ? F64 : I64;
}

// Factories. ShapeError for a negative size, ValueError for a value that an int64 cannot hold. A
// value too large for a float32 becomes infinity.
Tensor empty(const Shape& shape, Options options = {});
Tensor full(const Shape& shape, double value, Options options = {});  // full({}, 3) is a 0-d tensor
Tensor zeros(const Shape& shape, Options options = {});
Tensor ones(const Shape& shape, Options options = {});
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
/// start, start + step, … below end (above it, if step is negative); I64 unless told otherwise.
Tensor arange(double start, double end, double step = 1, Options options = I64);
Tensor arange(int64_t end);
template <std::floating_point T>
Tensor arange(T end) {  // arange(2.5) is 0, 1, 2
  return arange(0.0, static_cast<double>(end));
}
/// n evenly spaced numbers from start to end, both included; I64 rounds them toward zero.
Tensor linspace(double start, double end, int64_t n, Options options = {});
Tensor eye(int64_t n, Options options = {});
/// A copy of `values` in row order: 1-d, unless a shape is given, as in
/// tensor<float>({1, 2, 3, 4}, {2, 2}).
template <Element T>
Tensor tensor(const std::vector<T>& values, const Shape& shape,
              Device device = get_default_device());
template <Element T>
Tensor tensor(const std::vector<T>& values) {
  return tensor(values, Shape{static_cast<int64_t>(values.size())});
}
/// A tensor over existing memory, without a copy. It keeps `owner` alive as long as it lives.
Tensor from_memory(void* data, const Shape& shape, DType dtype, std::shared_ptr<void> owner = {});

/// As NumPy prints an array: nested brackets, columns aligned, long dimensions elided.
std::string to_string(const Tensor& x, int precision = 4);
std::ostream& operator<<(std::ostream& out, const Tensor& x);

}  // namespace gradus

template <>
struct fmt::formatter<gradus::Tensor> {
  constexpr auto parse(fmt::format_parse_context& ctx) { return ctx.begin(); }
  fmt::appender format(const gradus::Tensor& x, fmt::format_context& ctx) const;  // to_string(x)
};
