// Clipping by norm reads each gradient once for its sum of squares, and writes it only when the
// norm is too large.
#include "optim/clip.h"

#include <algorithm>
#include <cmath>

#include "tensor/raw.h"

namespace gradus {

/// The sum of x_i^2, squared as `dtype`, in pieces that stay in the cache between the squaring and the sum.
/// The pieces are added up where x is, in double; a GPU is waited for once, at the end.
static double sum_of_squares(const Tensor& x, DType dtype) {
  constexpr int64_t kPiece = 1 << 16;
  const Tensor flat = raw::reshape(x, {x.numel()});
  Tensor total = zeros({}, {F64, x.device()});
  for (int64_t at = 0; at < x.numel(); at += kPiece) {
    const Tensor piece = raw::slice(flat, 0, at, std::min(at + kPiece, x.numel()));
    const Tensor squares = raw::unary(scalar::Square{}, raw::to(piece, dtype));
    total = raw::add(total, raw::to(raw::reduce(scalar::Sum{}, squares, {}, false), F64));
  }
  return total.item();
}

double clip_grad_norm(const std::vector<Tensor>& params, double max_norm, bool error_if_nonfinite) {
  check<ValueError>(max_norm > 0, "clip_grad_norm: max_norm is {}; it must be positive", max_norm);
  double total = 0;
  for (size_t i = 0; i < params.size(); ++i) {
    const Tensor& g = params[i].grad();
    if (!g.defined()) continue;
    double squares = sum_of_squares(g, g.dtype());
    if (!std::isfinite(squares)) squares = sum_of_squares(g, F64);  // a float's square may overflow
    check<GradError>(std::isfinite(squares) || !error_if_nonfinite,
                     "clip_grad_norm: the gradient of parameter {} {} has a norm of {}: lower the "
                     "learning rate, or find the first bad value with GRADUS_CHECK_NAN=1",
                     i, g.shape(), std::sqrt(squares));
    total += squares;
  }
  const double norm = std::sqrt(total), factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1)
    for (const Tensor& p : params)
      if (p.grad().defined()) raw::mul_(p.grad(), factor);
  return norm;
}

void clip_grad_value(const std::vector<Tensor>& params, double limit) {
  check<ValueError>(limit > 0, "clip_grad_value: the limit is {}; it must be positive", limit);
  for (const Tensor& p : params)
    if (const Tensor& g = p.grad(); g.defined()) {
      g.written();
      backend(g.device()).unary(scalar::Clamp{-limit, limit}, g.view(), g.view());
    }
}

}  // namespace gradus
