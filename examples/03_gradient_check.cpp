// 03: Is the gradient right? A wrong derivative seldom crashes: the model only learns worse, and
// nobody knows why. So each derivative is compared with what it stands for, a quotient of
// differences:
//
//   forward   (f(x+h) - f(x))   / h    = f'(x) + f''(x)/2 · h   + …
//   central   (f(x+h) - f(x-h)) / 2h   = f'(x) + f'''(x)/6 · h² + …
//
// The rest shrinks with h, so h should be small. But f is known to about ε|f|, ε = 1e-16 in double,
// so the quotient carries an error of about ε/h, and h should be large. The two cross at h = √ε ≈
// 1e-8 for forward and h = ∛ε ≈ 1e-5 for central differences: a U in the picture. That is for x and
// f of size 1. gradcheck begins with 1e-5 |x|, in double, for every single element, and where that
// does not agree it tries all steps and asks how far they agree among themselves: no derivative is
// called wrong within the noise. It looks at u·f(x) for a random u: f has many outputs, and a fixed u
// such as (1, 1, …) has mistakes that it cannot see.
//
// Look at:  the slopes of the U's right arms, 1 and 2; float's U, whose lowest point lies half a
//           million times higher; where the differences are too coarse to judge, and say so; the
//           checks that a wrong derivative passes, one for each.
// Try next: plant a mistake of your own in find_planted; check an op of your own (softsign is the
//           pattern); gradcheck's --step 1e-1 and 1e-12: the verdicts stay, and why? (differences.h)
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
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

// What gradcheck takes, from a function of one tensor or two.
Function of(Tensor (*f)(const Tensor&)) {
  return [f](const Inputs& in) { return f(in[0]); };
}
Function of(Tensor (*f)(const Tensor&, const Tensor&)) {
  return [f](const Inputs& in) { return f(in[0], in[1]); };
}

// ---- The step ----------------------------------------------------------------------------------

Tensor wave(const Tensor& x) { return exp(x) * sin(x); }
Tensor wave_slope(const Tensor& x) { return exp(x) * (sin(x) + cos(x)); }

struct Curve {
  std::string name;
  std::vector<double> error;  // per step
  size_t best() const {
    return static_cast<size_t>(std::min_element(error.begin(), error.end()) - error.begin());
  }
};

/// The error of one kind of difference: relative, the mean over 200 points.
Curve error_by_step(std::string name, bool central, DType dtype, const std::vector<double>& steps) {
  const Tensor x = linspace(0.2, 1.4, 200, dtype);
  const Tensor slope = wave_slope(to(x, F64));
  Curve curve{std::move(name), {}};
  for (const double h : steps) {
    const Tensor rise = wave(x + h) - wave(central ? x - h : x);
    const Tensor quotient = to(rise, F64) / (central ? 2 * h : h);
    curve.error.push_back(mean(abs((quotient - slope) / slope)).item());
  }
  return curve;
}

void show_steps(Example& app) {
  std::vector<double> steps;
  for (int i = 0; i <= 44; ++i) steps.push_back(std::pow(10.0, -1 - i / 4.0));
  const std::vector<Curve> curves = {error_by_step("forward", false, F64, steps),
                                     error_by_step("central", true, F64, steps),
                                     error_by_step("central, float", true, F32, steps)};
  Panel panel({.title = "Error of a difference for the derivative of eˣ sin x",
               .x = "step h",
               .y = "relative error",
               .log_x = true,
               .log_y = true});
  Table table({"difference", "best step", "its error", "error at 1e-1", "at 1e-2"});
  for (const Curve& c : curves) {
    table.row({c.name, fmt::format("{:.0e}", steps[c.best()]),
               fmt::format("{:.1e}", c.error[c.best()]), fmt::format("{:.1e}", c.error[0]),
               fmt::format("{:.1e}", c.error[4])});
    panel.line(c.name, steps, c.error);
  }
  fmt::print("\nThe step: too large is wrong, too small is noise\n{}", table.text());
  save_plot(app.out("steps"), {panel});
  const auto slope = [&](const Curve& c) { return std::log10(c.error[0] / c.error[4]); };
  app.check(std::abs(slope(curves[0]) - 1) < 0.1 && std::abs(slope(curves[1]) - 2) < 0.1,
            fmt::format("error ~ h^{:.2f} forward, h^{:.2f} central", slope(curves[0]),
                        slope(curves[1])));
  app.check(curves[1].error[curves[1].best()] < 1e-9 && steps[curves[1].best()] > 1e-6,
            "the best central difference is right to nine digits, near h = 1e-5");
}

