// Random tensors: a generator hands out keys, and a kernel turns them into numbers.
#include "tensor/random.h"

#include <cmath>

#include "tensor/raw.h"

namespace gradus {

Generator& default_generator() {
  static Generator generator(0);
  return generator;
}
void manual_seed(uint64_t seed) { default_generator().set_state({seed, 0}); }

namespace {
void check_request(const char* op, const Shape& shape, DType dtype) {
  check<DTypeError>(dtype != I64, "{}: not for int64; randint draws integers", op);
  shape.checked_numel(op);
}
}  // namespace

Tensor uniform(const Shape& shape, double low, double high, Options options, Generator& generator) {
  check_request("uniform", shape, options.dtype);
  const double widest =
      options.dtype == F32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  check<ValueError>(
      low <= high && high - low <= widest,
      "uniform: from {} to {}; the second must not be smaller, and in {} they may be at most {} "
      "apart",
      low, high, name(options.dtype), widest);
  Tensor out = empty(shape, options);
  raw::uniform_(out, generator.next(out.numel()), low, high);
  return out;
}
Tensor rand(const Shape& shape, Options options, Generator& generator) {
  check_request("rand", shape, options.dtype);
  return uniform(shape, 0, 1, options, generator);
}
Tensor normal(const Shape& shape, double mean, double std, Options options, Generator& generator) {
  check_request("normal", shape, options.dtype);
  check<ValueError>(std >= 0, "normal: standard deviation {}; it must not be negative", std);
  Tensor out = empty(shape, options);
  raw::normal_(out, generator.next(out.numel()), mean, std);
  return out;
}
Tensor randn(const Shape& shape, Options options, Generator& generator) {
  check_request("randn", shape, options.dtype);
  return normal(shape, 0, 1, options, generator);
}

Tensor randint(int64_t low, int64_t high, const Shape& shape, Generator& generator) {
  check_request("randint", shape, F64);
  check<ValueError>(low < high, "randint: the range [{}, {}) is empty", low, high);
  int64_t range = 0;
  check<ValueError>(!__builtin_sub_overflow(high, low, &range) && range <= int64_t{1} << 53,
                    "randint: [{}, {}) holds more than 2^53 numbers", low, high);
  // u is not negative, so the conversion to I64 rounds down
  const Tensor u = uniform(shape, 0, static_cast<double>(range), F64, generator);
  return raw::add(raw::to(u, I64), tensor<int64_t>({low}, {}, u.device()));
}
Tensor randperm(int64_t n, Generator& generator) {
  check<ValueError>(n >= 0, "randperm: {} elements; it must not be negative", n);
  check_request("randperm", {n}, F64);
  return raw::topk(rand({n}, F64, generator), n, 0, false).second;
}
Tensor bernoulli(const Tensor& p, Generator& generator) {
  check_defined("bernoulli", p);
  check_request("bernoulli", p.shape(), p.dtype());
  for (double v : p.to_vector<double>())
    check<ValueError>(v >= 0 && v <= 1, "bernoulli: probability {} is outside [0, 1]", v);
  return raw::to(raw::compare(scalar::Lt{}, rand(p.shape(), p.options(), generator), p), p.dtype());
}

Tensor multinomial(const Tensor& weights, int64_t n, bool replacement, Generator& generator) {
  check_defined("multinomial", weights);
  check<DTypeError>(weights.is_floating_point(),
                    "multinomial: weights are {}; convert with to(x, F32)", name(weights.dtype()));
  check<ShapeError>(
      weights.dim() >= 1 && n >= 1,
      "multinomial: {} draws from weights {}; it takes at least one draw, and weights "
      "(…, C)",
      n, weights.shape());
  const int64_t c = weights.size(-1);
  const std::vector<double> w = weights.to_vector<double>();
  for (size_t row = 0; row * c < w.size(); ++row) {
    int64_t positive = 0;
    for (int64_t i = 0; i < c; ++i) {
      const double v = w[row * c + i];
      check<ValueError>(
          v >= 0 && v <= std::numeric_limits<double>::max(),
          "multinomial: weight {} at row {}, column {}; weights must be finite and not negative", v,
          row, i);
      positive += v > 0;
    }
    check<ValueError>(positive >= (replacement ? 1 : n),
                      "multinomial: {} draws{} from row {} with {} positive weights; too few", n,
                      replacement ? "" : " without replacement", row, positive);
  }
  Shape shape = weights.shape();
  if (replacement) shape.insert(shape.size() - 1, n);
  const Tensor base = replacement ? raw::expand(raw::unsqueeze(weights, -2), shape) : weights;
  // log w + Gumbel noise -log(-log u), where u = 1 - [0, 1) is never 0
  using raw::unary;
  const Tensor u = unary(scalar::AddScalar{1},
                         unary(scalar::Neg{}, rand(shape, {F64, weights.device()}, generator)));
  const Tensor gumbel = unary(scalar::Log{}, unary(scalar::Neg{}, unary(scalar::Log{}, u)));
  const Tensor noisy = raw::binary(scalar::Sub{}, unary(scalar::Log{}, raw::to(base, F64)), gumbel);
  if (replacement) return raw::arg_reduce(ArgOp::Max, noisy, -1, false);
  return raw::topk(noisy, n, -1, true).second;
}

}  // namespace gradus
