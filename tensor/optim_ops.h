#pragma once
// Optimizers, an element of a parameter p at a time, written once for g++ and nvcc. g is its
// gradient, with weight decay d and learning rate lr:
//   SGD      g += d p;  b = mu b + (1 - dampening) g (b = g at first);  p -= lr b
//            (Nesterov: p -= lr (g + mu b))
//   Adam     g += d p (AdamW instead: p -= lr d p)
//            m += (1 - b1) (g - m);  v = b2 v + (1 - b2) g^2
//            p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
//   RMSprop  g += d p;  v = a v + (1 - a) g^2;  b = mu b + g / (sqrt(v) + eps);  p -= lr b
// These are PyTorch's formulas, term by term, so the first steps agree to rounding. Scalars are
// computed in double and rounded once.
// Kingma & Ba 2015; Loshchilov & Hutter 2019; Tieleman & Hinton 2012, lecture 6e.
#include <cmath>

#include "tensor/backend.h"

namespace gradus {

template <class T>
struct SgdRule {
  T lr, decay, momentum, fresh;
  bool first, nesterov;

  explicit SgdRule(const SgdStep& s)
      : lr(static_cast<T>(s.lr)),
        decay(static_cast<T>(s.weight_decay)),
        momentum(static_cast<T>(s.momentum)),
        fresh(static_cast<T>(1 - s.dampening)),
        first(s.first),
        nesterov(s.nesterov) {}
  /// Without momentum there is no buffer.
  GRADUS_HD void operator()(T& p, T g) const { p -= lr * (g + decay * p); }
  GRADUS_HD void operator()(T& p, T g, T& buffer) const {
    const T grad = g + decay * p;
    const T b = first ? grad : momentum * buffer + fresh * grad;
    buffer = b;
    p -= lr * (nesterov ? grad + momentum * b : b);
  }
};

template <class T>
struct AdamRule {
  T step_size, root2, eps, fresh1, beta2, fresh2, shrink, decay;

  explicit AdamRule(const AdamStep& s)
      : step_size(static_cast<T>(s.lr / (1 - std::pow(s.beta1, static_cast<double>(s.step))))),
        root2(static_cast<T>(std::sqrt(1 - std::pow(s.beta2, static_cast<double>(s.step))))),
        eps(static_cast<T>(s.eps)),
        fresh1(static_cast<T>(1 - s.beta1)),
        beta2(static_cast<T>(s.beta2)),
        fresh2(static_cast<T>(1 - s.beta2)),
        shrink(static_cast<T>(s.decoupled ? 1 - s.lr * s.weight_decay : 1)),
        decay(static_cast<T>(s.decoupled ? 0 : s.weight_decay)) {}
  GRADUS_HD void operator()(T& p, T g, T& exp_avg, T& exp_avg_sq) const {
    const T grad = g + decay * p;
    const T m = exp_avg + fresh1 * (grad - exp_avg);
    const T v = beta2 * exp_avg_sq + fresh2 * grad * grad;
    exp_avg = m;
    exp_avg_sq = v;
    p = shrink * p - step_size * m / (std::sqrt(v) / root2 + eps);
  }
};

template <class T>
struct RmspropRule {
  T lr, decay, alpha, fresh, eps, momentum;

  explicit RmspropRule(const RmspropStep& s)
      : lr(static_cast<T>(s.lr)),
        decay(static_cast<T>(s.weight_decay)),
        alpha(static_cast<T>(s.alpha)),
        fresh(static_cast<T>(1 - s.alpha)),
        eps(static_cast<T>(s.eps)),
        momentum(static_cast<T>(s.momentum)) {}
  /// Without momentum there is no buffer.
  GRADUS_HD void operator()(T& p, T g, T& square_avg) const { p -= lr * scaled(p, g, square_avg); }
  GRADUS_HD void operator()(T& p, T g, T& square_avg, T& buffer) const {
    buffer = momentum * buffer + scaled(p, g, square_avg);
    p -= lr * buffer;
  }

 private:
  GRADUS_HD T scaled(T p, T g, T& square_avg) const {
    const T grad = g + decay * p;
    square_avg = alpha * square_avg + fresh * grad * grad;
    return grad / (std::sqrt(square_avg) + eps);
  }
};

}  // namespace gradus
