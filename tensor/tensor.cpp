// The handle itself: properties, the factories, and conversions from and to host memory.
#include "tensor/tensor.h"

#include <atomic>
#include <cmath>
#include <numeric>

#include "tensor/raw.h"

namespace gradus {

namespace {
std::atomic<uint64_t> events{0};
thread_local const SavedTensorsCheck* saved_tensors = nullptr;

Tensor tensor_over(std::shared_ptr<Storage> storage, const Shape& shape, DType dtype) {
  auto impl = std::make_shared<Tensor::Impl>();
  impl->storage = std::move(storage);
  impl->shape = shape;
  impl->strides = shape.contiguous_strides();
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}
}  // namespace

uint64_t current_event() { return events.load(std::memory_order_relaxed); }
uint64_t next_event() { return events.fetch_add(1, std::memory_order_relaxed) + 1; }

const char* name(DType dtype) {
  return dtype == F32 ? "float32" : dtype == F64 ? "float64" : "int64";
}
const char* name(Device device) { return device == Device::CPU ? "cpu" : "cuda"; }
size_t size_of(DType dtype) { return dtype == F32 ? 4 : 8; }

static std::atomic<Device> default_device{Device::CPU};
Device get_default_device() { return default_device.load(std::memory_order_relaxed); }
void set_default_device(Device device) { default_device = device; }

Tensor::Impl::~Impl() {
  Tensor next = std::move(grad);
  while (next.sole_handle()) next = Tensor(std::move(next.impl()->grad));
}

// ---- Properties

void refuse_undefined(const char* op) {
  throw Error(
      fmt::format("{}: a tensor has no value yet; assign one first (a gradient has none before "
                  "backward())",
                  op));
}
int64_t Tensor::size(int d) const {
  check<IndexError>(dim() > 0, "size: dimension {} of a tensor with 0 dimensions", d);
  return shape()[normalize_dim("size", d, dim())];
}
bool Tensor::is_contiguous() const { return view().contiguous(); }

SavedTensorsCheck::SavedTensorsCheck(std::string_view op, uint64_t recorded,
                                     const Storage* arriving)
    : op_(op), recorded_(recorded), arriving_(arriving), outer_(saved_tensors) {
  saved_tensors = this;
}
SavedTensorsCheck::~SavedTensorsCheck() { saved_tensors = outer_; }
void SavedTensorsCheck::require_unchanged(const Tensor::Impl& x) const {
  const Storage& s = *x.storage;
  check<GradError>(
      s.made() >= recorded_ || s.version() <= recorded_ || &s == arriving_,
      "backward: \"{}\" saved a tensor of shape {} that was changed in place since: recorded at "
      "event {}, the tensor is of version {}; call backward() before the optimizer steps, or "
      "compute the forward again",
      op_, x.shape, recorded_, s.version());
}

View Tensor::view() const {
  const Impl& impl = checked();
  if (saved_tensors) saved_tensors->require_unchanged(impl);
  View v;
  v.data = static_cast<char*>(impl.storage->data()) +
           impl.offset * static_cast<int64_t>(size_of(impl.dtype));
  v.dtype = impl.dtype;
  v.ndim = impl.shape.size();
  std::copy(impl.shape.begin(), impl.shape.end(), v.sizes);
  std::copy(impl.strides.begin(), impl.strides.end(), v.strides);
  return v;
}

template <class T>
requires Element<std::remove_const_t<T>> T* Tensor::data() const {
  constexpr DType requested = dtype_of<std::remove_const_t<T>>();
  check_defined("data", *this);
  check<DTypeError>(dtype() == requested,
                    "data: the tensor holds {}, not {}; convert with to(x, …)", name(dtype()),
                    name(requested));
  check<DeviceError>(device() == Device::CPU,
                     "data: the tensor is on {}; bring it over with to(x, Device::CPU)",
                     name(device()));
  if constexpr (!std::is_const_v<T>) written();
  return view().as<std::remove_const_t<T>>();
}
template float* Tensor::data() const;
template double* Tensor::data() const;
template int64_t* Tensor::data() const;
template const float* Tensor::data() const;
template const double* Tensor::data() const;
template const int64_t* Tensor::data() const;

void Tensor::written() const { checked().storage->written(); }

static void check_single(const char* op, const Tensor& x) {
  check_defined(op, x);
  check<ShapeError>(x.numel() == 1, "{}: a tensor of shape {} has {} elements, not one", op,
                    x.shape(), x.numel());
}
double Tensor::item() const {
  check_single("item", *this);
  return to_vector<double>()[0];
}
int64_t Tensor::item_int() const {
  check_single("item_int", *this);
  return to_vector<int64_t>()[0];
}

template <Element T>
std::vector<T> Tensor::to_vector() const {
  check_defined("to_vector", *this);
  const Tensor x = raw::contiguous(raw::to(raw::to(*this, Device::CPU), dtype_of<T>()));
  const T* p = x.data<const T>();
  return std::vector<T>(p, p + x.numel());
}
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<int64_t> Tensor::to_vector() const;

bool Tensor::requires_grad() const { return impl_ && (impl_->node || impl_->requires_grad); }
bool Tensor::is_leaf() const { return !checked().node; }
const Tensor& Tensor::set_requires_grad(bool on) const {
  check_defined("set_requires_grad", *this);
  check<DTypeError>(!on || is_floating_point(),
                    "set_requires_grad: {} tensors have no gradient; convert with to(x, F32)",
                    name(dtype()));
  check<GradError>(is_leaf(),
                   "set_requires_grad: the tensor is the result of a recorded operation; "
                   "detach() it first");
  impl_->requires_grad = on;
  return *this;
}
const Tensor& Tensor::grad() const {
  check_defined("grad", *this);
  check<GradError>(is_leaf() || impl_->grad.defined(),
                   "grad: the tensor is the result of a recorded operation, not a leaf, and "
                   "backward() leaves gradients only in leaves. If `w -= lr * w.grad()` made it: "
                   "let an optimizer step (SGD opt({{w}}, lr)), or write, under NoGrad, "
                   "w = (w - lr * w.grad()).set_requires_grad()");
  return checked().grad;
}
void Tensor::set_grad(Tensor g) const {
  check_defined("set_grad", *this);
  if (g.defined()) {
    check<ShapeError>(g.shape() == shape(), "set_grad: a gradient of shape {} for a tensor of {}",
                      g.shape(), shape());
    check<DTypeError>(g.dtype() == dtype(), "set_grad: a gradient of {} for a tensor of {}",
                      name(g.dtype()), name(dtype()));
    check<DeviceError>(g.device() == device(), "set_grad: a gradient on {} for a tensor on {}",
                       name(g.device()), name(device()));
  }
  checked().grad = std::move(g);
}

Tensor Tensor::detach() const {
  const Impl& impl = checked();
  auto copy = std::make_shared<Impl>();
  copy->storage = impl.storage;
  copy->shape = impl.shape;
  copy->strides = impl.strides;
  copy->offset = impl.offset;
  copy->dtype = impl.dtype;
  return Tensor(std::move(copy));
}
bool Tensor::unique() const { return impl_.use_count() == 1 && impl_->storage.use_count() == 1; }

// ---- Factories

int64_t Shape::checked_numel(const char* op) const {
  int64_t n = 1;
  for (int64_t s : *this) check<ShapeError>(s >= 0, "{}: negative size in {}", op, *this);
  for (int64_t s : *this)
    check<ShapeError>(
        !__builtin_mul_overflow(n, std::max<int64_t>(s, 1), &n) && n < (int64_t{1} << 56),
        "{}: a tensor of shape {} does not fit into memory", op, *this);
  return numel();
}

Tensor empty(const Shape& shape, Options options) {
  const size_t bytes = static_cast<size_t>(shape.checked_numel("empty")) * size_of(options.dtype);
  return tensor_over(std::make_shared<Storage>(bytes, options.device), shape, options.dtype);
}

static Tensor filled(const char* op, const Shape& shape, double value, Options options) {
  shape.checked_numel(op);
  Tensor x = empty(shape, options);
  raw::check_scalar(op, value, x);
  raw::fill_(x, value);
  return x;
}
static Tensor filled_like(const char* op, const Tensor& x, double value) {
  check_defined(op, x);
  return filled(op, x.shape(), value, x.options());
}
Tensor full(const Shape& shape, double value, Options options) {
  return filled("full", shape, value, options);
}
Tensor zeros(const Shape& shape, Options options) { return filled("zeros", shape, 0, options); }
Tensor ones(const Shape& shape, Options options) { return filled("ones", shape, 1, options); }
Tensor zeros_like(const Tensor& x) { return filled_like("zeros_like", x, 0); }
Tensor ones_like(const Tensor& x) { return filled_like("ones_like", x, 1); }

template <Element T>
Tensor tensor(const std::vector<T>& values, const Shape& shape, Device device) {
  const auto n = static_cast<int64_t>(values.size());
  check<ShapeError>(n == shape.checked_numel("tensor"),
                    "tensor: {} values do not fill the shape {}", n, shape);
  Tensor x = empty(shape, {dtype_of<T>(), device});
  raw::from_host_(x, values.data());
  return x;
}
template Tensor tensor(const std::vector<float>&, const Shape&, Device);
template Tensor tensor(const std::vector<double>&, const Shape&, Device);
template Tensor tensor(const std::vector<int64_t>&, const Shape&, Device);

Tensor from_memory(void* data, const Shape& shape, DType dtype, std::shared_ptr<void> owner) {
  const size_t bytes = static_cast<size_t>(shape.checked_numel("from_memory")) * size_of(dtype);
  check<ValueError>(data != nullptr || bytes == 0, "from_memory: a null pointer for shape {}",
                    shape);
  return tensor_over(std::make_shared<Storage>(data, bytes, std::move(owner)), shape, dtype);
}

Tensor arange(double start, double end, double step, Options options) {
  check<ValueError>(std::isfinite(start) && std::isfinite(end) && std::isfinite(step) && step != 0,
                    "arange: from {} to {} by {}; all must be finite, and the step not 0", start,
                    end, step);
  check<ValueError>(
      options.dtype != I64 || (start == std::trunc(start) && step == std::trunc(step)),
      "arange: from {} by {} does not give int64; ask for F32 or F64", start, step);
  const double count = std::max(0.0, std::ceil((end - start) / step));
  check<ValueError>(count < 0x1p56, "arange: from {} to {} by {} takes too many steps", start, end,
                    step);
  const Tensor x = empty({static_cast<int64_t>(count)}, {F64, Device::CPU});
  double* p = x.data<double>();
  for (int64_t i = 0; i < x.numel(); ++i) p[i] = start + static_cast<double>(i) * step;
  return raw::to(raw::to(x, options.dtype), options.device);
}
Tensor arange(int64_t end) {
  const Shape shape{std::max<int64_t>(end, 0)};
  shape.checked_numel("arange");
  const Tensor x = empty(shape, {I64, Device::CPU});
  std::iota(x.data<int64_t>(), x.data<int64_t>() + x.numel(), int64_t{0});
  return raw::to(x, get_default_device());
}
Tensor linspace(double start, double end, int64_t n, Options options) {
  check<ValueError>(n >= 1, "linspace: {} points; at least one is needed", n);
  const Tensor x = filled("linspace", {n}, start, {F64, Device::CPU});
  double* p = x.data<double>();
  for (int64_t i = 1; i < n; ++i)
    p[i] = start + (end - start) * static_cast<double>(i) / static_cast<double>(n - 1);
  if (n > 1) p[n - 1] = end;  // exactly
  return raw::to(raw::to(x, options.dtype), options.device);
}
Tensor eye(int64_t n, Options options) {
  Tensor x = filled("eye", {n, n}, 0, options);
  raw::fill_(raw::as_strided(x, {n}, {n + 1}, 0), 1);
  return x;
}

}  // namespace gradus
