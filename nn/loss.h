#pragma once
// Losses: how wrong, in one number. All are written in differentiable operations, so their
// derivatives follow; each comment gives them. cross_entropy is an operation of its own
// (autograd/ops.h). Input and target must have the same shape: a (B,) target broadcast against
// (B, 1) outputs would give a (B, B) matrix of nonsense. ShapeError otherwise; ValueError for the
// mean of nothing. Reduction::BatchMean divides the sum by the first size. For kl_div that is the
// divergence per row; its Mean, over all elements, is not.
#include "autograd/ops.h"

namespace gradus {

/// (x - t)^2; dx = 2 (x - t), over n for the mean.
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::Mean);
/// |x - t|; dx = sign(x - t).
Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::Mean);
/// With d = |x - t|: d^2 / 2 up to delta, delta (d - delta / 2) beyond; dx = the difference,
/// limited to [-delta, delta]: an outlier pulls no harder than delta. Huber (1964). ValueError:
/// delta <= 0.
Tensor huber_loss(const Tensor& input, const Tensor& target, double delta = 1,
                  Reduction reduction = Reduction::Mean);
/// huber_loss / beta, as in PyTorch: |x - t| - beta / 2 beyond beta, and l1_loss for beta = 0.
/// Girshick, Fast R-CNN (2015), section 3.1. ValueError: beta < 0.
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, double beta = 1,
                      Reduction reduction = Reduction::Mean);
/// -(t ln p + (1 - t) ln(1 - p)) for probabilities p; dp = (p - t) / (p (1 - p)). The logarithm of
/// less than 1e-38 counts as -100, without gradient. ValueError: p outside [0, 1].
Tensor binary_cross_entropy(const Tensor& p, const Tensor& target,
                            Reduction reduction = Reduction::Mean);
/// The same of p = sigmoid(x), which never overflows: with w = pos_weight (1 unless given,
/// broadcast to x), (1 - t) x + (1 + (w - 1) t) softplus(-x); dx = (1 - t) - (1 + (w - 1) t) (1 -
/// p), which is p - t for w = 1.
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const Tensor& pos_weight = {},
                                        Reduction reduction = Reduction::Mean);
/// t (ln t - x) for log-probabilities x and probabilities t, 0 where t = 0; dx = -t. With
/// log_target, the target is ln t. Kullback & Leibler (1951).
Tensor kl_div(const Tensor& log_probabilities, const Tensor& target,
              Reduction reduction = Reduction::Mean, bool log_target = false);

}  // namespace gradus
