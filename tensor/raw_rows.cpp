// Softmax, normalisation and cross-entropy on values. Their kernels work on the rows of a matrix
// (N, C): the last dimension, or the last few, become C, and all others become N.
#include "tensor/raw.h"

namespace gradus::raw {

namespace {

/// x as a contiguous matrix (N, columns): a view where the strides allow.
Tensor as_matrix(const Tensor& x, int64_t columns) {
  return reshape(contiguous(x), {columns > 0 ? x.numel() / columns : 0, columns});
}
/// The last dimension as columns; a 0-d tensor is a matrix of one element.
Tensor as_matrix(const Tensor& x) { return as_matrix(x, x.dim() > 0 ? x.shape().back() : 1); }

/// x with one dimension, row after row.
Tensor flat(const Tensor& x) { return reshape(contiguous(x), {x.numel()}); }

void check_gradient(const char* op, const Tensor& g, const Tensor& y) {
  check_floating(op, {{"the result", y}, {"its gradient", g}});
  check<ShapeError>(g.shape() == y.shape(), "{}: gradient {} for a result {}", op, g.shape(),
                    y.shape());
}

}  // namespace

// ---- Softmax

namespace {

using Kernel = void (Backend::*)(const View& x, const View& out);
using BackwardKernel = void (Backend::*)(const View& g, const View& y, const View& dx);

Tensor along_last(const char* op, Kernel kernel, const Tensor& x) {
  check_floating(op, {{"x", x}});
  Tensor out = empty(x.shape(), x.options());
  (backend(x.device()).*kernel)(as_matrix(x).view(), as_matrix(out).view());
  return out;
}
Tensor along_last_backward(const char* op, BackwardKernel kernel, const Tensor& g,
                           const Tensor& y) {
  check_gradient(op, g, y);
  Tensor dx = empty(y.shape(), y.options());
  (backend(y.device()).*kernel)(as_matrix(g).view(), as_matrix(y).view(), as_matrix(dx).view());
  return dx;
}

}  // namespace

Tensor softmax(const Tensor& x) { return along_last("softmax", &Backend::softmax, x); }
Tensor softmax_backward(const Tensor& g, const Tensor& y) {
  return along_last_backward("softmax", &Backend::softmax_backward, g, y);
}
Tensor log_softmax(const Tensor& x) { return along_last("log_softmax", &Backend::log_softmax, x); }
Tensor log_softmax_backward(const Tensor& g, const Tensor& y) {
  return along_last_backward("log_softmax", &Backend::log_softmax_backward, g, y);
}

// ---- Normalisation

Shape normalized_shape(const char* op, const Tensor& x, const Tensor& parameter) {
  const int n = parameter.defined() ? parameter.dim() : 1;
  check<ShapeError>(
      n > 0 && n <= x.dim(),
      "{}: it works on the last {} dimensions, but x is {}; weight and bias must have "
      "x's last sizes",
      op, n, x.shape());
  const Shape last(std::span<const int64_t>(x.shape().end() - n, static_cast<size_t>(n)));
  check<ShapeError>(!parameter.defined() || parameter.shape() == last,
                    "{}: weight or bias is {} for x {}; it must have x's last sizes", op,
                    parameter.defined() ? parameter.shape() : last, x.shape());
  return last;
}

namespace {

/// Of what the forward kernel noted for each row: mean or rstd.
void check_statistics(const char* op, const Tensor& x, const Tensor& weight,
                      const Tensor& statistics) {
  check_floating(op, {{"x", x}, {"weight", weight}, {"the statistics", statistics}});
  const int64_t n = normalized_shape(op, x, weight).numel();
  check_shape(op, {"the statistics", statistics}, {n > 0 ? x.numel() / n : 0});
  check_contiguous(op, {"the statistics", statistics});
}

Normalized empty_result(const Tensor& x, const Tensor& weight) {
  const int64_t n = weight.numel(), rows = n > 0 ? x.numel() / n : 0;
  return {empty(x.shape(), x.options()), empty({rows}, x.options()), empty({rows}, x.options())};
}

}  // namespace

Normalized layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  check_floating("layer_norm", {{"x", x}, {"weight", weight}, {"bias", bias}});
  const int64_t n = normalized_shape("layer_norm", x, weight).numel();
  check<ShapeError>(bias.shape() == weight.shape(), "layer_norm: weight {} and bias {} differ",
                    weight.shape(), bias.shape());
  Normalized y = empty_result(x, weight);
  backend(x.device())
      .layer_norm(as_matrix(x, n).view(), contiguous(weight).view(), contiguous(bias).view(), eps,
                  as_matrix(y.out, n).view(), y.mean.view(), y.rstd.view());
  return y;
}

