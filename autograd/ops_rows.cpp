// Operations on rows: softmax, normalisation, dropout, cross-entropy. Each fused op has its
// definition, in plain operations, beside the kernel that makes it fast.
#include <cmath>

#include "autograd/ops.h"

namespace gradus {

namespace {

using Rows = Tensor (*)(const Tensor&);
using RowsBackward = Tensor (*)(const Tensor& g, const Tensor& y);

/// A fused op along the last dimension whose gradient needs only its output.
Tensor along_rows(const char* op, Rows kernel, RowsBackward backward, const Tensor& x, int dim,
                  Composite composite) {
  dim = normalize_dim(op, dim, x.dim());
  check<DTypeError>(x.is_floating_point(), "{}: not defined for int64; convert with to(x, F32)",
                    op);
  if (dim < x.dim() - 1)
    return transpose(along_rows(op, kernel, backward, transpose(x, dim, -1), -1, composite), dim,
                     -1);
  return record_fused(
      op, kernel(x), {x},
      [backward](const Tensor& g, const Tensor& y) { return std::vector{backward(g, y)}; },
      std::move(composite));
}

}  // namespace

Tensor softmax(const Tensor& x, int dim) {
  return along_rows(
      "softmax", raw::softmax, raw::softmax_backward, x, dim,
      [](std::span<const Tensor> in) { return exp(in[0] - logsumexp(in[0], {-1}, true)); });
}
Tensor log_softmax(const Tensor& x, int dim) {
  return along_rows(
      "log_softmax", raw::log_softmax, raw::log_softmax_backward, x, dim,
      [](std::span<const Tensor> in) { return in[0] - logsumexp(in[0], {-1}, true); });
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  check<ShapeError>(x.dim() >= 1 && x.size(-1) > 0 && weight.shape() == Shape{x.size(-1)} &&
                        bias.shape() == weight.shape(),
                    "layer_norm: weight {} and bias {} for x {}; both must have x's last size",
                    weight.shape(), bias.shape(), x.shape());
  check<DTypeError>(
      x.is_floating_point() && weight.dtype() == x.dtype() && bias.dtype() == x.dtype(),
      "layer_norm: x {}, weight {}, bias {}", name(x.dtype()), name(weight.dtype()),
      name(bias.dtype()));
  check<DeviceError>(weight.device() == x.device() && bias.device() == x.device(),
                     "layer_norm: x on {}, weight on {}, bias on {}", name(x.device()),
                     name(weight.device()), name(bias.device()));
  const Tensor rows = raw::rows(x);
  const Tensor w = raw::contiguous(weight), b = raw::contiguous(bias);
  const Tensor mean_ = empty({rows.size(0)}, x.options()),
               rstd = empty({rows.size(0)}, x.options());
  Tensor out = empty(x.shape(), x.options());
  const Tensor out_rows = raw::reshape(out, rows.shape());
  backend(x.device())
      .layer_norm(rows.view(), w.view(), b.view(), eps, out_rows.view(), mean_.view(), rstd.view());
  auto joint = [=, shape = x.shape()](const Tensor& g, const Tensor&) {
    Tensor dx = empty(shape, rows.options()), dw = empty(w.shape(), w.options()),
           db = empty(w.shape(), w.options());
    const Tensor g_rows = raw::reshape(raw::contiguous(g), rows.shape());
    backend(rows.device())
        .layer_norm_backward(g_rows.view(), rows.view(), w.view(), mean_.view(), rstd.view(),
                             raw::reshape(dx, rows.shape()).view(), dw.view(), db.view());
    return std::vector{dx, dw, db};
  };
  return record_fused(
      "layer_norm", std::move(out), {x, weight, bias}, joint, [eps](std::span<const Tensor> in) {
        return (in[0] - mean(in[0], {-1}, true)) * rsqrt(var(in[0], {-1}, true, 0) + eps) * in[1] +
               in[2];
      });
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  check<ShapeError>(x.dim() >= 1 && weight.shape() == Shape{x.size(-1)},
                    "rms_norm: weight {} for x {}; it must have x's last size", weight.shape(),
                    x.shape());
  return x * rsqrt(mean(square(x), {-1}, true) + eps) * weight;
}

namespace {
/// Dropout is linear once its mask is fixed, and the key fixes it: the gradient is the same
/// function of g.
Tensor dropout_with(PhiloxKey key, double p, const Tensor& x) {
  const Tensor from = raw::contiguous(x);
  Tensor out = empty(x.shape(), x.options());
  backend(x.device()).dropout(key, p, from.view(), out.view());
  return record("dropout", std::move(out),
                {{x, [key, p](const Tensor& g) { return dropout_with(key, p, g); }}});
}
}  // namespace

Tensor dropout(const Tensor& x, double p, Generator& generator) {
  check<ValueError>(p >= 0 && p <= 1, "dropout: probability {}; it must be in [0, 1]", p);
  check<DTypeError>(x.is_floating_point(), "dropout: not defined for int64");
  if (p == 0) return x;
  if (p == 1) return masked_fill(x, ones({}, {I64, x.device()}), 0);
  return dropout_with(generator.next(x.numel()), p, x);
}

namespace {

/// How many rows count; every target that does is in [0, classes).
int64_t check_targets(const Tensor& targets, int64_t classes, int64_t ignore_index) {
  int64_t counted = 0;
  const std::vector<int64_t> values = targets.to_vector<int64_t>();
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == ignore_index) continue;
    check<IndexError>(values[i] >= 0 && values[i] < classes,
                      "cross_entropy: target {} at position {} is outside [0, {})", values[i], i,
                      classes);
    ++counted;
  }
  return counted;
}

