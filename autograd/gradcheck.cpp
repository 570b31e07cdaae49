#include "autograd/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "autograd/differences.h"
#include "autograd/gradcheck_cause.h"
#include "autograd/gradcheck_problem.h"
#include "autograd/ops.h"

namespace gradus {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The constants of judge() and accuse().
constexpr double kSmallPart = 1e-3;  // a derivative counts as at least this part of a typical one
constexpr double kAccuracy = 0.01;   // the search may stop at this part of the tolerated error
constexpr double kNothing = 1e-30;   // a derivative that no training would notice
constexpr double kClear = 512;       // times resolution(): an accused difference is larger
constexpr double kLeftOver = 1e-16;  // what values near 1 leave when they cancel
constexpr double kGradientsLeftOver = 3e-10;  // in a second derivative: what first ones leave
constexpr double kTiny = 1e-280;              // where the square of a number is 0

double root_mean_square(const std::vector<double>& v) {
  double largest = 0, squares = 0, n = 0;
  for (const double x : v) {
    if (!std::isfinite(x)) continue;
    largest = std::max(largest, std::abs(x));
    ++n;
  }
  if (largest == 0) return 0;
  for (const double x : v)  // relative to the largest, or the squares could overflow
    if (std::isfinite(x)) squares += (x / largest) * (x / largest);
  return largest * std::sqrt(squares / n);
}

/// One call of gradcheck or gradgradcheck.
struct Run {
  const Problem& problem;
  const GradcheckOptions& options;
  const Tensor& upstream;
  const std::vector<Tensor>& analytic;
  bool second;   // f is a gradient, and its last input is the upstream gradient
  double size;   // if second: of the function whose gradient f is
  bool float32;  // whether a recorded operation has float32 inputs
  GradcheckResult result = {};
  std::string doubt = {};                        // about the first one that could not be judged
  std::vector<std::vector<double>> digits = {};  // of `analytic`, once last_digits() has run

  /// By how much a gradient changes if the last digits of the inputs do.
  double last_digits(size_t i, size_t j) {
    if (digits.empty()) digits = problem.last_digits(analytic, upstream);
    return digits[i][j];
  }
};

/// The size of u . f without cancellation; u counts as at least 1.
double product_size(const Tensor& f, const Tensor& u) {
  double size = 0;
  const std::vector<double> y = f.to_vector<double>(), w = u.to_vector<double>();
  for (size_t i = 0; i < y.size(); ++i)
    if (std::isfinite(y[i])) size += std::abs(y[i]) * std::max(1.0, std::abs(w[i]));
  return size;
}

std::string index_name(const Shape& shape, int64_t flat) {
  Shape at = shape;
  for (int d = shape.size() - 1; d >= 0; --d) {
    at[d] = flat % shape[d];
    flat /= shape[d];
  }
  return at.str();
}

/// The derivative that a message is about.
std::string name(const Run& run, size_t i, size_t j) {
  const bool upstream = run.second && i + 1 == run.problem.inputs.size();
  return fmt::format("{} of {} at {}", run.second ? "second derivative" : "gradient",
                     upstream ? "the upstream gradient" : fmt::format("input {}", i),
                     index_name(run.problem.inputs[i].shape(), static_cast<int64_t>(j)));
}

/// Why c could not be judged.
std::string why_unjudged(const Run& run, const Differences& differences, const Compared& c) {
  if (std::isinf(c.noise)) return "f is not finite at this input, or not on both sides of it";
  const Slope slope = differences.careful(0);
  std::string why;
  if (run.float32 || differences.through_float32())
    why = "f goes through float32: the differences are too coarse to judge";
  else if (differences.kink(c.got, slope.step))
    why = "f has a kink or a jump here: move the input away from it";
  else
    why = fmt::format(
        "the differences are too coarse to judge: f's values, about {:.2g}, have too few digits to "
        "show how they change",
        slope.size);
  return fmt::format("{:.9g} ± {:.2g} (differences), ", c.want, c.noise) +
         fmt::format("{:.9g} (backward); {}", c.got, why);
}

/// A derivative from backward beside the same one from differences.
struct Comparison {
  double got;      // from backward
  Slope slope;     // from differences
  double typical;  // the size of the input's derivatives

