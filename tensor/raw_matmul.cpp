// Matrix products on values: every case becomes one call of the backend's product.
#include "tensor/raw.h"

namespace gradus::raw {

namespace {
/// (…, M, K) as (batch, M, K): a view where the strides allow.
Tensor batched(const Tensor& x) { return reshape(x, {-1, x.size(-2), x.size(-1)}); }
}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  check_defined("matmul", a, b);
  check_floating("matmul", {{"the left factor", a}, {"the right one", b}});
  check<ShapeError>(a.dim() > 0 && b.dim() > 0,
                    "matmul: {} @ {}: a 0-d tensor is not a matrix; use *", a.shape(), b.shape());
  if (a.dim() == 1) return squeeze(matmul(unsqueeze(a, 0), b), b.dim() == 1 ? 0 : -2);
  if (b.dim() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  const int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1);
  check<ShapeError>(k == b.size(-2), "matmul: inner sizes differ: {} @ {}", a.shape(), b.shape());
  const Shape a_batch(
      std::span<const int64_t>(a.shape().begin(), static_cast<size_t>(a.dim() - 2)));
  const Shape b_batch(
      std::span<const int64_t>(b.shape().begin(), static_cast<size_t>(b.dim() - 2)));
  const Shape batch = broadcast_shape("matmul, batch dimensions", a_batch, b_batch);
  const auto in_batch = [&](int64_t rows, int64_t columns) {
    Shape shape = batch;
    shape.push_back(rows);
    shape.push_back(columns);
    return shape;
  };
  Tensor out = empty(in_batch(m, n), a.options());
  if (out.numel() == 0) return out;
  Backend& device = backend(a.device());
  if (k == 0) {
    device.fill(0, out.view());
  } else if (b.dim() == 2 && view_as(a, {a.numel() / k, k}).defined()) {
    // one matrix b for the whole batch: the rows of all a are one tall matrix
    device.matmul(view_as(a, {a.numel() / k, k}).view(), b.view(), 0,
                  view_as(out, {out.numel() / n, n}).view());
  } else {
    device.matmul(batched(expand(a, in_batch(m, k))).view(),
                  batched(expand(b, in_batch(k, n))).view(), 0, batched(out).view());
  }
  return out;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_defined("linear", x, weight);
  check_floating("linear", {{"x", x}, {"weight", weight}, {"bias", bias}});
  check<ShapeError>(
      x.dim() >= 1 && weight.dim() == 2 && x.size(-1) == weight.size(1),
      "linear: x {} does not fit weight {}: the last size of x must be the second of weight",
      x.shape(), weight.shape());
  const int64_t c = weight.size(1), o = weight.size(0);
  Shape shape = x.shape();
  shape[shape.size() - 1] = o;
  Tensor out = empty(shape, x.options());
  if (out.numel() == 0) return out;
  const Tensor out2d = view_as(out, {out.numel() / o, o});
  if (bias.defined()) {
    check<ShapeError>(bias.shape() == Shape{o}, "linear: bias {} for weight {}; it must be ({},)",
                      bias.shape(), weight.shape(), o);
    copy_(out2d, expand(bias, out2d.shape()));
  } else if (c == 0) {
    fill_(out, 0);
  }
  if (c > 0)
    backend(x.device())
        .matmul(reshape(x, {out.numel() / o, c}).view(), transpose(weight, 0, 1).view(),
                bias.defined() ? 1 : 0, out2d.view());
  return out;
}

}  // namespace gradus::raw
