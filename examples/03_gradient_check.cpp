// 03: Is the gradient right? A wrong derivative rarely crashes: the model just learns worse. So we
// compare every derivative with what it stands for, a quotient of differences:
//
//   forward   (f(x+h) - f(x))   / h    = f'(x) + f''(x)/2 · h   + …
//   central   (f(x+h) - f(x-h)) / 2h   = f'(x) + f'''(x)/6 · h² + …
//
// The rest shrinks with h, so h should be small. But a computer knows f only to about ε|f|, where
// ε = 1e-16 in double, which leaves an error of about ε/h in the quotient. So h should be large.
// For x and f of size 1 the two errors balance at h = √ε ≈ 1e-8 for forward and h = ∛ε ≈ 1e-5 for
// central differences. In the picture each curve is a U.
//
// gradcheck starts with h = 1e-5 |x|, in double, for every single element. If that does not agree,
// it tries all steps and measures how well they agree with each other: a derivative is never called
// wrong within the noise. It checks u·f(x) for a random u, because f has many outputs, and a fixed
// u such as (1, 1, …) is blind to some mistakes.
//
// Look at:  the slopes of the right arms, 1 and 2; the U in float, whose lowest point lies half a
//           million times higher; the cases that gradcheck cannot judge; the weak checks, one for
//           each wrong derivative, that see nothing.
// Try next: plant a mistake of your own in find_planted(). Check an op of your own; softsign is the
//           pattern. `--step 1e-1` and `--step 1e-12`: the verdicts stay the same. Why? See
//           autograd/differences.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "examples/support/run/options.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/terminal.h"

using namespace gradus;
using namespace gradus::support;

