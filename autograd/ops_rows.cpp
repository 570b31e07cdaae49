// Operations on rows: softmax, normalisation, dropout, cross-entropy. Beside the kernel that makes
// it fast, each fused op has its definition in plain operations.
#include <cmath>

#include "autograd/ops.h"

namespace gradus {

namespace {

using AlongLast = Tensor (*)(const Tensor&);
using AlongLastBackward = Tensor (*)(const Tensor& g, const Tensor& y);

/// Makes a fused op work along any dimension. Its kernels work along the last one, and its gradient
/// needs only its output.
Tensor along_dim(const char* op, AlongLast kernel, AlongLastBackward backward, const Tensor& x,
                 int dim, Composite composite) {
  check_defined(op, x);
  dim = normalize_dim(op, dim, x.dim());
  if (dim < x.dim() - 1)
    return transpose(along_dim(op, kernel, backward, transpose(x, dim, -1), -1, composite), dim,
                     -1);
  return record_fused(
      op, kernel(x), {x},
      [backward](const Tensor& g, const Tensor& y) { return std::vector{backward(g, y)}; },
      std::move(composite));
}

}  // namespace

Tensor softmax(const Tensor& x, int dim) {
  return along_dim("softmax", raw::softmax, raw::softmax_backward, x, dim,
                   [](std::span<const Tensor> in) { return exp(log_softmax(in[0])); });
}
Tensor log_softmax(const Tensor& x, int dim) {
  return along_dim("log_softmax", raw::log_softmax, raw::log_softmax_backward, x, dim,
                   [](std::span<const Tensor> in) {
                     if (in[0].numel() == 0) return in[0] * 1.0;
                     // No gradient flows through the maximum: subtracting it changes no value.
                     const Tensor d = in[0] - raw::reduce(scalar::Max{}, in[0], {-1}, true);
                     return d - logsumexp(d, {-1}, true);
                   });
}

namespace {
/// The dimensions that a norm with this parameter is taken over, counted from the end.
Dims last_dims(const Tensor& parameter) {
  Dims dims;
  for (int d = -parameter.dim(); d < 0; ++d) dims.push_back(d);
  return dims;
}
}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  raw::check_floating("layer_norm", {{"x", x}, {"weight", weight}, {"bias", bias}});
  const Shape shape = raw::normalized_shape("layer_norm", x, weight.defined() ? weight : bias);
  const Tensor w = weight.defined() ? weight : ones(shape, x.options()),
               b = bias.defined() ? bias : zeros(shape, x.options());
  const Tensor from = raw::contiguous(x.detach());
  raw::Normalized y = raw::layer_norm(from, w, b, eps);
  return record_fused(
      "layer_norm", std::move(y.out), {x, w, b},
      [from, w = w.detach(), mean = y.mean, rstd = y.rstd](const Tensor& g, const Tensor&) {
        return raw::layer_norm_backward(g, from, w, mean, rstd);
      },
      [eps, dims = last_dims(w)](std::span<const Tensor> in) {
        if (in[0].numel() == 0) return in[0] * in[1] + in[2];
        return (in[0] - mean(in[0], dims, true)) * rsqrt(var(in[0], dims, true, 0) + eps) * in[1] +
               in[2];
      });
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  raw::check_floating("rms_norm", {{"x", x}, {"weight", weight}});
  const Tensor w =
      weight.defined() ? weight : ones(raw::normalized_shape("rms_norm", x, weight), x.options());
  const Tensor from = raw::contiguous(x.detach());
  raw::Normalized y = raw::rms_norm(from, w, eps);
  return record_fused(
      "rms_norm", std::move(y.out), {x, w},
      [from, w = w.detach(), rstd = y.rstd](const Tensor& g, const Tensor&) {
        return raw::rms_norm_backward(g, from, w, rstd);
      },
      [eps, dims = last_dims(w)](std::span<const Tensor> in) {
        if (in[0].numel() == 0) return in[0] * in[1];
        return in[0] * rsqrt(mean(square(in[0]), dims, true) + eps) * in[1];
      });
}

namespace {
/// The key fixes the mask, and with a fixed mask dropout is linear: the gradient is the same
/// function of g.
Tensor dropout_with(PhiloxKey key, double p, const Tensor& x) {
  return record("dropout", raw::dropout(x, key, p),
                {{x, [key, p](const Tensor& g) { return dropout_with(key, p, g); }}});
}
}  // namespace

Tensor dropout(const Tensor& x, double p, Generator& generator) {
  check<ValueError>(p >= 0 && p <= 1, "dropout: probability {}; it must be in [0, 1]", p);
  raw::check_floating("dropout", {{"x", x}});
  if (p == 0) return x;
  if (p == 1) return masked_fill(x, ones({}, {I64, x.device()}), 0);
  return dropout_with(generator.next(x.numel()), p, x);
}

