// How the layers begin.
#include "nn/layers.h"

#include <cmath>

namespace gradus {

/// U(-1/sqrt(in), 1/sqrt(in)), for weight and bias alike.
static Tensor linear_init(const Shape& shape, int64_t in, int64_t out) {
  check<ValueError>(in > 0 && out > 0, "Linear: {} inputs, {} outputs; both must be positive", in,
                    out);
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return uniform(shape, -bound, bound);
}

Linear::Linear(int64_t in, int64_t out, bool with_bias)
    : weight(parameter("weight", linear_init({out, in}, in, out))),
      bias(with_bias ? parameter("bias", linear_init({out}, in, out)) : Tensor()) {}

/// Two modules can share only what an optimizer updates.
static const Tensor& checked_tie(const char* what, const Tensor& shared) {
  check<GradError>(
      shared.is_leaf(),
      "Linear: the shared {} {} is the result of an operation; give the parameter itself", what,
      shared.shape());
  return shared;
}

Linear::Linear(const Tensor& shared_weight, const Tensor& shared_bias)
    : weight(parameter("weight", checked_tie("weight", shared_weight))),
      bias(shared_bias.defined() ? parameter("bias", checked_tie("bias", shared_bias)) : Tensor()) {
  check<ShapeError>(weight.dim() == 2 && (!bias.defined() || bias.shape() == Shape{weight.size(0)}),
                    "Linear: weight {} and bias {}; wanted (out, in) and (out,)", weight.shape(),
                    bias.defined() ? bias.shape() : Shape{});
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
