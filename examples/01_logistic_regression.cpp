// 01: Logistic regression. The smallest model that learns: one weight per feature, one bias, and a
// probability at the end.
//
// A doctor looks at cells under a microscope and measures thirty things. Each gets a weight w_j; the
// weighted sum is squeezed into a probability, and the weights are moved, step by step, downhill on
// the loss, which is small when the model gives the truth a high probability:
//
//   z = x·w + b      p = σ(z) = 1 / (1 + e^-z)      L = -mean( y ln p + (1-y) ln(1-p) )
//
// Downhill needs the gradient. The chain rule cancels all logarithms: ∂L/∂z = (p - y) / n, hence
//
//   ∂L/∂w = xᵀ (p - y) / n,   ∂L/∂b = mean(p - y);      w ← w - η ∂L/∂w,   b ← b - η ∂L/∂b
//
// Autograd finds the same numbers without being told the formula. Both are printed side by side;
// from here on the gradients are autograd's, and the models may be as large as we like.
//
// Look at:  the held-out loss, which the training never sees; which features got large weights; how
//           many of the ill were missed (recall), which accuracy alone would hide; the boundary.
// Try next: --seed 2, 3, 4 (171 held-out rows are few: how far apart are twenty splits, how little
//           does their mean move?); --rate 30 (too long a step); --l2 0.3 (small weights);
//           --test 0.9 (57 rows to learn from); --blobs --distance 1 (clouds that overlap: what is
//           the best that any line can do?).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "examples/support/data/datasets.h"
#include "examples/support/run/options.h"
#include "examples/support/show/metrics.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/progress.h"
#include "examples/support/show/terminal.h"

using namespace gradus;
using namespace gradus::support;