namespace {

void check_options(const char* op, const Tensor& x, const Tensor& targets,
                   const CrossEntropyOptions& o) {
  check_defined(op, x, targets);
  check<ValueError>(o.label_smoothing >= 0 && o.label_smoothing <= 1,
                    "{}: label smoothing {} is outside [0, 1]", op, o.label_smoothing);
  check<ValueError>(o.reduction != Reduction::BatchMean,
                    "{}: BatchMean is only for kl_div; Mean divides by the rows here", op);
  check<ShapeError>(x.dim() >= 1, "{}: input of shape {} has no classes", op, x.shape());
  raw::check_floating(op, {{"the input", x}, {"the class weights", o.weight}});
  check<ShapeError>(!o.weight.defined() || o.weight.shape() == Shape{x.size(-1)},
                    "{}: class weights {} for input {}; there must be one for each class", op,
                    o.weight.defined() ? o.weight.shape() : Shape{}, x.shape());
}

/// The sum of the weights of the rows with these targets. It stays a tensor, because reading the
/// number would wait for a GPU.
Tensor total_weight(const char* op, const Tensor& targets, const CrossEntropyOptions& o,
                    const Options& options) {
  const Tensor counts = ne(targets, static_cast<double>(o.ignore_index));
  Tensor weights = to(counts, options.dtype);
  if (o.weight.defined()) {
    const Tensor classes = masked_fill(targets, eq(counts, 0), 0);
    weights = weights * reshape(index_select(o.weight, 0, flatten(classes)), targets.shape());
  }
  const Tensor total = sum(weights);
  check<ValueError>(
      total.device() != Device::CPU || total.item() != 0,
      "{}: all {} rows are ignored, or their class weights are 0, so there is no mean; use "
      "Reduction::Sum, or skip such a batch",
      op, targets.numel());
  return total;
}

Tensor reduced(const char* op, const Tensor& losses, const Tensor& targets,
               const CrossEntropyOptions& o) {
  if (o.reduction == Reduction::None) return losses;
  const Tensor total = sum(losses);
  if (o.reduction == Reduction::Sum) return total;
  return total / total_weight(op, targets, o, losses.options());
}

/// The definition, from log-probabilities (…, C): -sum_j w_j q_j log p_j with
/// q = (1 - s) one_hot + s / C; 0 for ignored rows.
Tensor nll_rows(const Tensor& log_p, const Tensor& targets, const CrossEntropyOptions& o) {
  const Tensor ignored = eq(targets, static_cast<double>(o.ignore_index));
  const Tensor safe = unsqueeze(masked_fill(targets, ignored, 0), -1);
  const Tensor weighted = o.weight.defined() ? log_p * o.weight : log_p;
  Tensor loss = squeeze(gather(weighted, -1, safe), -1) * (o.label_smoothing - 1);
  // Without smoothing, the mean must be left out: 0 times an infinite logarithm is NaN.
  if (o.label_smoothing != 0) loss = loss - mean(weighted, {-1}) * o.label_smoothing;
  return masked_fill(loss, ignored, 0);
}

/// -sum_c w_c q_c log p_c with q = (1 - s) target + s / C.
Tensor cross_entropy_with_probabilities(const Tensor& logits, const Tensor& targets,
                                        const CrossEntropyOptions& o) {
  check<ShapeError>(
      targets.shape() == logits.shape(),
      "cross_entropy: logits {} and target probabilities {}; they must have one shape",
      logits.shape(), targets.shape());
  const int64_t row_count = logits.numel() / std::max<int64_t>(logits.size(-1), 1);
  check<ValueError>(o.reduction != Reduction::Mean || row_count > 0,
                    "cross_entropy: the mean of an empty batch {}; use Reduction::Sum",
                    logits.shape());
  const double s = o.label_smoothing, floor = s / static_cast<double>(logits.size(-1));
  Tensor q = s == 0 ? targets : targets * (1 - s) + floor;
  if (o.weight.defined()) q = q * o.weight;
  const Tensor losses = -sum(q * log_softmax(logits), {-1});
  if (o.reduction == Reduction::None) return losses;
  const Tensor total = sum(losses);
  return o.reduction == Reduction::Sum ? total : total / static_cast<double>(row_count);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& o) {
  check_options("cross_entropy", logits, targets, o);
  if (targets.is_floating_point()) {
    raw::check_floating("cross_entropy",
                        {{"logits", logits}, {"the target probabilities", targets}});
    return cross_entropy_with_probabilities(logits, targets, o);
  }
  auto definition = [targets, o](std::span<const Tensor> in) {
    return nll_rows(log_softmax(in[0]), targets, o);
  };
  if (o.weight.defined()) {
    raw::check_targets("cross_entropy", logits, targets, o.ignore_index);
    return reduced("cross_entropy", definition({&logits, 1}), targets, o);
  }
  const Tensor from = raw::contiguous(logits).detach();
  raw::CrossEntropy y = raw::cross_entropy(from, targets, o.ignore_index, o.label_smoothing);
  auto joint = [from, targets, lse = y.lse, o](const Tensor& g, const Tensor&) {
    return std::vector{
        raw::cross_entropy_backward(g, from, targets, lse, o.ignore_index, o.label_smoothing)};
  };
  const Tensor losses =
      record_fused("cross_entropy", std::move(y.losses), {logits}, joint, definition);
  return reduced("cross_entropy", losses, targets, o);
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& targets,
                const CrossEntropyOptions& o) {
  check<ValueError>(o.label_smoothing == 0,
                    "nll_loss: label smoothing {}, which only cross_entropy has",
                    o.label_smoothing);
  check_options("nll_loss", log_probabilities, targets, o);
  raw::check_targets("nll_loss", log_probabilities, targets, o.ignore_index);
  return reduced("nll_loss", nll_rows(log_probabilities, targets, o), targets, o);
}

}  // namespace gradus