// ---- Where differences cannot judge -------------------------------------------------------------------------------------

void show_limits(double step) {
  struct Case {
    const char* name;
    Function f;
    double x;
  };
  fmt::print("\nWhere differences cannot judge: f bends, or has lost the digits that change\n");
  const Function far_up = [](const Inputs& in) { return sin(in[0]) + 1e8; };
  const Function narrow = [](const Inputs& in) { return to(sin(to(in[0], F32)), F64); };
  for (const Case& c : {Case{"relu", of(relu), 1}, Case{"relu", of(relu), 4e-6},
                        Case{"relu", of(relu), 0}, Case{"(sin + 1e8)", far_up, 1},
                        Case{"(sin in float32)", narrow, 1}, Case{"abs", of(abs), 0}}) {
    const Tensor x = full({}, c.x, F64).set_requires_grad();
    backward(c.f({x}));
    const GradcheckResult r = gradcheck(c.f, {full({}, c.x, F64)}, {.step = step});
    fmt::print("  {}'({:g}) = {:g}: {}\n", c.name, c.x, x.grad().item(),
               r.ok ? "agrees" : r.message);
  }
  fmt::print("  abs agrees at 0 by symmetry, not because it is smooth there\n");
}

// ---- Ops that are right ------------------------------------------------------------------------

/// An op of our own, the lines to copy: x / (1 + |x|); dx = g / (1 + |x|)². The value is computed from
/// what x holds; the closure uses x itself, so that it can be differentiated again.
Tensor softsign(const Tensor& x) {
  const Tensor v = x.detach();
  return record("softsign", v / (1 + abs(v)),
                {{x, [x](const Tensor& g) { return g / square(1 + abs(x)); }}});
}

/// `make gradcheck` has all ops of the library; these are of different kinds.
void show_ops(Example& app, const GradcheckOptions& options) {
  struct Row {
    const char* name;
    Function f;
    Inputs inputs;
  };
  const Tensor x = randn({2, 3}, F64), y = randn({3}, F64), q = randn({1, 2, 3, 4}, F64);
  const Tensor targets = tensor<int64_t>({1, 2}), twice = tensor<int64_t>({1, 0, 1});
  const auto attend = [](const Inputs& in) {
    return scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true});
  };
  const std::vector<Row> rows = {
      {"softsign, our own", of(softsign), {x}},
      {"a * b, broadcast", of(mul), {x, y}},
      {"tanh", of(tanh), {x}},
      {"matmul", [](const Inputs& in) { return matmul(in[0], t(in[1])); }, {x, x + 1}},
      {"embedding", [=](const Inputs& in) { return embedding(in[0], twice); }, {x}},
      {"cross entropy", [=](const Inputs& in) { return cross_entropy(in[0], targets); }, {x}},
      {"layer norm", [](const Inputs& in) { return layer_norm(in[0], in[1], in[2]); }, {x, y, y}},
      {"attention, causal", attend, {q, q * 0.5, q + 1}},
  };
  Table table({"op", "derivatives", "worst error", "second: worst error"});
  std::string complaints;
  size_t passed = 0;
  for (const Row& row : rows) {
    const GradcheckResult first = gradcheck(row.f, row.inputs, options);
    const GradcheckResult second = gradgradcheck(row.f, row.inputs, options);
    table.row({row.name, std::to_string(first.checked), fmt::format("{:.1e}", first.worst_error),
               fmt::format("{:.1e}", second.worst_error)});
    passed += first.ok && second.ok;
    for (const auto& result : {first, second})
      if (!result.ok) complaints += fmt::format("  {}: {}\n", row.name, result.message);
  }
  fmt::print("\nOps that are right, and the derivatives of their derivatives\n{}{}", table.text(),
             complaints);
  app.check(passed == rows.size(),
            fmt::format("{} of {} ops pass, with their second derivatives", passed, rows.size()));
}

// ---- Ops that are wrong ------------------------------------------------------------------------
// Each computes the right value, records a wrong derivative, and slips through a weak check.

