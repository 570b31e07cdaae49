// Initialisation: scale a uniform or normal draw by the fans of the weight's shape.
#include "nn/init.h"

#include <cmath>

#include "tensor/raw.h"

namespace gradus::init {

Fans fans(const Shape& shape) {
  check<ShapeError>(shape.size() >= 2,
                    "init: fans need a weight (out, in, kernel…), not {}: a bias starts from zeros "
                    "or uniform",
                    shape);
  double kernel = 1;
  for (int d = 2; d < shape.size(); ++d) kernel *= static_cast<double>(shape[d]);
  return {static_cast<double>(shape[1]) * kernel, static_cast<double>(shape[0]) * kernel};
}

static Tensor symmetric(const Shape& shape, double bound, Options options, Generator& generator) {
  return uniform(shape, -bound, bound, options, generator);
}

Tensor kaiming_uniform(const Shape& shape, double gain, Options options, Generator& generator) {
  return symmetric(shape, gain * std::sqrt(3 / fans(shape).in), options, generator);
}

Tensor kaiming_normal(const Shape& shape, double gain, Options options, Generator& generator) {
  return normal(shape, 0, gain / std::sqrt(fans(shape).in), options, generator);
}

Tensor xavier_uniform(const Shape& shape, double gain, Options options, Generator& generator) {
  const Fans f = fans(shape);
  return symmetric(shape, gain * std::sqrt(6 / (f.in + f.out)), options, generator);
}

Tensor xavier_normal(const Shape& shape, double gain, Options options, Generator& generator) {
  const Fans f = fans(shape);
  return normal(shape, 0, gain * std::sqrt(2 / (f.in + f.out)), options, generator);
}

Tensor trunc_normal(const Shape& shape, double mean, double std, double low, double high,
                    Options options, Generator& generator) {
  const auto below = [&](double x) { return 0.5 * std::erfc((mean - x) / (std * std::sqrt(2.0))); };
  check<ValueError>(std > 0 && below(high) - below(low) >= 0.01,
                    "trunc_normal: almost nothing of N({}, {}^2) lies in [{}, {}]: widen the "
                    "interval, or use uniform",
                    mean, std, low, high);
  Tensor x = normal(shape, mean, std, options, generator);
  while (true) {
    const Tensor outside = raw::add(raw::compare(scalar::Lt{}, x, full({}, low, options)),
                                    raw::compare(scalar::Gt{}, x, full({}, high, options)));
    if (x.numel() == 0 || raw::reduce(scalar::Max{}, outside, {}, false).item() == 0) return x;
    x = raw::where(outside, normal(shape, mean, std, options, generator), x);
  }
}

}  // namespace gradus::init
