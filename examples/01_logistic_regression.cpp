// 01: Logistic regression. The smallest model that learns: one weight per feature, one bias, and
// a probability at the end.
//
// A doctor looks at cells under a microscope and measures thirty features. Each feature x_j gets a
// weight w_j. The weighted sum z is squeezed into a probability p. The loss is small when the model
// gives the true class a high probability. To it we add a penalty, weighted by λ (--l2), because a
// model of small weights is less easily fooled by noise. Learning is a walk downhill on the sum L:
//
//   z = x·w + b     p = σ(z) = 1 / (1 + e^-z)     L = -mean( y ln p + (1-y) ln(1-p) ) + λ/2 |w|²
//
// To walk downhill we need the gradient. In the chain rule all logarithms cancel, which leaves
// (p - y) / n as the slope of the mean at z. So a step with the learning rate η is
//
//   ∂L/∂w = xᵀ (p - y) / n + λ w,   ∂L/∂b = mean(p - y);     w ← w - η ∂L/∂w,   b ← b - η ∂L/∂b
//
// Autograd finds the same numbers without knowing the formula. The program prints both side by
// side. From here on we leave gradients to autograd, and a model can be as large as we like.
//
// Look at:  the held-out loss, on rows that the training never sees; the features with the largest
//           weights; the recall, which says how many of the ill were found, where accuracy alone
//           would hide those that were missed; the boundary.
// Try next: `--seed 2` and `--seed 3`: how much do twenty splits differ, and how little does their
//           mean move? (171 held-out rows are few.)
//           `--rate 30`: steps that are too long jump across the valley. Which targets are missed,
//           and what does the loss curve show?
//           `--l2 0.3`: smaller weights. `--test 0.9`: only 57 rows to learn from.
//           `--blobs --distance 1`: two clouds that overlap. What is the best any line can do?
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
  double rate = 0.5, l2 = 0.003;  // η, λ
};

/// A split, ready to use: the features are standardized, the classes are 0 and 1 as F32.
struct Prepared {
  Tensor x, y, test_x, test_y;  // (N, C), (N,), (M, C), (M,)
};
Prepared prepare(const Split& split) {
  const Standardizer standardize(split.train.x);  // sees the training rows only: no peeking
  return {standardize(split.train.x), to(split.train.y, F32), standardize(split.test.x),
          to(split.test.y, F32)};
}

struct Model {
  Tensor w, b;                                                       // (C,), ()
  Tensor logits(const Tensor& x) const { return matmul(x, w) + b; }  // (N, C) -> (N,)
  Tensor probability(const Tensor& x) const { return sigmoid(logits(x)); }
};

/// Binary cross-entropy. With p = σ(z) put in, -y ln p - (1-y) ln(1-p) is ln(1 + e^z) - y z, which
/// never takes the logarithm of 0.
Tensor loss_of(const Tensor& z, const Tensor& y) { return mean(softplus(z) - y * z); }

/// The formulas at the top.
Model gradient_by_hand(const Model& m, const Tensor& x, const Tensor& y, double l2) {
  const Tensor error = (m.probability(x) - y) / static_cast<double>(x.size(0));  // (p - y) / n
  return {matmul(t(x), error) + l2 * m.w, sum(error)};
}

struct Training {
  Model model;
  std::vector<double> train_loss, test_loss;
  double largest_difference = 0;  // between the two gradients, over all steps and weights
  double largest_rise = 0;        // of L, from one step to the next
};