/// The definition: -sum_j q_j log p_j with q = (1 - s) one_hot + s / C; 0 for ignored rows.
Tensor cross_entropy_rows(const Tensor& logits, const Tensor& targets,
                          const CrossEntropyOptions& o) {
  const Tensor log_p = logits - logsumexp(logits, {-1}, true);
  const Tensor ignored = eq(targets, static_cast<double>(o.ignore_index));
  const Tensor safe = unsqueeze(masked_fill(targets, ignored, 0), 1);
  const Tensor picked = squeeze(gather(log_p, 1, safe), 1);
  const Tensor loss = picked * (o.label_smoothing - 1) - mean(log_p, {-1}) * o.label_smoothing;
  return masked_fill(loss, ignored, 0);
}

/// Of all losses, over `rows` that count.
Tensor reduced(const Tensor& losses, Reduction reduction, int64_t rows) {
  if (reduction == Reduction::None) return losses;
  const Tensor total = sum(losses);
  return reduction == Reduction::Sum ? total : total * (1.0 / static_cast<double>(rows));
}

/// -sum_c q_c log p_c with q = (1 - s) target + s / C.
Tensor cross_entropy_with_probabilities(const Tensor& logits, const Tensor& targets,
                                        const CrossEntropyOptions& o) {
  check<ShapeError>(targets.shape() == logits.shape(),
                    "cross_entropy: logits {} want target probabilities of the same shape, not {}",
                    logits.shape(), targets.shape());
  const int64_t rows = logits.numel() / std::max<int64_t>(logits.size(-1), 1);
  check<ValueError>(o.reduction != Reduction::Mean || rows > 0,
                    "cross_entropy: the mean of an empty batch {}", logits.shape());
  const double s = o.label_smoothing, floor = s / static_cast<double>(logits.size(-1));
  const Tensor q = s == 0 ? targets : targets * (1 - s) + floor;
  return reduced(-sum(q * log_softmax(logits), {-1}), o.reduction, rows);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, CrossEntropyOptions o) {
  check<DTypeError>(
      logits.is_floating_point() && (targets.dtype() == I64 || targets.dtype() == logits.dtype()),
      "cross_entropy: logits {}, targets {}; logits must be floating, targets int64 class indices "
      "or probabilities in the logits' dtype",
      name(logits.dtype()), name(targets.dtype()));
  check<ShapeError>(logits.dim() >= 1, "cross_entropy: logits of shape {} have no classes",
                    logits.shape());
  check<ValueError>(o.label_smoothing >= 0 && o.label_smoothing <= 1,
                    "cross_entropy: label smoothing {} is outside [0, 1]", o.label_smoothing);
  check<DeviceError>(logits.device() == targets.device(),
                     "cross_entropy: logits on {}, targets on {}", name(logits.device()),
                     name(targets.device()));
  if (targets.is_floating_point()) return cross_entropy_with_probabilities(logits, targets, o);
  Shape expected = logits.shape();
  expected.erase(expected.size() - 1);
  check<ShapeError>(targets.shape() == expected, "cross_entropy: logits {} want targets {}, not {}",
                    logits.shape(), expected, targets.shape());
  const int64_t classes = logits.size(-1), n = targets.numel();
  const int64_t counted = check_targets(targets, classes, o.ignore_index);
  check<ValueError>(
      o.reduction != Reduction::Mean || counted > 0,
      "cross_entropy: no row counts ({} rows, all ignored): the mean of nothing is undefined", n);

  const Tensor flat = reshape(logits, {n, classes});
  const Tensor rows = raw::contiguous(flat).detach(),
               ids = raw::reshape(raw::contiguous(targets), {n});
  Tensor losses = empty({n}, logits.options());
  const Tensor lse = empty({n}, logits.options());
  Backend& device = backend(logits.device());
  device.cross_entropy(rows.view(), ids.view(), o.ignore_index, o.label_smoothing, losses.view(),
                       lse.view());
  auto joint = [=, &device](const Tensor& g, const Tensor&) {
    Tensor dlogits = empty(rows.shape(), rows.options());
    device.cross_entropy_backward(raw::contiguous(g).view(), rows.view(), ids.view(), lse.view(),
                                  o.ignore_index, o.label_smoothing, dlogits.view());
    return std::vector{dlogits};
  };
  losses = record_fused(
      "cross_entropy", std::move(losses), {flat}, joint,
      [ids, o](std::span<const Tensor> in) { return cross_entropy_rows(in[0], ids, o); });
  return reduced(reshape(losses, targets.shape()), o.reduction, counted);
}

}  // namespace gradus