  double larger() const { return std::max(std::abs(got), std::abs(slope.value)); }
  double difference() const { return std::abs(got - slope.value); }
  /// What the difference is measured by.
  double scale() const { return std::max(larger(), kSmallPart * typical); }
  /// The relative error beyond the noise.
  double error() const {
    return larger() == 0 ? 0 : std::max(0.0, difference() - slope.error) / scale();
  }
  /// Whether the noise alone may exceed the tolerance.
  bool coarse(double tolerance) const {
    return slope.error > tolerance * std::max(larger(), typical);
  }
};

struct Verdict {
  Judgement judgement = Judgement::Right;
  double error = 0;
};

/// Wrong or unjudged? `c` differs by more than its noise, but an accusation has to stand clear of
/// everything that may be noise: of the last digits of backward, and of values inside f that
/// cancel, which the outputs do not show.
Verdict accuse(Run& run, const Differences& differences, size_t i, size_t j, double resolution,
               Comparison& c) {
  if (run.float32 || differences.through_float32() || differences.kink(c.got, c.slope.step))
    return {Judgement::Unjudged};
  c.slope.error = 2 * c.slope.error + 4 * run.last_digits(i, j);
  // f's resolution is that of a step as large as x; over a smaller step, less can be seen.
  const double visible = resolution * std::max(kClear, 2 / c.slope.step);
  const double left_over = run.second ? kGradientsLeftOver : kLeftOver;
  if (c.difference() > std::max(visible, left_over) && c.error() > run.options.tolerance)
    return {Judgement::Wrong, c.error()};
  return {Judgement::Unjudged};
}

/// Judges the derivative with respect to inputs[i][j]. First by one difference, which is enough for
/// most; if that does not agree, by the search for the best one.
Verdict judge(Run& run, const Differences& differences, size_t i, size_t j, Comparison& c) {
  const double tolerance = run.options.tolerance, step = run.options.step;
  const bool finite = std::isfinite(c.got);
  c.slope = differences.quick(step);
  const bool agrees =
      std::isfinite(c.slope.error) && finite && c.difference() <= tolerance * c.scale();
  if (agrees && (!c.coarse(tolerance) || (c.got == 0 && differences.still(step))))
    return {Judgement::Right, c.error()};

  const double size = finite ? std::max(std::abs(c.got), c.typical) : c.typical;
  c.slope = differences.careful(kAccuracy * tolerance * size);
  if (!finite && !differences.finite()) c.slope.error = kInfinity;
  if (std::isinf(c.slope.error)) return {Judgement::Unjudged};
  if (!finite) return {Judgement::Wrong, kInfinity};
  const double resolution = differences.resolution(run.size);
  if (c.larger() <= std::max(resolution, kNothing)) return {Judgement::Right};
  if (c.error() > tolerance) return accuse(run, differences, i, j, resolution, c);
  if (c.coarse(tolerance)) return {Judgement::Unjudged};
  return {Judgement::Right, c.error()};
}

/// Compares one input's gradient.
void compare(Run& run, size_t i) {
  const Problem& problem = run.problem;
  const Shape& shape = problem.inputs[i].shape();
  const Tensor& gradient = run.analytic[i];
  check<ShapeError>(gradient.shape() == shape,
                    "gradcheck: the gradient of input {} has shape {}, the input {}", i,
                    gradient.shape(), shape);
  const std::vector<double> x = problem.inputs[i].to_vector<double>();
  const std::vector<double> got = gradient.to_vector<double>();
  const double rms = root_mean_square(x), around = rms > kTiny ? rms : 1;
  const double typical = root_mean_square(got);
  const std::vector<double> u = run.upstream.to_vector<double>();
  std::vector<Compared> all(got.size());
  size_t worst = all.size();
  const auto differences_of = [&](size_t j) {
    const auto along = [&, j](double v) {
      return problem.outputs_at(i, static_cast<int64_t>(j), v);
    };
    return Differences(along, u, x[j], around);
  };
  for (size_t j = 0; j < all.size(); ++j) {
    const Differences differences = differences_of(j);
    Comparison comparison{got[j], {}, typical};
    const Verdict verdict = judge(run, differences, i, j, comparison);
    all[j] = {got[j], comparison.slope.value, comparison.slope.error, verdict.judgement};
    ++run.result.checked;
    run.result.wrong += verdict.judgement == Judgement::Wrong;
    run.result.unjudged += verdict.judgement == Judgement::Unjudged;
    if (verdict.judgement == Judgement::Unjudged && run.doubt.empty())
      run.doubt = name(run, i, j) + ": " + why_unjudged(run, differences, all[j]);
    if (verdict.error <= run.result.worst_error) continue;
    run.result.worst_error = verdict.error;
    if (verdict.judgement == Judgement::Wrong) worst = j;
  }
  if (worst == all.size()) return;
  run.result.message = fmt::format(
      "{}: expected {:.9g} (differences), got {:.9g} (backward), relative error {:.2g}; "
      "likely cause: {}",
      name(run, i, worst), all[worst].want, got[worst], run.result.worst_error,
      likely_cause(all, shape, worst));
}

/// If f is the gradient of u . h, and its last input is u, then `size` is that of u . h.
GradcheckResult check_gradients(const Function& f, const std::vector<Tensor>& inputs,
                                const GradcheckOptions& options, std::optional<double> size) {
  for (const double positive : {options.step, options.tolerance})
    check<ValueError>(positive > 0 && positive < 1,
                      "gradcheck: step {} and tolerance {}; both must be between 0 and 1",
                      options.step, options.tolerance);
  const Problem problem(f, inputs, options);
  problem.refuse_random(1);
  Generator generator(options.seed);
  const Tensor y = f(problem.inputs);
  check<DTypeError>(y.is_floating_point(), "gradcheck: f returns int64, which has no derivative");
  const std::vector<bool>& chosen = problem.differentiate;
  check<ValueError>(std::find(chosen.begin(), chosen.end(), true) != chosen.end(),
                    "gradcheck: there is nothing to check: no floating input is chosen");
  const Tensor upstream = randn(y.shape(), y.options(), generator);
  const std::vector<Tensor> analytic = problem.gradients(problem.inputs, upstream);
  Run run{problem,          options,          upstream,       analytic,
          size.has_value(), size.value_or(0), uses_float32(y)};
  for (size_t i = 0; i < analytic.size(); ++i)
    if (chosen[i]) compare(run, i);
  GradcheckResult& result = run.result;
  result.ok = result.wrong == 0 && result.unjudged == 0;
  if (!result.ok) problem.refuse_random(100);
  if (result.inconclusive())
    result.message = fmt::format("{} of {} derivatives could not be judged. {}", result.unjudged,
                                 result.checked, run.doubt);
  return result;
}

}  // namespace

