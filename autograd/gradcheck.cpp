#include "autograd/gradcheck.h"

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"

namespace gradus {

namespace {

/// The inputs as this check owns them: contiguous copies, leaves.
struct Problem {
  const Function& f;
  std::vector<Tensor> inputs;
  std::vector<bool> wanted;

  Problem(const Function& function, const std::vector<Tensor>& given,
          const GradcheckOptions& options)
      : f(function) {
    check<ValueError>(options.differentiate.empty() || options.differentiate.size() == given.size(),
                      "gradcheck: differentiate says {} times yes or no, but there are {} inputs",
                      options.differentiate.size(), given.size());
    for (size_t i = 0; i < given.size(); ++i) {
      inputs.push_back(raw::clone(given[i]));
      const bool chosen = options.differentiate.empty() || options.differentiate[i];
      wanted.push_back(chosen && given[i].is_floating_point());
      check<DTypeError>(given[i].dtype() != F32,
                        "gradcheck: input {} is float32: differences would be noise; use F64", i);
      if (wanted.back()) inputs.back().set_requires_grad();
    }
  }
  double value(const Tensor& upstream) const {
    NoGrad guard;
    return raw::reduce(ReduceOp::Sum, raw::mul(f(inputs), upstream), {}, false).item();
  }
  /// inputs[i][j] as a tensor of one element, on whichever device.
  Tensor element(size_t i, int64_t j) const { return raw::as_strided(inputs[i], {}, {}, j); }
  /// d(upstream . f)/d inputs[i][j] by central differences of step h.
  double difference(const Tensor& upstream, size_t i, int64_t j, double h) const {
    const Tensor x = element(i, j);
    const double before = x.item();
    raw::fill_(x, before + h);
    const double above = value(upstream);
    raw::fill_(x, before - h);
    const double below = value(upstream);
    raw::fill_(x, before);
    return (above - below) / (2 * h);
  }
  /// Whether upstream . f bends or jumps within h of inputs[i][j]: the slopes on its two sides
  /// differ, or the difference depends on the step. `scale` is the size of a usual slope.
  bool kink(const Tensor& upstream, size_t i, int64_t j, double h, double scale) const {
    const auto differ = [&](double a, double b) {
      return std::abs(a - b) > 0.01 * std::max({std::abs(a), std::abs(b), scale});
    };
    const Tensor x = element(i, j);
    const double before = x.item(), here = value(upstream);
    const double slope = difference(upstream, i, j, h);
    raw::fill_(x, before + h);
    const double right = (value(upstream) - here) / h;
    raw::fill_(x, before);
    return differ(right, 2 * slope - right) ||  // 2 slope = right + left
           differ(slope, difference(upstream, i, j, h / 10));
  }
};

bool near(double a, double b) {
  return std::abs(a - b) <= 1e-3 * std::max(std::abs(a), std::abs(b));
}

/// What usually makes this pattern.
std::string likely_cause(const std::vector<double>& got, const std::vector<double>& want,
                         const Shape& shape, size_t worst, bool kink) {
  const double g = got[worst], w = want[worst];
  if (!std::isfinite(g))
    return "the derivative is not finite: a division by 0 or a log of 0 in the backward";
  if (kink) return "f has a kink or a jump here: move the input away from it";
  bool all_zero = true, negated = true, scaled = true, none_right = true;
  for (size_t j = 0; j < got.size(); ++j) {
    all_zero &= got[j] == 0;
    negated &= near(got[j], -want[j]);
    scaled &= near(got[j] * w, want[j] * g);
    none_right &= !near(got[j], want[j]);
  }
  if (all_zero)
    return "the gradient is 0 everywhere: a closure that returns zeros, or a path that is not "
           "recorded";
  if (negated) return "the sign is wrong everywhere";
  if (scaled)
    return fmt::format(
        "every element is {:.4g} times what it should be: a factor is missing or doubled", g / w);
  if (shape.size() == 2 && shape[0] == shape[1]) {
    bool transposed = true;
    const auto n_rows = static_cast<size_t>(shape[0]);
    for (size_t r = 0; r < n_rows; ++r)
      for (size_t c = 0; c < n_rows; ++c)
        transposed &= near(got[r * n_rows + c], want[c * n_rows + r]);
    if (transposed) return "the gradient is transposed";
  }
  if (none_right && got.size() > 1)
    return "every element is wrong, each by another factor: look at the formula itself";
  return g == 0 ? "this element gets no gradient: look at how the index, mask or slice goes back"
                : "some elements only: look at how broadcasting, an index or an accumulation goes "
                  "back";
}

std::string index_name(const Shape& shape, int64_t flat) {
  Shape at = shape;
  for (int d = shape.size() - 1; d >= 0; --d) {
    at[d] = flat % shape[d];
    flat /= shape[d];
  }
  return at.str();
}

/// Compares one input's gradient; keeps the worst in `result`.
void compare(const Problem& problem, const Tensor& upstream, size_t i, const Tensor& gradient,
             const GradcheckOptions& options, GradcheckResult& result) {
  check<ShapeError>(gradient.shape() == problem.inputs[i].shape(),
                    "gradcheck: the gradient of input {} has shape {}, the input {}", i,
                    gradient.shape(), problem.inputs[i].shape());
  const std::vector<double> got = gradient.to_vector<double>();
  std::vector<double> want(got.size());
  double squares = 0;
  for (size_t j = 0; j < want.size(); ++j) {
    want[j] = problem.difference(upstream, i, static_cast<int64_t>(j), options.step);
    squares += want[j] * want[j];
  }
  // Differences of values near 1 are 1e-11 of noise: where the gradient is 0, that is no error.
  const double scale =
      std::max(1e-4, std::sqrt(squares / std::max(1.0, static_cast<double>(want.size()))));
  for (size_t j = 0; j < want.size(); ++j) {
    ++result.checked;
    double error =
        std::abs(got[j] - want[j]) / std::max({std::abs(got[j]), std::abs(want[j]), scale});
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    if (error <= result.worst_error) continue;
    result.worst_error = error;
    if (error <= options.tolerance) continue;
    result.ok = false;
    const bool kink = problem.kink(upstream, i, static_cast<int64_t>(j), options.step, scale);
    result.message = fmt::format(
        "gradient of input {} at {}: expected {:.9g} (differences), got {:.9g} (backward), "
        "relative error {:.2g}; "
        "likely cause: {}",
        i, index_name(problem.inputs[i].shape(), static_cast<int64_t>(j)), want[j], got[j], error,
        likely_cause(got, want, problem.inputs[i].shape(), j, kink));
  }
}

/// The gradients of the wanted inputs, in order; zeros where f does not depend on one.
std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& wanted,
                              const Tensor& upstream, bool create_graph) {
  if (y.requires_grad()) return grad(y, wanted, {.create_graph = create_graph}, upstream);
  std::vector<Tensor> zeros_;
  for (const Tensor& x : wanted) zeros_.push_back(zeros_like(x));
  return zeros_;
}

}  // namespace