namespace {

using Inputs = std::vector<Tensor>;

struct Case {
  const char* name;
  Function f;
  Inputs inputs;
};

// A function of one tensor, or of two, in the form that gradcheck takes.
Function unary(Tensor (*f)(const Tensor&)) {
  return [f](const Inputs& in) { return f(in[0]); };
}
Function binary(Tensor (*f)(const Tensor&, const Tensor&)) {
  return [f](const Inputs& in) { return f(in[0], in[1]); };
}

Tensor wave(const Tensor& x) { return exp(x) * sin(x); }
Tensor wave_slope(const Tensor& x) { return exp(x) * (sin(x) + cos(x)); }

/// As people write it, and the picture's axes: 6e-6, not 6e-06.
std::string scientific(double v, int digits) {
  std::string text = fmt::format("{:.{}e}", v, digits);
  const size_t sign = text.find('e') + 1;
  while (text[sign + 1] == '0' && sign + 2 < text.size()) text.erase(sign + 1, 1);
  return text;
}

struct Curve {
  std::string name;
  std::vector<double> error = {};  // of each step
  double best_step = 0, least_error = 1e300;
};

/// The relative error of one kind of difference, as a mean over 200 points.
Curve error_by_step(std::string name, bool central, DType dtype, const std::vector<double>& steps) {
  const Tensor x = linspace(0.2, 1.4, 200, dtype);
  const Tensor slope = wave_slope(to(x, F64));
  Curve curve{std::move(name)};
  for (const double h : steps) {
    const Tensor rise = wave(x + h) - wave(central ? x - h : x);
    const Tensor quotient = to(rise, F64) / (central ? 2 * h : h);
    curve.error.push_back(mean(abs((quotient - slope) / slope)).item());
    if (curve.error.back() < curve.least_error) curve.best_step = h;
    curve.least_error = std::min(curve.least_error, curve.error.back());
  }
  return curve;
}

void show_steps(Example& app) {
  std::vector<double> steps;
  for (int i = 0; i <= 44; ++i) steps.push_back(std::pow(10.0, -1 - i / 4.0));
  const Curve forward = error_by_step("forward", false, F64, steps);
  const Curve central = error_by_step("central", true, F64, steps);
  const Curve in_float = error_by_step("central, float", true, F32, steps);
  Panel panel({.title = "Error of a difference for the derivative of eˣ sin x",
               .x = "step h",
               .y = "relative error",
               .log_x = true,
               .log_y = true});
  Table table({"difference", "best step", "its error", "error at 1e-1", "at 1e-2"});
  for (const Curve& c : {forward, central, in_float}) {
    table.row({c.name, scientific(c.best_step, 0), scientific(c.least_error, 1),
               scientific(c.error[0], 1), scientific(c.error[4], 1)});
    panel.line(c.name, steps, c.error);
  }
  fmt::print("\nThe step: too large is wrong, too small is noise\n{}", table.text());
  save_plot(app.out("steps"), {panel});
  const double slope_1 = std::log10(forward.error[0] / forward.error[4]);
  const double slope_2 = std::log10(central.error[0] / central.error[4]);
  app.verdict(std::abs(slope_1 - 1) < 0.1 && std::abs(slope_2 - 2) < 0.1,
              fmt::format("error ~ h^{:.2f} forward, h^{:.2f} central", slope_1, slope_2));
  app.verdict(central.least_error < 1e-9 && central.best_step > 1e-6,
              "the best central difference is right to nine digits, near h = 1e-5");
}

/// Where differences cannot judge a derivative, and gradcheck says so.
void show_limits(double step) {
  fmt::print("\nWhere differences cannot judge: f has a kink, or too few digits\n");
  const Function with_offset = [](const Inputs& in) { return sin(in[0]) + 1e8; };
  const Function in_float = [](const Inputs& in) { return to(sin(to(in[0], F32)), F64); };
  const auto at = [](double x) { return full({}, x, F64); };
  const std::vector<Case> cases = {
      {"relu", unary(relu), {at(1)}},          {"relu", unary(relu), {at(4e-6)}},
      {"relu", unary(relu), {at(0)}},          {"(sin + 1e8)", with_offset, {at(1)}},
      {"(sin in float32)", in_float, {at(1)}}, {"abs", unary(abs), {at(0)}}};
  for (const Case& c : cases) {
    const GradcheckResult r = gradcheck(c.f, c.inputs, {.step = step});
    const Tensor x = c.inputs[0].detach().set_requires_grad();
    backward(c.f({x}));
    fmt::print("  {}'({:g}) = {:g}: {}\n", c.name, x.item(), x.grad().item(),
               r.ok ? "agrees" : r.message);
  }
  fmt::print("  abs agrees at 0 by symmetry; it is not smooth there\n");
}

/// An op of our own, as a pattern to copy: x / (1 + |x|); dx = g / (1 + |x|)². The value comes from
/// a detached x. The closure uses x itself, so that it can be differentiated again.
Tensor softsign(const Tensor& x) {
  const Tensor v = x.detach();
  return record("softsign", v / (1 + abs(v)),
                {{x, [x](const Tensor& g) { return g / square(1 + abs(x)); }}});
}

/// One op of each kind. `make gradcheck` checks all ops of the library.
void show_ops(Example& app, const GradcheckOptions& options) {
  const Tensor x = randn({2, 3}, F64), y = randn({3}, F64), q = randn({1, 2, 3, 4}, F64);
  const Tensor targets = tensor<int64_t>({1, 2}), ids = tensor<int64_t>({1, 0, 1});
  const auto attend = [](const Inputs& in) {
    return scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true});
  };
  const std::vector<Case> ops = {
      {"softsign, our own", unary(softsign), {x}},
      {"a * b, broadcast", binary(mul), {x, y}},
      {"tanh", unary(tanh), {x}},
      {"matmul", [](const Inputs& in) { return matmul(in[0], t(in[1])); }, {x, x + 1}},
      {"embedding", [=](const Inputs& in) { return embedding(in[0], ids); }, {x}},
      {"cross entropy", [=](const Inputs& in) { return cross_entropy(in[0], targets); }, {x}},
      {"layer norm", [](const Inputs& in) { return layer_norm(in[0], in[1], in[2]); }, {x, y, y}},
      {"attention, causal", attend, {q, q * 0.5, q + 1}},
  };
  Table table({"op", "derivatives", "worst error", "second: worst error"});
  fmt::print("\nOps that are right, and the derivatives of their derivatives\n");
  size_t passed = 0;
  for (const Case& op : ops) {
    const GradcheckResult first = gradcheck(op.f, op.inputs, options);
    const GradcheckResult second = gradgradcheck(op.f, op.inputs, options);
    table.row({op.name, std::to_string(first.checked), scientific(first.worst_error, 1),
               scientific(second.worst_error, 1)});
    passed += first.ok && second.ok;
    for (const auto& result : {first, second})
      if (!result.ok) fmt::print("  {}: {}\n", op.name, result.message);
  }
  fmt::print("{}", table.text());
  app.verdict(passed == ops.size(),
              fmt::format("{} of {} ops pass, with their second derivatives", passed, ops.size()));
}

