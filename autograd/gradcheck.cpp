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
// What values near 1 leave over where they cancel; in a second derivative, what first ones do.
constexpr double kLeftOver = 1e-16, kLeftOverOfGradients = 3e-10;
constexpr double kNothing = 1e-30;  // a derivative that no training would notice

double root_mean_square(const std::vector<double>& v) {
  double largest = 0, squares = 0, n = 0;
  for (const double x : v)
    if (std::isfinite(x)) largest = std::max(largest, std::abs(x)), ++n;
  if (largest == 0) return 0;
  for (const double x : v)  // as parts of the largest, or they could overflow
    if (std::isfinite(x)) squares += (x / largest) * (x / largest);
  return largest * std::sqrt(squares / n);
}

/// What a check knows of itself.
struct Check {
  const Problem& problem;
  const GradcheckOptions& options;
  const Tensor& upstream;
  const std::vector<Tensor>& analytic;
  bool second;  // f is a gradient, and its last input the upstream one
  double size;  // then of what f is the gradient of
  bool float32;
  GradcheckResult result = {};
  std::string doubt = {};                        // about the first one that could not be judged
  std::vector<std::vector<double>> digits = {};  // of `analytic`, once asked for

  /// What the last digits of a gradient are worth.
  double last_digits(size_t i, size_t j) {
    if (digits.empty()) digits = problem.last_digits(analytic, upstream);
    return digits[i][j];
  }
};

/// The size of u . f, were there no cancellation; u counts as at least 1.
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
std::string name(const Check& run, size_t i, size_t j) {
  const bool upstream = run.second && i + 1 == run.problem.inputs.size();
  return fmt::format("{} of {} at {}", run.second ? "second derivative" : "gradient",
                     upstream ? "the upstream gradient" : fmt::format("input {}", i),
                     index_name(run.problem.inputs[i].shape(), static_cast<int64_t>(j)));
}

/// Why c could not be judged.
std::string why_unjudged(const Check& run, const Differences& differences, const Compared& c) {
  if (std::isinf(c.noise)) return "f is not finite at this input, or not on both sides of it";
  const Slope slope = differences.careful(0);
  std::string why;
  if (run.float32 || differences.through_float32())
    why = "f goes through float32: the differences are too coarse to judge";
  else if (differences.kink(c.got, slope.step))
    why = "f has a kink or a jump here: move the input away from it";
  else
    why = fmt::format(
        "the differences are too coarse to judge: f's values, about {:.2g}, keep too few digits of "
        "how they change",
        slope.size);
  return fmt::format("{:.9g} ± {:.2g} (differences), {:.9g} (backward); {}", c.want, c.noise, c.got,
                     why);
}

/// How a derivative is judged, and its relative error beyond the noise.
struct Verdict {
  Judgement judgement = Judgement::Right;
  double error = 0;
};

/// Judges c.got, the derivative by inputs[i][j]; `typical` is the size of its neighbours.
Verdict judge(Check& run, const Differences& differences, size_t i, size_t j, double typical,
              Compared& c) {
  const double tolerance = run.options.tolerance;
  Slope slope = differences.quick(run.options.step);
  const auto own = [&] { return std::max(std::abs(c.got), std::abs(slope.value)); };
  const auto difference = [&] { return std::abs(c.got - slope.value); };
  const auto least = [&] { return std::max(own(), 1e-3 * typical); };
  const auto error = [&] {
    return own() == 0 ? 0 : std::max(0.0, difference() - slope.error) / least();
  };
  const auto coarse = [&] { return slope.error > tolerance * std::max(own(), typical); };
  const auto verdict = [&](Judgement judgement, double by = 0) {
    c.want = slope.value, c.noise = slope.error;
    return Verdict{c.judgement = judgement, by};
  };
  if (std::isfinite(slope.error) && std::isfinite(c.got) && difference() <= tolerance * least() &&
      (!coarse() || (c.got == 0 && differences.still(run.options.step))))
    return verdict(Judgement::Right, error());
  const double size = std::isfinite(c.got) ? std::max(std::abs(c.got), typical) : typical;
  slope = differences.careful(0.01 * tolerance * size);
  if (!std::isfinite(c.got) && !differences.finite()) slope.error = kInfinity;
  if (std::isinf(slope.error)) return verdict(Judgement::Unjudged);
  if (!std::isfinite(c.got)) return verdict(Judgement::Wrong, kInfinity);
  const double resolution = differences.resolution(run.size);
  if (own() <= std::max(resolution, kNothing)) return verdict(Judgement::Right);
  if (error() > tolerance) {
    if (run.float32 || differences.through_float32() || differences.kink(c.got, slope.step))
      return verdict(Judgement::Unjudged);
    // An accusation has to stand clear of all that may be noise: of the last digits of backward, and
    // of values inside f that cancel, which the outputs do not show.
    slope.error = 2 * slope.error + 4 * run.last_digits(i, j);
    const double least_shown = std::max(resolution * std::max(512.0, 2 / slope.step),
                                        run.second ? kLeftOverOfGradients : kLeftOver);
    return difference() > least_shown && error() > tolerance ? verdict(Judgement::Wrong, error())
                                                             : verdict(Judgement::Unjudged);
  }
  return coarse() ? verdict(Judgement::Unjudged) : verdict(Judgement::Right, error());
}