GradcheckResult gradcheck(const Function& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  return check_gradients(f, inputs, options, {});
}

GradcheckResult gradgradcheck(const Function& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  const Problem problem(f, inputs, options);
  Generator generator(options.seed + 1);
  std::vector<Tensor> extended = problem.inputs;
  const Tensor y = f(problem.inputs);  // the upstream gradient is an input too
  extended.push_back(randn(y.shape(), y.options(), generator));

  const Function gradient_of_f = [&](const std::vector<Tensor>& in) {
    GradMode mode(true);  // the differences call this under NoGrad, but it needs a graph itself
    std::vector<Tensor> xs(in.begin(), in.end() - 1), chosen;
    for (size_t i = 0; i < xs.size(); ++i)
      if (problem.differentiate[i]) chosen.push_back(xs[i]);
    std::vector<Tensor> parts = {zeros({0}, in.back().options())};  // none may be chosen
    for (const Tensor& g : gradients_of(f(xs), chosen, in.back(), true))
      parts.push_back(flatten(g));
    return cat(parts, 0);
  };
  GradcheckOptions inner = options;
  inner.differentiate = problem.differentiate;
  inner.differentiate.push_back(true);
  return check_gradients(gradient_of_f, extended, inner, product_size(y, extended.back()));
}

}  // namespace gradus