Training train(const Prepared& data, const Settings& s, Progress& bar) {
  Training out{{zeros({data.x.size(1)}), zeros({})}, {}, {}};
  double before = INFINITY;
  for (int64_t step = 0; step < s.steps; ++step) {
    Tensor &w = out.model.w, &b = out.model.b;
    w.set_requires_grad();
    b.set_requires_grad();
    const Tensor loss = loss_of(out.model.logits(data.x), data.y);
    const Tensor penalized = loss + s.l2 / 2 * sum(square(w));  // L
    backward(penalized);

    NoGrad guard;  // from here on, nothing is recorded
    const Model by_hand = gradient_by_hand(out.model, data.x, data.y, s.l2);
    out.largest_difference =
        std::max({out.largest_difference, max(abs(by_hand.w - w.grad())).item(),
                  abs(by_hand.b - b.grad()).item()});
    out.largest_rise = std::max(out.largest_rise, penalized.item() - before);
    before = penalized.item();
    out.train_loss.push_back(loss.item());
    out.test_loss.push_back(loss_of(out.model.logits(data.test_x), data.test_y).item());
    check<ValueError>(std::isfinite(loss.item()),
                      "step {}: the loss is {}; try a smaller --rate than {}", step, loss.item(),
                      s.rate);
    out.model = {w - s.rate * w.grad(), b - s.rate * b.grad()};
    bar.step("loss {:.4f}, held out {:.4f}", out.train_loss.back(), out.test_loss.back());
  }
  return out;
}

/// The held-out accuracy on other splits. One split alone may be lucky: 171 rows are few.
std::vector<double> accuracies(const Dataset& data, double test_fraction, const Settings& s,
                               uint64_t seed, int64_t splits) {
  std::vector<double> out;
  Progress bar(fmt::format("{} splits", splits), splits * s.steps);
  for (int64_t i = 1; i <= splits; ++i) {
    const uint64_t split_seed = seed_for("splits", seed) + i;
    const Prepared split = prepare(split_by_class(data, test_fraction, split_seed));
    const Tensor p = train(split, s, bar).model.probability(split.test_x);
    out.push_back(mean(to(eq(to(p > 0.5, F32), split.test_y), F32)).item());
  }
  return out;
}

/// The first gradient, at w = 0, computed both ways.
void show_gradients(const Dataset& data, const Tensor& x, const Tensor& y) {
  Model m{zeros({x.size(1)}), zeros({})};
  m.w.set_requires_grad();
  backward(loss_of(m.logits(x), y));
  const std::vector<double> by_hand = gradient_by_hand(m, x, y, 0).w.to_vector<double>();
  const std::vector<double> by_autograd = m.w.grad().to_vector<double>();
  fmt::print("\nThe gradient at w = 0, by hand and by autograd\n");
  Table table({"weight of", "by hand", "autograd"});
  for (size_t j = 0; j < std::min<size_t>(3, by_hand.size()); ++j)
    table.row({data.features[j], fmt::format("{:.7f}", by_hand[j]),
               fmt::format("{:.7f}", by_autograd[j])});
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

/// A model of two features, whose names these are: its probability over the plane, and the rows.
Panel boundary(const Dataset& data, const Tensor& x, const Model& model,
               const std::string& x_feature, const std::string& y_feature) {
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
       .x = x_feature + ", standardized",
       .y = y_feature + ", standardized"});
  return panel.heat(grid, Colors::Chances)
      .contour(grid, {0.5})
      .points_by_class(data.classes, data.y.to_vector<int64_t>(), xs, ys);
}

