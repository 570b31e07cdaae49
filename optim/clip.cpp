// Clipping by norm reads each gradient once for its sum of squares, and writes it only when the
// norm is too large.
#include "optim/clip.h"

#include <algorithm>
#include <cmath>

#include "tensor/raw.h"

namespace gradus {

namespace {

/// The gradients that there are, and whose they are. One that parameters share counts once.
struct Gradients {
  std::vector<Tensor> tensors;
  std::vector<size_t> owners;

  explicit Gradients(const std::vector<Tensor>& params) {
    for (size_t i = 0; i < params.size(); ++i) {
      const Tensor& g = params[i].grad();
      const auto same = [&](const Tensor& other) { return other.impl() == g.impl(); };
      if (!g.defined() || std::any_of(tensors.begin(), tensors.end(), same)) continue;
      tensors.push_back(g);
      owners.push_back(i);
    }
  }
};

}  // namespace

double clip_grad_norm(const std::vector<Tensor>& params, double max_norm, bool error_if_nonfinite) {
  check<ValueError>(max_norm > 0, "clip_grad_norm: max_norm is {}; it must be positive", max_norm);
  const Gradients gradients(params);
  const std::vector<double> squares = raw::sum_squares(gradients.tensors);
  double total = 0;
  for (size_t i = 0; i < squares.size(); ++i) {
    check<GradError>(std::isfinite(squares[i]) || !error_if_nonfinite,
                     "clip_grad_norm: the gradient of parameter {} {} has a norm of {}: lower the "
                     "learning rate, or find the first bad value with GRADUS_CHECK_NAN=1",
                     gradients.owners[i], gradients.tensors[i].shape(), std::sqrt(squares[i]));
    total += squares[i];
  }
  const double norm = std::sqrt(total), factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) raw::scale_(gradients.tensors, factor);
  return norm;
}

void clip_grad_value(const std::vector<Tensor>& params, double limit) {
  check<ValueError>(limit > 0, "clip_grad_value: the limit is {}; it must be positive", limit);
  raw::clamp_(Gradients(params).tensors, limit);
}

}  // namespace gradus
