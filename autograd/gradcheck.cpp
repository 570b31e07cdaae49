#include "autograd/gradcheck.h"

#include <cmath>
#include <limits>
#include <optional>

#include "autograd/differences.h"
#include "autograd/engine.h"
#include "autograd/gradcheck_cause.h"
#include "autograd/ops.h"

namespace gradus {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double root_mean_square(const std::vector<double>& v) {
  double largest = 0, squares = 0, n = 0;
  for (const double x : v)
    if (std::isfinite(x)) largest = std::max(largest, std::abs(x)), ++n;
  if (largest == 0) return 0;
  for (const double x : v)  // as parts of the largest, or they could overflow
    if (std::isfinite(x)) squares += (x / largest) * (x / largest);
  return largest * std::sqrt(squares / n);
}

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
  std::vector<double> outputs() const {
    NoGrad guard;
    return f(inputs).to_vector<double>();
  }
  /// f's outputs as inputs[i][j] moves, on whichever device.
  std::vector<double> outputs_at(size_t i, int64_t j, double x) const {
    const Tensor element = raw::as_strided(inputs[i], {}, {}, j);
    const double before = element.item();
    raw::fill_(element, x);
    std::vector<double> y = outputs();
    raw::fill_(element, before);
    return y;
  }
};

/// What a check knows of itself.
struct Check {
  const Problem& problem;
  const GradcheckOptions& options;
  std::vector<double> upstream;
  bool second;  // f is a gradient, and its last input the upstream one
  double size;  // then of what f is the gradient of
  GradcheckResult result = {};
  std::string doubt = {};  // about the first one that could not be judged
};

/// Of u . f, were there no cancellation.
double product_size(const Tensor& y, const Tensor& u) {
  double size = 0;
  const std::vector<double> products = raw::mul(y, u).to_vector<double>();
  for (const double v : products) size += std::isfinite(v) ? std::abs(v) : 0;
  return size;
}

