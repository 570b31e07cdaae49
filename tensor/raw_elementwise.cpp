// Elementwise operations on values: checks of dtype and device, broadcasting, then one kernel.
#include "tensor/raw.h"

namespace gradus {

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape &longer = a.size() >= b.size() ? a : b, &shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const int extra = longer.size() - shorter.size();
  for (int d = 0; d < shorter.size(); ++d) {
    const int64_t n = longer[d + extra], m = shorter[d];
    check<ShapeError>(n == m || n == 1 || m == 1,
                      "{}: shapes {} and {} do not broadcast: {} against {}", op, a, b, n, m);
    out[d + extra] = n == 1 ? m : n;
  }
  return out;
}

namespace raw {
namespace {

/// x itself if it has the shape, or else `expanded`, which is set to it.
const Tensor& broadcast(const Tensor& x, const Shape& shape, Tensor& expanded) {
  if (x.shape() == shape) return x;
  return expanded = expand(x, shape);
}

void check_pair(const char* op, const Tensor& a, const Tensor& b) {
  check_defined(op, a, b);
  check<DTypeError>(a.dtype() == b.dtype(), "{}: {} with {}; convert one with to(x, {})", op,
                    name(a.dtype()), name(b.dtype()),
                    a.dtype() == F64 || b.dtype() == F64 ? "F64" : "F32");
  check<DeviceError>(a.device() == b.device(),
                     "{}: one tensor on {}, one on {}; move one with to(x, device)", op,
                     name(a.device()), name(b.device()));
}

void check_integers(const char* op, bool supported, const Tensor& x) {
  check<DTypeError>(supported || x.is_floating_point(),
                    "{}: not defined for int64; convert with to(x, F32)", op);
}

void check_mask(const char* op, const Tensor& mask, const Tensor& x) {
  check_defined(op, mask);
  check<DTypeError>(mask.dtype() == I64,
                    "{}: the mask is {}; it must be int64, as a comparison gives it", op,
                    name(mask.dtype()));
  check<DeviceError>(mask.device() == x.device(), "{}: mask on {}, values on {}", op,
                     name(mask.device()), name(x.device()));
}

}  // namespace

Tensor unary(const UnaryOp& op, const Tensor& x) {
  std::visit(
      [&](auto f) {
        check_defined(f.name, x);
        check_integers(f.name, f.integers, x);
        if constexpr (requires { f.c; }) check_scalar(f.name, f.c, x);
      },
      op);
  Tensor out = empty(x.shape(), x.options());
  backend(x.device()).unary(op, x.view(), out.view());
  return out;
}

Tensor binary(const BinaryOp& op, const Tensor& a, const Tensor& b) {
  const char* op_name = std::visit([](auto f) { return f.name; }, op);
  check_pair(op_name, a, b);
  std::visit([&](auto f) { check_integers(f.name, f.integers, a); }, op);
  const Shape shape = broadcast_shape(op_name, a.shape(), b.shape());
  Tensor out = empty(shape, a.options()), expanded_a, expanded_b;
  backend(a.device())
      .binary(op, broadcast(a, shape, expanded_a).view(), broadcast(b, shape, expanded_b).view(),
              out.view());
  return out;
}

Tensor compare(const CompareOp& op, const Tensor& a, const Tensor& b) {
  const char* op_name = std::visit([](auto f) { return f.name; }, op);
  check_pair(op_name, a, b);
  const Shape shape = broadcast_shape(op_name, a.shape(), b.shape());
  Tensor out = empty(shape, {I64, a.device()}), expanded_a, expanded_b;
  backend(a.device())
      .compare(op, broadcast(a, shape, expanded_a).view(), broadcast(b, shape, expanded_b).view(),
               out.view());
  return out;
}

Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b, const char* op_name) {
  check_pair(op_name, a, b);
  check_mask(op_name, mask, a);
  const Shape shape =
      broadcast_shape(op_name, mask.shape(), broadcast_shape(op_name, a.shape(), b.shape()));
  Tensor out = empty(shape, a.options());
  backend(a.device())
      .where(expand(mask, shape).view(), expand(a, shape).view(), expand(b, shape).view(),
             out.view());
  return out;
}

void fill_(const Tensor& out, double value) {
  check_scalar("fill_", value, out);
  out.written();
  backend(out.device()).fill(value, out.view());
}
void copy_(const Tensor& to, const Tensor& from) {
  check_defined("copy_", to, from);
  check<ShapeError>(to.shape() == from.shape(), "copy_: {} into {}", from.shape(), to.shape());
  check<DeviceError>(to.device() == from.device(), "copy_: {} to {}; use to(x, device)",
                     name(from.device()), name(to.device()));
  to.written();
  backend(to.device()).copy(from.view(), to.view());
}
void add_(const Tensor& to, const Tensor& x) {
  check_pair("add_", to, x);
  Tensor expanded;
  to.written();
  backend(to.device())
      .binary(scalar::Add{}, to.view(), broadcast(x, to.shape(), expanded).view(), to.view());
}
void mul_(const Tensor& to, double factor) {
  check_scalar("mul_", factor, to);
  to.written();
  backend(to.device()).unary(scalar::MulScalar{factor}, to.view(), to.view());
}

}  // namespace raw
}  // namespace gradus
