#pragma once
// How weights begin. A layer's output should vary as much as its input, and its gradient as much as
// the gradient above it. A sum of fan_in terms varies fan_in times as much as one term, so a weight
// gets the variance 1 / fan_in, times what the activation loses. Each returns a new tensor, for
// parameter("weight", init::xavier_uniform({out, in})); plain `normal`, `uniform`, `zeros` and
// `ones` are in tensor/. To start over: raw::copy_(p, normal(p.shape(), 0, 0.02)).
#include "tensor/random.h"

namespace gradus::init {

/// How many inputs an output sums over, and how many outputs an input reaches, for a weight
/// (out, in, kernel…): fan_in = in * prod(kernel), fan_out = out * prod(kernel). ShapeError below
/// 2-d.
struct Fans {
  double in, out;
};
Fans fans(const Shape& shape);

/// U(-b, b), b = gain sqrt(3 / fan_in); N(0, s^2), s = gain / sqrt(fan_in). The gain sqrt 2 is for
/// ReLU, which loses half of the variance. He et al., Delving Deep into Rectifiers (2015), 2.2.
Tensor kaiming_uniform(const Shape& shape, double gain = 1.4142135623730951, Options options = {},
                       Generator& generator = default_generator());
Tensor kaiming_normal(const Shape& shape, double gain = 1.4142135623730951, Options options = {},
                      Generator& generator = default_generator());

/// U(-b, b), b = gain sqrt(6 / (fan_in + fan_out)); N(0, s^2), s = gain sqrt(2 / (fan_in +
/// fan_out)). A compromise between the forward and the backward pass. Glorot & Bengio (2010),
/// section 4.2.1.
Tensor xavier_uniform(const Shape& shape, double gain = 1, Options options = {},
                      Generator& generator = default_generator());
Tensor xavier_normal(const Shape& shape, double gain = 1, Options options = {},
                     Generator& generator = default_generator());

/// N(mean, std^2) given that it lies in [low, high]: what falls outside is drawn again. ValueError
/// if fewer than one draw in a hundred would fall inside.
Tensor trunc_normal(const Shape& shape, double mean, double std, double low, double high,
                    Options options = {}, Generator& generator = default_generator());

}  // namespace gradus::init