GradcheckResult gradcheck(const Function& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  const Problem problem(f, inputs, options);
  Generator generator(options.seed);
  const Tensor y = f(problem.inputs);
  const Tensor upstream = randn(y.shape(), y.options(), generator);
  check<ValueError>(
      problem.value(upstream) == problem.value(upstream) || !std::isfinite(problem.value(upstream)),
      "gradcheck: f gives another value each time it is called; seed its random numbers "
      "inside f, so that differences mean something");
  std::vector<Tensor> wanted;
  std::vector<size_t> which;
  for (size_t i = 0; i < problem.inputs.size(); ++i)
    if (problem.wanted[i]) wanted.push_back(problem.inputs[i]), which.push_back(i);
  const std::vector<Tensor> analytic = gradients(y, wanted, upstream, false);
  GradcheckResult result;
  for (size_t k = 0; k < which.size(); ++k)
    compare(problem, upstream, which[k], analytic[k], options, result);
  return result;
}

GradcheckResult gradgradcheck(const Function& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  const Problem problem(f, inputs, options);
  Generator generator(options.seed + 1);
  std::vector<Tensor> extended = problem.inputs;
  const Tensor y = f(problem.inputs);  // the upstream gradient is an input too
  extended.push_back(randn(y.shape(), y.options(), generator));
  std::vector<Tensor> weights;
  for (const Tensor& x : problem.inputs)
    weights.push_back(x.is_floating_point() ? randn(x.shape(), x.options(), generator) : Tensor());

  const Function gradient_of_f = [&](const std::vector<Tensor>& in) {
    GradMode mode(true);  // the differences call this under NoGrad, but its inside needs a graph
    std::vector<Tensor> xs(in.begin(), in.end() - 1), wanted;
    for (size_t i = 0; i < xs.size(); ++i)
      if (problem.wanted[i]) wanted.push_back(xs[i]);
    const std::vector<Tensor> g = gradients(f(xs), wanted, in.back(), true);
    Tensor total = full({}, 0, in.back().options());
    for (size_t i = 0, k = 0; i < xs.size(); ++i)
      if (problem.wanted[i]) total = total + sum(g[k++] * weights[i]);
    return total;
  };
  GradcheckOptions inner = options;
  inner.differentiate = problem.wanted;
  inner.differentiate.push_back(true);
  return gradcheck(gradient_of_f, extended, inner);
}

}  // namespace gradus
