// Checks that several operations of tensor/raw.h share: kernels trust their input.
#include <cmath>

#include "tensor/raw.h"

namespace gradus::raw {

void check_same_device(const char* op, std::initializer_list<Operand> operands) {
  const Operand& first = *operands.begin();
  check_defined(op, first.tensor);
  for (const Operand& o : operands)
    check<DeviceError>(!o.tensor.defined() || o.tensor.device() == first.tensor.device(),
                       "{}: {} is on {}, {} is on {}; move one with to(x, device)", op, first.name,
                       name(first.tensor.device()), o.name,
                       o.tensor.defined() ? name(o.tensor.device()) : "");
}

void check_same_options(const char* op, std::initializer_list<Operand> operands) {
  const Operand& first = *operands.begin();
  check_defined(op, first.tensor);
  const char* dtype = first.tensor.dtype() == F64 ? "F64" : "F32";
  for (const Operand& o : operands)
    check<DTypeError>(
        !o.tensor.defined() || o.tensor.dtype() == first.tensor.dtype(),
        "{}: {} is {}, {} is {}; convert one with to(x, {}), or a module with its to()", op,
        first.name, name(first.tensor.dtype()), o.name,
        o.tensor.defined() ? name(o.tensor.dtype()) : "", dtype);
  check_same_device(op, operands);
}

void check_floating(const char* op, std::initializer_list<Operand> operands) {
  const Operand& first = *operands.begin();
  check_defined(op, first.tensor);
  check<DTypeError>(first.tensor.is_floating_point(),
                    "{}: not defined for int64, but {} is; convert it with to(x, F32)", op,
                    first.name);
  check_same_options(op, operands);
}

void check_shape(const char* op, const Operand& o, const Shape& shape) {
  check_defined(op, o.tensor);
  check<ShapeError>(o.tensor.shape() == shape, "{}: {} is {}; it must be {}", op, o.name,
                    o.tensor.shape(), shape);
}

void check_contiguous(const char* op, const Operand& o) {
  check_defined(op, o.tensor);
  check<ValueError>(o.tensor.is_contiguous(),
                    "{}: {} is not contiguous: strides {} for shape {}; write into a new tensor",
                    op, o.name, o.tensor.strides(), o.tensor.shape());
}

void check_scalar(const char* op, double c, const Tensor& x) {
  check_defined(op, x);
  check<ValueError>(x.is_floating_point() || (c == std::trunc(c) && std::abs(c) < 0x1p63),
                    "{}: {} is not an int64, but the tensor is; convert it with to(x, F32)", op, c);
}

}  // namespace gradus::raw