namespace {

struct Settings {
  int64_t steps = 1000;
  double rate = 0.5, l2 = 0.003;
};

/// A split, ready to use: the features standardized, the classes as numbers.
struct Rows {
  Tensor x, y, test_x, test_y;  // (N, C), (N,), (M, C), (M,)
};
Rows prepare(const Split& parts) {
  const Standardizer standardize(parts.train.x);  // of the training rows only: no peeking
  return {standardize(parts.train.x), to(parts.train.y, F32), standardize(parts.test.x),
          to(parts.test.y, F32)};
}

struct Model {
  Tensor w, b;                                                       // (C,), ()
  Tensor logits(const Tensor& x) const { return matmul(x, w) + b; }  // (N, C) -> (N,)
  Tensor probability(const Tensor& x) const { return sigmoid(logits(x)); }
};

/// Binary cross-entropy. ln(1 + e^z) - y z is the L above with p = σ(z) put in, and never takes the
/// logarithm of 0.
Tensor loss_of(const Tensor& z, const Tensor& y) { return mean(softplus(z) - y * z); }

/// The formulas of the lesson. The penalty l2/2 |w|² adds l2 w.
Model gradient_by_hand(const Model& m, const Tensor& x, const Tensor& y, double l2) {
  const Tensor error = (m.probability(x) - y) / static_cast<double>(x.size(0));  // (p - y) / n
  return {matmul(t(x), error) + l2 * m.w, sum(error)};
}

struct Training {
  Model model;
  std::vector<double> train_loss, test_loss;
  double largest_difference = 0;  // between the two gradients, over all steps and weights
};

Training train(const Rows& rows, const Settings& s, Progress& bar) {
  const auto& [x, y, test_x, test_y] = rows;
  Training run{{zeros({x.size(1)}), zeros({})}, {}, {}};
  for (int64_t step = 0; step < s.steps; ++step) {
    Tensor &w = run.model.w, &b = run.model.b;
    w.set_requires_grad();
    b.set_requires_grad();
    const Tensor loss = loss_of(run.model.logits(x), y);
    backward(loss + s.l2 / 2 * sum(square(w)));

    NoGrad guard;  // what follows is not part of the model
    const Model by_hand = gradient_by_hand(run.model, x, y, s.l2);
    run.largest_difference =
        std::max({run.largest_difference, max(abs(by_hand.w - w.grad())).item(),
                  abs(by_hand.b - b.grad()).item()});
    run.train_loss.push_back(loss.item());
    run.test_loss.push_back(loss_of(run.model.logits(test_x), test_y).item());
    check<ValueError>(std::isfinite(loss.item()),
                      "step {}: the loss is not finite any more: try a smaller --rate", step);
    run.model = {w - s.rate * w.grad(), b - s.rate * b.grad()};
    bar.step("loss {:.4f}, held out {:.4f}", run.train_loss.back(), run.test_loss.back());
  }
  return run;
}

/// The accuracy on the held-out rows of other splits: 171 rows are few, and one split may be lucky.
std::vector<double> accuracies(const Dataset& data, double test_fraction, const Settings& s,
                               uint64_t seed, int64_t splits) {
  std::vector<double> out;
  Progress bar(fmt::format("{} splits", splits), splits * s.steps);
  for (int64_t i = 1; i <= splits; ++i) {
    const Rows rows = prepare(split_by_class(data, test_fraction, seed_for("splits", seed) + i));
    const Tensor p = train(rows, s, bar).model.probability(rows.test_x);
    out.push_back(mean(to(eq(to(p > 0.5, F32), rows.test_y), F32)).item());
  }
  return out;
}

/// The first gradient, from w = 0, both ways.
void show_gradients(const Dataset& data, const Tensor& x, const Tensor& y) {
  Model m{zeros({x.size(1)}), zeros({})};
  m.w.set_requires_grad();
  backward(loss_of(m.logits(x), y));
  const std::vector<double> hand = gradient_by_hand(m, x, y, 0).w.to_vector<double>();
  const std::vector<double> automatic = m.w.grad().to_vector<double>();
  fmt::print("\nThe gradient at w = 0, by hand and by autograd\n");
  Table table({"weight of", "by hand", "autograd"});
  for (size_t j = 0; j < std::min<size_t>(3, hand.size()); ++j)
    table.row(
        {data.features[j], fmt::format("{:.7f}", hand[j]), fmt::format("{:.7f}", automatic[j])});
  fmt::print("{}\n", table.text());
}

void show_weights(const Dataset& data, const Model& model) {
  const std::vector<double> w = model.w.to_vector<double>();
  std::vector<size_t> order(w.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return std::abs(w[a]) > std::abs(w[b]); });
  fmt::print("\nThe largest weights (features have mean 0 and variance 1)\n");
  Table table({"feature", "weight", "speaks for"});
  for (size_t i = 0; i < std::min<size_t>(6, w.size()); ++i)
    table.row({data.features[order[i]], fmt::format("{:+.3f}", w[order[i]]),
               data.classes[w[order[i]] > 0]});
  fmt::print("{}", table.text());
}

/// Two columns of x, standardized, as a plane with the model's probability; the rows lie on it.
Panel boundary(const Dataset& data, const Tensor& x, const Model& model, int64_t f, int64_t g) {
  const std::vector<double> xs = raw::select(x, 1, 0).to_vector<double>();
  const std::vector<double> ys = raw::select(x, 1, 1).to_vector<double>();
  const auto [x0, x1] = std::minmax_element(xs.begin(), xs.end());
  const auto [y0, y1] = std::minmax_element(ys.begin(), ys.end());
  const std::vector<double> w = model.w.to_vector<double>();
  const double b = model.b.item();
  const Grid grid = sample_grid(
      *x0 - 0.3, *x1 + 0.3, *y0 - 0.3, *y1 + 0.3, 100, 100,
      [&](double u, double v) { return 1 / (1 + std::exp(-(w[0] * u + w[1] * v + b))); });
  Panel panel(
      {.title = fmt::format("Probability of \"{}\", and the line where it is ½", data.classes[1]),
       .x = data.features[f] + ", standardized",
       .y = data.features[g] + ", standardized"});
  panel.heat(grid, Colors::Chances).contour(grid, {0.5});
  const std::vector<int64_t> truth = data.y.to_vector<int64_t>();
  for (int64_t c = 0; c < 2; ++c) {
    std::vector<double> px, py;
    for (size_t i = 0; i < truth.size(); ++i)
      if (truth[i] == c) px.push_back(xs[i]), py.push_back(ys[i]);
    panel.points(data.classes[c], px, py);
  }
  return panel;
}

