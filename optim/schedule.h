#pragma once
// A schedule is a function from the step (0, 1, 2, …) to the learning rate, and nothing more:
//   CosineLr schedule{.peak = 3e-4, .floor = 3e-5, .warmup = 100, .total = 2000};
//   opt.lr = schedule(step);
// It has no state, so a resumed run needs only its step. All begin with a linear warm-up, because
// Adam's averages know little at first: at step s < warmup the rate is peak (s + 1) / (warmup + 1).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "tensor/error.h"

namespace gradus {

/// What part of the peak the warm-up lets through at `step`.
inline double warmup_factor(int64_t step, int64_t warmup) {
  check<ValueError>(warmup >= 0, "schedule: warmup = {}; it must not be negative", warmup);
  return step < warmup ? static_cast<double>(step + 1) / static_cast<double>(warmup + 1) : 1;
}
/// From 0 at the end of the warm-up to 1 at `total` and after it. ValueError unless 0 <= warmup <=
/// total.
inline double decay_progress(int64_t step, int64_t warmup, int64_t total) {
  check<ValueError>(total > 0, "schedule: total = {}; say how many steps there are", total);
  check<ValueError>(warmup >= 0 && warmup <= total,
                    "schedule: a warm-up of {} steps does not fit into {}", warmup, total);
  if (step <= warmup) return 0;
  return step >= total ? 1
                       : static_cast<double>(step - warmup) / static_cast<double>(total - warmup);
}

/// peak, after the warm-up.
struct ConstantLr {
  double peak;
  int64_t warmup = 0;
  double operator()(int64_t step) const { return peak * warmup_factor(step, warmup); }
};

/// peak factor^floor((s - warmup) / every): a stair down.
struct StepLr {
  double peak, factor = 0.1;
  int64_t every = 0, warmup = 0;
  double operator()(int64_t step) const {
    check<ValueError>(every >= 1, "StepLr: every = {}; a stair is at least 1 step long", every);
    const int64_t stairs = std::max<int64_t>(step - warmup, 0) / every;
    return peak * warmup_factor(step, warmup) * std::pow(factor, static_cast<double>(stairs));
  }
};

/// floor + (peak - floor) (1 - t), t running from 0 at `warmup` to 1 at `total`; floor after it.
struct LinearLr {
  double peak, floor = 0;
  int64_t warmup = 0, total = 0;
  double operator()(int64_t step) const {
    const double t = decay_progress(step, warmup, total);
    if (step < warmup) return peak * warmup_factor(step, warmup);
    return floor + (peak - floor) * (1 - t);
  }
};

/// floor + (peak - floor) (1 + cos(pi t)) / 2, t as above. Loshchilov & Hutter, SGDR (2017), eq. 5.
struct CosineLr {
  double peak, floor = 0;
  int64_t warmup = 0, total = 0;
  double operator()(int64_t step) const {
    const double t = decay_progress(step, warmup, total);
    if (step < warmup) return peak * warmup_factor(step, warmup);
    return floor + (peak - floor) * (1 + std::cos(std::numbers::pi * t)) / 2;
  }
};

}  // namespace gradus