int lesson(Example& app) {
  Settings s;
  double test_fraction = 0.3, distance = 3;
  bool use_blobs = false;
  app.option("--steps", s.steps, "gradient steps", {.fast = 300, .min = 1});
  app.option("--rate", s.rate, "learning rate η", {.min = 0});
  app.option("--l2", s.l2, "weight λ of the penalty", {.min = 0});
  app.option("--test", test_fraction, "share of the rows to hold out", {.min = 0, .max = 1});
  app.flag("--blobs", use_blobs, "two generated clouds instead of the cells");
  app.option("--distance", distance, "distance between the clouds' centres", {.min = 0});
  app.parse();

  const Dataset data = use_blobs ? blobs(300, distance, app.seed()) : breast_cancer();
  const Split split = split_by_class(data, test_fraction, app.seed());
  const auto [x, y, test_x, test_y] = prepare(split);
  const auto train_with_bar = [&](const Prepared& prepared, const char* title) {
    Progress bar(title, s.steps);
    return train(prepared, s, bar);
  };
  fmt::print("{} rows of {} features to learn from, {} held out; classes: {} (0), {} (1)\n",
             x.size(0), x.size(1), test_x.size(0), data.classes[0], data.classes[1]);

  show_gradients(data, x, y);
  const Training training = train_with_bar({x, y, test_x, test_y}, "training");
  show_weights(data, training.model);

  const Tensor p = training.model.probability(test_x);  // (M,)
  const std::vector<int64_t> truth = split.test.y.to_vector<int64_t>();
  const Confusion confusion(data.classes, truth, (p > 0.5).to_vector<int64_t>());
  const Roc roc = roc_curve(truth, p.to_vector<double>());
  fmt::print("\nOn the {} held-out rows\n{}\n{}  ROC-AUC {:.4f}\n\n", truth.size(),
             confusion.table(), confusion.report(), roc.auc);

  save_plot(app.out("loss"),
            {Panel({.title = "Binary cross-entropy", .x = "step", .y = "loss", .log_x = true})
                 .line("training", training.train_loss)
                 .line("held out", training.test_loss)});
  save_plot(app.out("roc"), {Panel({.title = fmt::format("ROC curve, area {:.4f}", roc.auc),
                                    .x = "false alarms among the " + data.classes[0],
                                    .y = "found among the " + data.classes[1]})
                                 .line("model", roc.false_positive_rate, roc.true_positive_rate)
                                 .line("guessing", {0, 1}, {0, 1})});
  save_plot(app.out("confusion"),
            {Panel({.title = "Held-out rows", .x = "predicted", .y = "true"})
                 .matrix(confusion.values(), data.classes, data.classes, "%.0f")});
  // Thirty dimensions cannot be drawn, so this model sees only two of them.
  const int64_t f = use_blobs ? 0 : 27, g = use_blobs ? 1 : 21;  // worst concave points, texture
  const Tensor columns = tensor<int64_t>({f, g});
  const Tensor x_2d = index_select(x, 1, columns);
  const Tensor test_x_2d = index_select(test_x, 1, columns);
  const Training training_2d = train_with_bar({x_2d, y, test_x_2d, test_y}, "two features");
  save_plot(app.out("boundary"), {boundary(split.test, test_x_2d, training_2d.model,
                                           data.features[f], data.features[g])});

  app.verdict(training.largest_difference < 1e-6,
              fmt::format("the gradient by hand equals autograd's: {:.1e} < 1e-6",
                          training.largest_difference));
  app.verdict(training.largest_rise < 1e-6,  // as much as rounding may do
              fmt::format("every step leads downhill: the largest rise of L is {:.1e} < 1e-6",
                          training.largest_rise));
  // For the clouds the best line is the perpendicular bisector of their centres.
  const double best = 0.5 * std::erfc(-distance / 2 / std::sqrt(2));
  const double target = use_blobs ? best - 0.04 : 0.97;
  if (use_blobs) fmt::print("no model can expect more than {:.4f} on these clouds\n", best);
  const std::vector<double> others = accuracies(data, test_fraction, s, app.seed(), 20);
  const auto [lowest, highest] = std::minmax_element(others.begin(), others.end());
  const double average =
      std::accumulate(others.begin(), others.end(), 0.0) / static_cast<double>(others.size());
  fmt::print("held-out accuracy: {:.4f} on this split, {:.4f} to {:.4f} on {} others\n",
             confusion.accuracy(), *lowest, *highest, others.size());
  app.verdict(average >= target,
              fmt::format("their mean held-out accuracy: {:.4f} >= {:.4f}", average, target));
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "01_logistic_regression",
             "a model, its loss, and the gradient by hand beside autograd's", lesson);
}