// Six ops that are wrong. Each computes the right value, records a wrong derivative, and slips
// through a weak check.
Tensor square_without_2(const Tensor& x) {
  return record("square", raw::mul(x, x), {{x, [x](const Tensor& g) { return g * x; }}});
}
Tensor sub_without_minus(const Tensor& a, const Tensor& b) {
  const auto plus_g = [](const Tensor& g) { return g; };
  return record("sub", a.detach() - b.detach(), {{a, plus_g}, {b, plus_g}});
}
Tensor tanh_without_square(const Tensor& x) {
  return record("tanh", tanh(x.detach()),
                {{x, [](const Tensor& g, const Tensor& y) { return g * (1 - y); }}});
}
Tensor matmul_transposed(const Tensor& a, const Tensor& b) {
  return record("matmul", raw::matmul(a, b),
                {{a, [b](const Tensor& g) { return t(matmul(g, t(b))); }},
                 {b, [a](const Tensor& g) { return matmul(t(a), g); }}});
}
Tensor softmax_with_zeros(const Tensor& x) {
  return record("softmax", raw::softmax(x), {{x, [](const Tensor& g) { return zeros_like(g); }}});
}
Tensor index_select_overwriting(const Tensor& x, const Tensor& index) {
  return record("index_select", raw::index_select(x, 0, index),
                {{x, [x, index](const Tensor& g) {
                    const Tensor dx = zeros_like(x.detach());
                    int64_t i = 0;
                    for (const int64_t row : index.to_vector<int64_t>())  // = where += belongs
                      raw::copy_(raw::select(dx, 0, row), raw::select(g, 0, i++));
                    return dx;
                  }}});
}

void find_planted(Example& app, const GradcheckOptions& options) {
  const Tensor x = randn({3, 3}, F64), y = randn({3, 3}, F64), x1 = randn({1, 1}, F64);
  const Tensor zero = zeros({3, 3}, F64);
  const Function square = unary(square_without_2), tanh = unary(tanh_without_square);
  const Function sub = binary(sub_without_minus), matmul = binary(matmul_transposed);
  const Function softmax = unary(softmax_with_zeros);
  const Function sub_from_a = [=](const Inputs& in) { return sub({in[0], y}); };
  const Function softmax_sum = [=](const Inputs& in) { return sum(softmax(in)); };
  const auto select = [](const std::vector<int64_t>& index) -> Function {
    return [=](const Inputs& in) { return index_select_overwriting(in[0], tensor(index)); };
  };
  const std::vector<std::pair<Case, Case>> planted = {
      // a mistake, and a check that misses it
      {{"square: g x for 2 g x", square, {x}}, {"at x = 0", square, {zero}}},
      {{"sub: +g for b, not -g", sub, {x, y}}, {"of a only", sub_from_a, {x}}},
      {{"tanh: g (1 - y) for g (1 - y²)", tanh, {x}}, {"at x = 0", tanh, {zero}}},
      {{"matmul: ∂a transposed", matmul, {x, y}}, {"on 1 × 1 matrices", matmul, {x1, x1}}},
      {{"softmax: zeros", softmax, {x}}, {"of the sum of its outputs", softmax_sum, {x}}},
      {{"index_select: = for +=", select({2, 0, 2}), {x}},
       {"where no index repeats", select({2, 0}), {x}}},
  };
  fmt::print("\nSix wrong derivatives\n");
  int64_t found = 0, slipped = 0;
  for (const auto& [mistake, weak_check] : planted) {
    const GradcheckResult full = gradcheck(mistake.f, mistake.inputs, options);
    const GradcheckResult weak = gradcheck(weak_check.f, weak_check.inputs, options);
    found += !full.ok;
    slipped += weak.ok;
    fmt::print("  {}\n    a check {}: {}\n    gradcheck: {}\n", mistake.name, weak_check.name,
               weak.ok ? "sees nothing" : "sees it", full.ok ? "sees nothing" : full.message);
  }
  app.verdict(found == 6, fmt::format("gradcheck finds {} of 6 wrong derivatives", found));
  app.verdict(slipped == 6, fmt::format("{} of 6 slip through a weak check", slipped));
}

int lesson(Example& app) {
  GradcheckOptions options;
  app.option("--step", options.step, "gradcheck's first step at x = 1", {.min = 1e-300, .max = 1});
  app.parse();
  show_steps(app);
  show_limits(options.step);
  show_ops(app, options);
  find_planted(app, options);
  fmt::print("\n");
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "03_gradient_check", "finite differences, and what they can miss", lesson);
}