int lesson(Example& app) {
  Settings s;
  double test_fraction = 0.3, distance = 3;
  bool use_blobs = false;
  app.option("--steps", s.steps, "gradient steps", {.fast = 300, .min = 1});
  app.option("--rate", s.rate, "learning rate η", {.min = 0});
  app.option("--l2", s.l2, "weight of the penalty |w|²/2", {.min = 0});
  app.option("--test", test_fraction, "share of the rows that is held out", {.min = 0, .max = 1});
  app.flag("--blobs", use_blobs, "two generated clouds instead of the cells");
  app.option("--distance", distance, "between the clouds' centres", {.min = 0});
  app.parse();

  const Dataset data = use_blobs ? blobs(300, distance, app.seed()) : breast_cancer();
  const Split parts = split_by_class(data, test_fraction, app.seed());
  const auto [x, y, test_x, test_y] = prepare(parts);
  const auto trained = [&](const Rows& rows, const char* title) {
    Progress bar(title, s.steps);
    return train(rows, s, bar);
  };
  fmt::print("{} rows of {} features to learn from, {} held out; classes: {} (0), {} (1)\n",
             x.size(0), x.size(1), test_x.size(0), data.classes[0], data.classes[1]);

  show_gradients(data, x, y);
  const Training run = trained({x, y, test_x, test_y}, "training");
  show_weights(data, run.model);

  const Tensor p = run.model.probability(test_x);  // (N,)
  const std::vector<int64_t> truth = parts.test.y.to_vector<int64_t>();
  const Confusion confusion(data.classes, truth, (p > 0.5).to_vector<int64_t>());
  const Roc roc = roc_curve(truth, p.to_vector<double>());
  fmt::print("\nOn the {} held-out rows\n{}\n{}  ROC-AUC {:.4f}\n\n", truth.size(),
             confusion.table(), confusion.report(), roc.auc);

  save_plot(app.out("loss"),
            {Panel({.title = "Binary cross-entropy", .x = "step", .y = "loss", .log_x = true})
                 .line("training", run.train_loss)
                 .line("held out", run.test_loss)});
  save_plot(app.out("roc"), {Panel({.title = fmt::format("ROC curve, area {:.4f}", roc.auc),
                                    .x = "false alarms among the " + data.classes[0],
                                    .y = "found among the " + data.classes[1]})
                                 .line("model", roc.false_positive_rate, roc.true_positive_rate)
                                 .line("guessing", {0, 1}, {0, 1})});
  save_plot(app.out("confusion"),
            {Panel({.title = "Held-out rows", .x = "predicted", .y = "true"})
                 .matrix(confusion.values(), data.classes, data.classes, "%.0f")});
  // Thirty dimensions cannot be drawn, so the picture is of a model that sees only two of them.
  const int64_t f = use_blobs ? 0 : 27, g = use_blobs ? 1 : 21;  // worst concave points, texture
  const auto two = [&](const Tensor& rows) {
    return index_select(rows, 1, tensor<int64_t>({f, g}));
  };
  const Training flat = trained({two(x), y, two(test_x), test_y}, "two features");
  save_plot(app.out("boundary"), {boundary(parts.test, two(test_x), flat.model, f, g)});

  app.check(
      run.largest_difference < 1e-6,
      fmt::format("the gradient by hand equals autograd's: {:.1e} < 1e-6", run.largest_difference));
  const double best = 0.5 * std::erfc(-distance / 2 / std::sqrt(2));  // for clouds: the bisector
  const double target = use_blobs ? best - 0.04 : 0.97;
  if (use_blobs) fmt::print("no model can expect more than {:.4f} on these clouds\n", best);
  const std::vector<double> others = accuracies(data, test_fraction, s, app.seed(), 20);
  const auto [low, high] = std::minmax_element(others.begin(), others.end());
  const double average =
      std::accumulate(others.begin(), others.end(), 0.0) / static_cast<double>(others.size());
  fmt::print("held-out accuracy: {:.4f} on this split, {:.4f} to {:.4f} on {} others\n",
             confusion.accuracy(), *low, *high, others.size());
  app.check(average >= target,
            fmt::format("their mean held-out accuracy: {:.4f} >= {:.4f}", average, target));
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "01_logistic_regression",
             "a model, its loss, and the gradient by hand beside autograd's", lesson);
}