Tensor half_square(const Tensor& x) {
  return record("square", raw::mul(x, x), {{x, [x](const Tensor& g) { return g * x; }}});
}
Tensor plus_sub(const Tensor& a, const Tensor& b) {
  const auto pass = [](const Tensor& g) { return g; };
  return record("sub", a.detach() - b.detach(), {{a, pass}, {b, pass}});
}
Tensor plain_tanh(const Tensor& x) {
  return record("tanh", tanh(x.detach()),
                {{x, [](const Tensor& g, const Tensor& y) { return g * (1 - y); }}});
}
Tensor turned_matmul(const Tensor& a, const Tensor& b) {
  return record("matmul", raw::matmul(a, b),
                {{a, [b](const Tensor& g) { return t(matmul(g, t(b))); }},
                 {b, [a](const Tensor& g) { return matmul(t(a), g); }}});
}
Tensor silent_softmax(const Tensor& x) {
  return record("softmax", raw::softmax(x), {{x, [](const Tensor& g) { return zeros_like(g); }}});
}
Tensor last_select(const Tensor& x, const Tensor& index) {
  return record("index_select", raw::index_select(x, 0, index),
                {{x, [x, index](const Tensor& g) {
                    const Tensor dx = zeros_like(x.detach());
                    const std::vector<int64_t> rows = index.to_vector<int64_t>();
                    for (int64_t i = 0; i < index.numel(); ++i)  // = where += belongs
                      raw::copy_(raw::select(dx, 0, rows[i]), raw::select(g, 0, i));
                    return dx;
                  }}});
}

void find_planted(Example& app, const GradcheckOptions& options) {
  struct Planted {
    const char *mistake, *blind;
    Function f;
    Inputs inputs;
    Function weak;  // the same op as a careless check looks at it
    Inputs weak_inputs;
    std::vector<bool> differentiate = {};
  };
  const Tensor x = randn({3, 3}, F64), y = randn({3, 3}, F64), one = randn({1, 1}, F64);
  const Tensor zero = zeros({3, 3}, F64), once = tensor<int64_t>({2, 0}),
               twice = tensor<int64_t>({2, 0, 2});
  const Function sum_sm = [](const Inputs& in) { return sum(silent_softmax(in[0])); };
  const auto pick = [](const Tensor& index) {
    return Function([index](const Inputs& in) { return last_select(in[0], index); });
  };
  const Function square_ = of(half_square), sub_ = of(plus_sub), tanh_ = of(plain_tanh),
                 matmul_ = of(turned_matmul);
  const std::vector<Planted> planted = {
      {"square: g x for 2 g x", "at x = 0", square_, {x}, square_, {zero}},
      {"sub: +g for b, not -g", "of a only", sub_, {x, y}, sub_, {x, y}, {true, false}},
      {"tanh: g (1 - y) for g (1 - y²)", "at x = 0", tanh_, {x}, tanh_, {zero}},
      {"matmul: ∂a transposed", "on 1 × 1 matrices", matmul_, {x, y}, matmul_, {one, one}},
      {"softmax: zeros", "of the sum of its outputs", of(silent_softmax), {x}, sum_sm, {x}},
      {"index_select: = for +=", "where no index repeats", pick(twice), {x}, pick(once), {x}},
  };
  fmt::print("\nSix wrong derivatives\n");
  int64_t found = 0, slipped = 0;
  for (const Planted& p : planted) {
    const GradcheckResult full = gradcheck(p.f, p.inputs, options);
    GradcheckOptions careless = options;
    careless.differentiate = p.differentiate;
    const bool passes = gradcheck(p.weak, p.weak_inputs, careless).ok;
    found += !full.ok, slipped += passes;
    fmt::print("  {}\n    a check {}: {}\n    gradcheck: {}\n", p.mistake, p.blind,
               passes ? "sees nothing" : "sees it", full.ok ? "sees nothing" : full.message);
  }
  app.check(found == 6, fmt::format("gradcheck finds {} of 6 wrong derivatives", found));
  app.check(slipped == 6, fmt::format("{} of 6 slip through a weak check", slipped));
}

int lesson(Example& app) {
  GradcheckOptions options;
  app.option("--step", options.step, "gradcheck's first step, for x of size 1",
             {.min = 1e-300, .max = 1});
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