/// ValueError if one of `times` more calls of f gives other outputs.
void refuse_random(const Problem& problem, int times) {
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  const std::vector<double> first = problem.outputs();
  const PhiloxKey before = default_generator().state();
  for (int i = 0; i < times; ++i) {
    const std::vector<double> again = problem.outputs();
    const PhiloxKey after = default_generator().state();
    const bool draws = before.seed != after.seed || before.offset != after.offset;
    check<ValueError>(std::equal(first.begin(), first.end(), again.begin(), again.end(), same),
                      "gradcheck: f is random{}: it gives another value each time it is called; "
                      "seed its random numbers inside f, so that differences mean something, or "
                      "switch dropout off with train(false)",
                      draws ? ", it draws from default_generator()" : "");
    if (draws) times = 200;  // they may matter seldom, as in a dropout of 1 in 100
  }
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
std::string why_unjudged(const Differences& differences, const Compared& c) {
  if (std::isinf(c.noise)) return "f is not finite on both sides of this input";
  const Slope slope = differences.careful(0);
  std::string why;
  if (differences.through_float32())
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

/// Judges c.got, the derivative by x. `typical` is the size of its neighbours, `span` of x.
Verdict judge(const Check& run, const Differences& differences, double typical, double span,
              Compared& c) {
  const GradcheckOptions& options = run.options;
  Slope slope = differences.quick(options.step);
  const auto own = [&] { return std::max(std::abs(c.got), std::abs(slope.value)); };
  const auto difference = [&] { return std::abs(c.got - slope.value); };
  const auto least = [&] { return std::max(own(), 1e-3 * typical); };
  const auto error = [&] {
    return own() == 0 ? 0 : std::max(0.0, difference() - slope.error) / least();
  };
  const auto coarse = [&] { return slope.error > options.tolerance * std::max(own(), typical); };
  const auto verdict = [&](Judgement j, double by = 0) {
    c.want = slope.value, c.noise = slope.error;
    return Verdict{c.judgement = j, by};
  };
  if (std::isfinite(slope.error) && std::isfinite(c.got) &&
      (difference() == 0 || (!coarse() && difference() <= options.tolerance * least())))
    return verdict(Judgement::Right, error());
  const double size = std::isfinite(c.got) ? std::max(std::abs(c.got), typical) : typical;
  slope = differences.careful(0.01 * options.tolerance * size);
  if (std::isinf(slope.error)) return verdict(Judgement::Unjudged);
  if (!std::isfinite(c.got)) return verdict(Judgement::Wrong, kInfinity);
  // Too small for f to show: x would have to move by more than its size to change a last digit.
  if (own() * span <= 8 * kEpsilon * std::max(slope.size, run.size))
    return verdict(Judgement::Right);
  if (error() > options.tolerance)
    return differences.kink(c.got, slope.step) ? verdict(Judgement::Unjudged)
                                               : verdict(Judgement::Wrong, error());
  return coarse() ? verdict(Judgement::Unjudged) : verdict(Judgement::Right, error());
}

/// Compares one input's gradient.
void compare(Check& run, size_t i, const Tensor& gradient) {
  const Problem& problem = run.problem;
  const Shape& shape = problem.inputs[i].shape();
  check<ShapeError>(gradient.shape() == shape,
                    "gradcheck: the gradient of input {} has shape {}, the input {}", i,
                    gradient.shape(), shape);
  const std::vector<double> x = problem.inputs[i].to_vector<double>();
  const std::vector<double> got = gradient.to_vector<double>();
  const double rms = root_mean_square(x), around = rms > 1e-280 ? rms : 1;
  const double typical = root_mean_square(got);
  std::vector<Compared> all(got.size());
  size_t worst = all.size();
  const auto differences_of = [&](size_t j) {
    const auto along = [&, j](double v) {
      return problem.outputs_at(i, static_cast<int64_t>(j), v);
    };
    return Differences(along, run.upstream, x[j], around);
  };
  for (size_t j = 0; j < all.size(); ++j) {
    const Differences differences = differences_of(j);
    all[j].got = got[j];
    const double span = std::max({std::abs(x[j]), around, 1.0});
    const Verdict verdict = judge(run, differences, typical, span, all[j]);
    ++run.result.checked;
    run.result.wrong += verdict.judgement == Judgement::Wrong;
    run.result.unjudged += verdict.judgement == Judgement::Unjudged;
    if (verdict.judgement == Judgement::Unjudged && run.doubt.empty())
      run.doubt = name(run, i, j) + ": " + why_unjudged(differences, all[j]);
    if (verdict.error <= run.result.worst_error) continue;
    run.result.worst_error = verdict.error;
    if (verdict.judgement == Judgement::Wrong) worst = j;
  }
  if (worst == all.size()) return;
  run.result.message = fmt::format(
      "{}: expected {:.9g} (differences), got {:.9g} (backward), relative error {:.2g}; "
      "likely cause: {}{}",
      name(run, i, worst), all[worst].want, got[worst], run.result.worst_error,
      likely_cause(all, shape, worst),
      differences_of(worst).through_float32() ? " (f goes through float32)" : "");
}

/// The gradients of the wanted inputs, in order; zeros where f does not depend on one.
std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& wanted,
                              const Tensor& upstream, bool create_graph) {
  if (y.requires_grad()) return grad(y, wanted, {.create_graph = create_graph}, upstream);
  std::vector<Tensor> zeros_;
  for (const Tensor& x : wanted) zeros_.push_back(zeros_like(x));
  return zeros_;
}

/// `size` is that of u . f if f is a gradient and its last input u.
GradcheckResult check_gradients(const Function& f, const std::vector<Tensor>& inputs,
                                const GradcheckOptions& options, std::optional<double> size) {
  const Problem problem(f, inputs, options);
  refuse_random(problem, 1);
  Generator generator(options.seed);
  const Tensor y = f(problem.inputs);
  const Tensor upstream = randn(y.shape(), y.options(), generator);
  std::vector<Tensor> wanted;
  std::vector<size_t> which;
  for (size_t i = 0; i < problem.inputs.size(); ++i)
    if (problem.wanted[i]) wanted.push_back(problem.inputs[i]), which.push_back(i);
  const std::vector<Tensor> analytic = gradients(y, wanted, upstream, false);
  Check run{problem, options, upstream.to_vector<double>(), size.has_value(), size.value_or(0)};
  for (size_t k = 0; k < which.size(); ++k) compare(run, which[k], analytic[k]);
  GradcheckResult& result = run.result;
  result.ok = result.wrong == 0 && result.unjudged == 0;
  if (!result.ok) refuse_random(problem, 100);
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
    for (const Tensor& g : gradients(f(xs), wanted, in.back(), true)) rows.push_back(flatten(g));
    return cat(rows, 0);
  };
  GradcheckOptions inner = options;
  inner.differentiate = problem.wanted;
  inner.differentiate.push_back(true);
  return check_gradients(gradient_of_f, extended, inner, product_size(y, extended.back()));
}

}  // namespace gradus