std::vector<Tensor> layer_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight,
                                        const Tensor& mean, const Tensor& rstd) {
  check_gradient("layer_norm", g, x);
  check_statistics("layer_norm", x, weight, mean);
  check_statistics("layer_norm", x, weight, rstd);
  const int64_t n = weight.numel();
  Tensor dx = empty(x.shape(), x.options()), dweight = empty(weight.shape(), x.options()),
         dbias = empty(weight.shape(), x.options());
  backend(x.device())
      .layer_norm_backward(as_matrix(g, n).view(), as_matrix(x, n).view(),
                           contiguous(weight).view(), mean.view(), rstd.view(),
                           as_matrix(dx, n).view(), dweight.view(), dbias.view());
  return {dx, dweight, dbias};
}

Normalized rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  check_floating("rms_norm", {{"x", x}, {"weight", weight}});
  const int64_t n = normalized_shape("rms_norm", x, weight).numel();
  Normalized y = empty_result(x, weight);
  backend(x.device())
      .rms_norm(as_matrix(x, n).view(), contiguous(weight).view(), eps, as_matrix(y.out, n).view(),
                y.rstd.view());
  return y;
}

std::vector<Tensor> rms_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight,
                                      const Tensor& rstd) {
  check_gradient("rms_norm", g, x);
  check_statistics("rms_norm", x, weight, rstd);
  const int64_t n = weight.numel();
  Tensor dx = empty(x.shape(), x.options()), dweight = empty(weight.shape(), x.options());
  backend(x.device())
      .rms_norm_backward(as_matrix(g, n).view(), as_matrix(x, n).view(), contiguous(weight).view(),
                         rstd.view(), as_matrix(dx, n).view(), dweight.view());
  return {dx, dweight};
}

// ---- Cross-entropy

namespace {
/// Whether this is PyTorch's order: (N, C, …) with targets (N, …).
bool has_classes_second(const Shape& x, const Shape& targets) {
  if (x.size() < 3) return false;
  Shape rest = x;
  rest.erase(1);
  return rest == targets;
}
}  // namespace

void check_targets(const char* op, const Tensor& x, const Tensor& targets, int64_t ignore_index) {
  check_defined(op, targets);
  check_floating(op, {{"the input", x}});
  check_same_device(op, {{"the input", x}, {"targets", targets}});
  check<DTypeError>(targets.dtype() == I64, "{}: targets are {}; they must be int64", op,
                    name(targets.dtype()));
  check<ShapeError>(x.dim() >= 1, "{}: input of shape {} has no classes", op, x.shape());
  Shape expected = x.shape();
  expected.erase(expected.size() - 1);
  check<ShapeError>(targets.shape() == expected, "{}: for input {} targets must be {}, not {}{}",
                    op, x.shape(), expected, targets.shape(),
                    has_classes_second(x.shape(), targets.shape())
                        ? "; here the classes come last: move PyTorch's dimension 1 with permute"
                        : "");
  check<ShapeError>(x.size(-1) > 0 || targets.numel() == 0, "{}: input {} has no classes", op,
                    x.shape());
  check_indices(op, targets, x.size(-1), ignore_index);
}

CrossEntropy cross_entropy(const Tensor& logits, const Tensor& targets, int64_t ignore_index,
                           double smoothing) {
  check_targets("cross_entropy", logits, targets, ignore_index);
  check<ValueError>(smoothing >= 0 && smoothing <= 1,
                    "cross_entropy: label smoothing {} is outside [0, 1]", smoothing);
  CrossEntropy y{empty(targets.shape(), logits.options()),
                 empty({targets.numel(), 2}, logits.options())};
  backend(logits.device())
      .cross_entropy(as_matrix(logits).view(), flat(targets).view(), ignore_index, smoothing,
                     flat(y.losses).view(), y.lse.view());
  return y;
}

Tensor cross_entropy_backward(const Tensor& g, const Tensor& logits, const Tensor& targets,
                              const Tensor& lse, int64_t ignore_index, double smoothing) {
  check_targets("cross_entropy", logits, targets, ignore_index);
  check_floating("cross_entropy", {{"logits", logits}, {"the gradient", g}, {"lse", lse}});
  check_shape("cross_entropy", {"the gradient", g}, targets.shape());
  check_shape("cross_entropy", {"lse", lse}, {targets.numel(), 2});
  check_contiguous("cross_entropy", {"lse", lse});
  Tensor dlogits = empty(logits.shape(), logits.options());
  backend(logits.device())
      .cross_entropy_backward(flat(g).view(), as_matrix(logits).view(), flat(targets).view(),
                              lse.view(), ignore_index, smoothing, as_matrix(dlogits).view());
  return dlogits;
}

}  // namespace gradus::raw
