// Muon on whole tensors: momentum and step are SGD's kernel, the iteration is matrix products. On a
// CPU, stacking matrices of one shape was no faster: one matrix stays in the cache.
#include "optim/muon.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"

namespace gradus {

static void check_options(const MuonOptions& o) {
  check<ValueError>(o.momentum >= 0 && std::isfinite(o.momentum) && o.eps > 0,
                    "Muon: momentum {}, eps {}; they must be at least 0, and positive", o.momentum,
                    o.eps);
  check<ValueError>(o.ns_steps >= 0 && o.ns_steps < 100,
                    "Muon: {} Newton-Schulz steps; it must be a number in [0, 100)", o.ns_steps);
}

Muon::Muon(std::vector<ParamGroup> groups, double rate, MuonOptions o)
    : Optimizer("Muon", std::move(groups), rate, o.weight_decay,
                o.momentum != 0 ? std::vector<std::string>{"momentum_buffer"}
                                : std::vector<std::string>{}),
      options_(o) {
  check_options(o);
  for (const ParamGroup& group : this->groups())
    for (const Tensor& p : group.params)
      check<ValueError>(p.dim() == 2,
                        "Muon: a parameter {} is not a matrix; give biases, norms and embeddings "
                        "to AdamW, and the two optimizers to Optimizers",
                        p.shape());
}
Muon::Muon(std::vector<Tensor> params, double rate, MuonOptions o)
    : Muon({ParamGroup{std::move(params)}}, rate, o) {}

Tensor orthogonalized(const Tensor& x, const MuonOptions& o) {
  check_defined("orthogonalized", x);
  check<ShapeError>(x.dim() == 2, "orthogonalized: {} is not a matrix", x.shape());
  check_options(o);
  const auto [a, b, c] = o.ns_coefficients;
  const bool tall = x.size(0) > x.size(1);  // X X^T of the transposed matrix is the smaller one
  Tensor y = tall ? t(x) : x;
  y = y / clamp(sqrt(sum(square(y))), o.eps);
  for (int64_t i = 0; i < o.ns_steps; ++i) {
    const Tensor s = matmul(y, t(y));
    y = a * y + matmul(b * s + c * matmul(s, s), y);
  }
  return tall ? t(y) : y;
}

static double adjusted(AdjustLr how, double rows, double columns) {
  return how == AdjustLr::Original ? std::sqrt(std::max(1.0, rows / columns))
                                   : 0.2 * std::sqrt(std::max(rows, columns));
}

void Muon::update(const Step& s, std::span<const raw::Parameter> parameters) {
  const NoGrad guard;
  std::vector<raw::Parameter> momenta;
  for (const raw::Parameter& p : parameters)
    momenta.push_back({zeros_like(p.value), p.gradient, p.state});
  // A step of SGD from 0, of length -1, is its momentum.
  raw::sgd_({.lr = -1,
             .momentum = options_.momentum,
             .dampening = 0,
             .weight_decay = 0,
             .nesterov = options_.nesterov,
             .first = s.number == 1},
            momenta);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Tensor& w = parameters[i].value;
    const double adjust = adjusted(options_.adjust_lr_fn, static_cast<double>(w.size(0)),
                                   static_cast<double>(w.size(1)));
    const raw::Parameter along{w, orthogonalized(momenta[i].value, options_), {}};
    raw::sgd_({.lr = s.lr * adjust,
               .momentum = 0,
               .dampening = 0,
               .weight_decay = s.weight_decay / adjust,
               .nesterov = false,
               .first = false},
              {&along, 1});
  }
}

}  // namespace gradus
