#pragma once
// How fast a pair of channels turns in the rotary position embedding, for the CPU and a GPU. Su et
// al., RoFormer (2021), section 3.2.2.
#include <cmath>

#include "tensor/view.h"

namespace gradus {

/// The angle, per position, of pair i of D / 2: base^(-2 i / D). Positions times this are computed
/// in double for every dtype: a float would round the angle of position 10,000 by 0.001.
GRADUS_HD double rotary_frequency(int64_t i, int64_t d, double base) {
  return std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(d));
}

}  // namespace gradus