/// Compares one input's gradient.
void compare(Check& run, size_t i) {
  const Problem& problem = run.problem;
  const Shape& shape = problem.inputs[i].shape();
  const Tensor& gradient = run.analytic[i];
  check<ShapeError>(gradient.shape() == shape,
                    "gradcheck: the gradient of input {} has shape {}, the input {}", i,
                    gradient.shape(), shape);
  const std::vector<double> x = problem.inputs[i].to_vector<double>();
  const std::vector<double> got = gradient.to_vector<double>();
  const double rms = root_mean_square(x), around = rms > 1e-280 ? rms : 1;
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
    all[j].got = got[j];
    const Verdict verdict = judge(run, differences, i, j, typical, all[j]);
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

/// `size` is that of u . f if f is a gradient and its last input u.
GradcheckResult check_gradients(const Function& f, const std::vector<Tensor>& inputs,
                                const GradcheckOptions& options, std::optional<double> size) {
  for (const double positive : {options.step, options.tolerance})
    check<ValueError>(positive > 0 && positive < 1,
                      "gradcheck: step {} and tolerance {}; wanted two "
                      "numbers between 0 and 1",
                      options.step, options.tolerance);
  const Problem problem(f, inputs, options);
  problem.refuse_random(1);
  Generator generator(options.seed);
  const Tensor y = f(problem.inputs);
  check<DTypeError>(y.is_floating_point(), "gradcheck: f gives int64, which has no derivative");
  const auto wanted = [](bool w) { return w; };
  check<ValueError>(std::any_of(problem.wanted.begin(), problem.wanted.end(), wanted),
                    "gradcheck: there is nothing to check: no floating input is chosen");
  const Tensor upstream = randn(y.shape(), y.options(), generator);
  const std::vector<Tensor> analytic = problem.gradients(problem.inputs, upstream);
  Check run{problem,          options,          upstream,       analytic,
            size.has_value(), size.value_or(0), uses_float32(y)};
  for (size_t i = 0; i < analytic.size(); ++i)
    if (problem.wanted[i]) compare(run, i);
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
    GradMode mode(true);  // the differences call this under NoGrad, but its inside needs a graph
    std::vector<Tensor> xs(in.begin(), in.end() - 1), wanted;
    for (size_t i = 0; i < xs.size(); ++i)
      if (problem.wanted[i]) wanted.push_back(xs[i]);
    std::vector<Tensor> rows = {zeros({0}, in.back().options())};
    for (const Tensor& g : gradients_of(f(xs), wanted, in.back(), true)) rows.push_back(flatten(g));
    return cat(rows, 0);
  };
  GradcheckOptions inner = options;
  inner.differentiate = problem.wanted;
  inner.differentiate.push_back(true);
  return check_gradients(gradient_of_f, extended, inner, product_size(y, extended.back()));
}

}  // namespace gradus
