#pragma once
// Gradient clipping: a step in the right direction, but never a leap. One odd batch can otherwise
// undo an hour of training.
#include <vector>

#include "tensor/tensor.h"

namespace gradus {

/// Scales all gradients by min(1, max_norm / (n + 1e-6)), in place, where n is the Euclidean norm
/// of all of them together; returns n. Pascanu, Mikolov & Bengio (2013), algorithm 1. GradError
/// names the first gradient that is not finite, and changes none; with error_if_nonfinite = false
/// they are all left as they are and n is returned, inf or NaN. ValueError: max_norm is not
/// positive.
double clip_grad_norm(const std::vector<Tensor>& params, double max_norm,
                      bool error_if_nonfinite = true);

/// Limits every element of every gradient to [-limit, limit], in place. ValueError: limit <= 0.
void clip_grad_value(const std::vector<Tensor>& params, double limit);

}  // namespace gradus
