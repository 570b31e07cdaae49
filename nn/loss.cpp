// Losses as compositions: elementwise errors first, one shared reduction last.
#include "nn/loss.h"

namespace gradus {

static Tensor reduced(const char* op, const Tensor& losses, Reduction reduction) {
  if (reduction == Reduction::None) return losses;
  if (reduction == Reduction::Sum) return sum(losses);
  check<ValueError>(losses.numel() > 0, "{}: the mean of an empty batch {}", op, losses.shape());
  if (reduction == Reduction::Mean) return mean(losses);
  check<ShapeError>(losses.dim() > 0, "{}: a 0-d loss has no batch to divide by", op);
  return sum(losses) / static_cast<double>(losses.size(0));
}

static void check_pair(const char* op, const Tensor& input, const Tensor& target) {
  check_defined(op, input, target);
  check<DTypeError>(input.is_floating_point() && input.dtype() == target.dtype(),
                    "{}: input {} and target {}; both must be float32 or both float64: convert "
                    "with to(x, F32)",
                    op, name(input.dtype()), name(target.dtype()));
  check<ShapeError>(input.shape() == target.shape(),
                    "{}: input {} and target {} differ: reshape one of them", op, input.shape(),
                    target.shape());
}

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  check_pair("mse_loss", input, target);
  return reduced("mse_loss", square(input - target), reduction);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  check_pair("l1_loss", input, target);
  return reduced("l1_loss", abs(input - target), reduction);
}

Tensor huber_loss(const Tensor& input, const Tensor& target, double delta, Reduction reduction) {
  check_pair("huber_loss", input, target);
  check<ValueError>(delta > 0, "huber_loss: delta is {}; it must be positive", delta);
  // With c = d limited to [-delta, delta], c (d - c / 2) is both branches at once, and unlike |d|
  // it has a second derivative at 0.
  const Tensor d = input - target, c = clamp(d, -delta, delta);
  return reduced("huber_loss", c * (d - c * 0.5), reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, double beta, Reduction reduction) {
  check_pair("smooth_l1_loss", input, target);
  check<ValueError>(beta >= 0, "smooth_l1_loss: beta is {}; it must not be negative", beta);
  const Tensor losses = beta == 0 ? l1_loss(input, target, Reduction::None)
                                  : huber_loss(input, target, beta, Reduction::None) / beta;
  return reduced("smooth_l1_loss", losses, reduction);
}

/// ln x, but -100 with gradient 0 where x is too small to have a finite 1 / x in float32.
static Tensor bounded_log(const Tensor& x) {
  const Tensor tiny = lt(x, 1e-38);
  return masked_fill(log(masked_fill(x, tiny, 1)), tiny, -100);
}

Tensor binary_cross_entropy(const Tensor& p, const Tensor& target, Reduction reduction) {
  check_pair("binary_cross_entropy", p, target);
  if (p.numel() > 0) {
    const double low = raw::reduce(scalar::Min{}, p, {}, false).item();
    const double high = raw::reduce(scalar::Max{}, p, {}, false).item();
    check<ValueError>(
        !(low < 0) && !(high > 1),  // NaN passes, and shows in the loss
        "binary_cross_entropy: the input reaches from {} to {}, but probabilities lie "
        "in [0, 1]: for raw scores use binary_cross_entropy_with_logits",
        low, high);
  }
  const Tensor losses = target * bounded_log(p) + (1 - target) * bounded_log(1 - p);
  return reduced("binary_cross_entropy", -losses, reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const Tensor& pos_weight, Reduction reduction) {
  check_pair("binary_cross_entropy_with_logits", logits, target);
  Tensor negative = softplus(-logits);  // -ln sigmoid(x)
  if (pos_weight.defined()) negative = (1 + (pos_weight - 1) * target) * negative;
  const Tensor losses = (1 - target) * logits + negative;
  check<ShapeError>(losses.shape() == logits.shape(),
                    "binary_cross_entropy_with_logits: pos_weight {} does not broadcast to {}",
                    pos_weight.defined() ? pos_weight.shape() : Shape{}, logits.shape());
  return reduced("binary_cross_entropy_with_logits", losses, reduction);
}

Tensor kl_div(const Tensor& log_probabilities, const Tensor& target, Reduction reduction,
              bool log_target) {
  check_pair("kl_div", log_probabilities, target);
  if (log_target) return reduced("kl_div", exp(target) * (target - log_probabilities), reduction);
  const Tensor entropy = target * log(masked_fill(target, eq(target, 0), 1));  // 0 ln 0 = 0
  return reduced("kl_div", entropy - target * log_probabilities, reduction);
}

}  // namespace gradus
