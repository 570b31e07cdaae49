#include "optim/averaged.h"

#include "tensor/raw.h"

namespace gradus {

AveragedWeights::AveragedWeights(std::vector<Tensor> params, std::optional<double> ema_decay)
    : params_(std::move(params)), ema_decay_(ema_decay) {
  check<ValueError>(!ema_decay || (*ema_decay >= 0 && *ema_decay <= 1),
                    "average: the decay {} is outside [0, 1]", ema_decay.value_or(0));
  for (const Tensor& p : params_) {
    check<ValueError>(p.defined(), "average: a parameter is undefined");
    averages_.push_back(raw::clone(p));
  }
}

void AveragedWeights::update() {
  ++n_averaged_;
  const double kept =
      n_averaged_ == 1 ? 0 : ema_decay_.value_or(1 - 1 / static_cast<double>(n_averaged_));
  for (size_t i = 0; i < params_.size(); ++i) {
    if (kept == 0) {
      raw::copy_(averages_[i], params_[i]);
    } else {
      raw::mul_(averages_[i], kept);
      raw::add_(averages_[i], raw::unary(scalar::MulScalar{1 - kept}, params_[i]));
    }
  }
}

void AveragedWeights::swap() {
  check<ValueError>(n_averaged_ > 0, "average: there is none yet; call update() after a step");
  for (size_t i = 0; i < params_.size(); ++i) {
    const Tensor value = raw::clone(params_[i]);
    raw::copy_(params_[i], averages_[i]);
    raw::copy_(averages_[i], value);
  }
}

}  // namespace gradus
