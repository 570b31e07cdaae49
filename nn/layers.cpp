// What the layers begin with.
#include "nn/layers.h"

#include <cmath>

namespace gradus {

Linear::Linear(int64_t in, int64_t out, bool with_bias) {
  check<ValueError>(in > 0 && out > 0, "Linear: {} inputs, {} outputs; both must be positive", in,
                    out);
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  weight = parameter("weight", uniform({out, in}, -bound, bound));
  if (with_bias) bias = parameter("bias", uniform({out}, -bound, bound));
}

Embedding::Embedding(int64_t count, int64_t dim)
    : weight(parameter("weight", randn({count, dim}))) {}

LayerNorm::LayerNorm(int64_t dim, double epsilon)
    : weight(parameter("weight", ones({dim}))),
      bias(parameter("bias", zeros({dim}))),
      eps(epsilon) {}

RMSNorm::RMSNorm(int64_t dim, double epsilon)
    : weight(parameter("weight", ones({dim}))), eps(epsilon) {}

Dropout::Dropout(double probability) : p(probability) {
  check<ValueError>(p >= 0 && p <= 1, "Dropout: the probability {} is outside [0, 1]", p);
}

}  // namespace gradus
