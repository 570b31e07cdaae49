// Optimizers: each element of a parameter p, its gradient g and its state, in one pass. With
// weight decay d and learning rate lr:
//   SGD      g += d p;  b = mu b + (1 - dampening) g (b = g at first);  p -= lr b
//            (Nesterov: p -= lr (g + mu b))
//   Adam     g += d p (AdamW instead: p -= lr d p);  m += (1 - b1) (g - m);  v = b2 v + (1 - b2)
//   g^2
//            p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
//   RMSprop  g += d p;  v = a v + (1 - a) g^2;  b = mu b + g / (sqrt(v) + eps);  p -= lr b
// These are PyTorch's formulas, term by term, so the first steps agree to rounding. They are bound
// by memory: Adam moves 28 bytes per float. Scalars are computed in double and rounded once.
// Kingma & Ba 2015; Loshchilov & Hutter 2019; Tieleman & Hinton 2012, lecture 6e.
#include <cmath>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace gradus::cpu {
namespace {

template <class T>
void sgd_range(const SgdStep& s, T* p, const T* g, T* buffer, int64_t begin, int64_t end) {
  const T lr = static_cast<T>(s.lr), decay = static_cast<T>(s.weight_decay);
  const T momentum = static_cast<T>(s.momentum), fresh = static_cast<T>(1 - s.dampening);
  if (s.momentum == 0) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) p[i] -= lr * (g[i] + decay * p[i]);
    return;
  }
  const bool first = s.first, nesterov = s.nesterov;
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) {
    const T grad = g[i] + decay * p[i];
    const T b = first ? grad : momentum * buffer[i] + fresh * grad;
    buffer[i] = b;
    p[i] -= lr * (nesterov ? grad + momentum * b : b);
  }
}

template <class T>
void adam_range(const AdamStep& s, T* p, const T* g, T* exp_avg, T* exp_avg_sq, int64_t begin,
                int64_t end) {
  const double t = static_cast<double>(s.step);
  const double correction1 = 1 - std::pow(s.beta1, t), correction2 = 1 - std::pow(s.beta2, t);
  const T step_size = static_cast<T>(s.lr / correction1);
  const T root2 = static_cast<T>(std::sqrt(correction2)), eps = static_cast<T>(s.eps);
  const T fresh1 = static_cast<T>(1 - s.beta1);
  const T beta2 = static_cast<T>(s.beta2), fresh2 = static_cast<T>(1 - s.beta2);
  const T shrink = static_cast<T>(s.decoupled ? 1 - s.lr * s.weight_decay : 1);
  const T decay = static_cast<T>(s.decoupled ? 0 : s.weight_decay);
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) {
    const T grad = g[i] + decay * p[i];
    const T m = exp_avg[i] + fresh1 * (grad - exp_avg[i]);
    const T v = beta2 * exp_avg_sq[i] + fresh2 * grad * grad;
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
    p[i] = shrink * p[i] - step_size * m / (std::sqrt(v) / root2 + eps);
  }
}

template <class T>
void rmsprop_range(const RmspropStep& s, T* p, const T* g, T* square_avg, T* buffer, int64_t begin,
                   int64_t end) {
  const T lr = static_cast<T>(s.lr), decay = static_cast<T>(s.weight_decay);
  const T alpha = static_cast<T>(s.alpha), fresh = static_cast<T>(1 - s.alpha);
  const T eps = static_cast<T>(s.eps), momentum = static_cast<T>(s.momentum);
  const auto scaled_grad = [&](int64_t i) {
    const T grad = g[i] + decay * p[i];
    square_avg[i] = alpha * square_avg[i] + fresh * grad * grad;
    return grad / (std::sqrt(square_avg[i]) + eps);
  };
  if (s.momentum == 0) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) p[i] -= lr * scaled_grad(i);
    return;
  }
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) {
    buffer[i] = momentum * buffer[i] + scaled_grad(i);
    p[i] -= lr * buffer[i];
  }
}

}  // namespace

void CpuBackend::sgd(const SgdStep& s, const View& p, const View& g, const View& buffer) {
  dispatch_float(p.dtype, [&]<class T>() {
    parallel_for(p.numel(), kGrain, [&](int64_t begin, int64_t end) {
      sgd_range(s, p.as<T>(), g.as<T>(), buffer.as<T>(), begin, end);
    });
  });
}

void CpuBackend::adam(const AdamStep& s, const View& p, const View& g, const View& exp_avg,
                      const View& exp_avg_sq) {
  dispatch_float(p.dtype, [&]<class T>() {
    parallel_for(p.numel(), kGrain, [&](int64_t begin, int64_t end) {
      adam_range(s, p.as<T>(), g.as<T>(), exp_avg.as<T>(), exp_avg_sq.as<T>(), begin, end);
    });
  });
}

void CpuBackend::rmsprop(const RmspropStep& s, const View& p, const View& g, const View& square_avg,
                         const View& buffer) {
  dispatch_float(p.dtype, [&]<class T>() {
    parallel_for(p.numel(), kGrain, [&](int64_t begin, int64_t end) {
      rmsprop_range(s, p.as<T>(), g.as<T>(), square_avg.as<T>(), buffer.as<T>(), begin, end);
    });
  });
}

}  // namespace gradus::cpu
