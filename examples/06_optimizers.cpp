// 06: Optimizers. The gradient says which way is down. An optimizer decides how far to go, and what
// to remember. With g the gradient, η the learning rate, and one memory per weight:
//
//   SGD        p ← p - η g
//   momentum   b ← μ b + g,   p ← p - η b              a heavy ball: steps that agree add up
//   Nesterov   the same, p ← p - η (g + μ b)           looks ahead along b before it brakes
//   RMSprop    v ← α v + (1-α) g²,   p ← p - η g / √v  every weight gets its own step size
//   Adam       m, v: averages of g and g², corrected for starting at 0;  p ← p - η m̂ / √v̂
//   AdamW      Adam, and p ← p - η λ p: large weights decay, without going through m and v
//
// Rosenbrock's function (1960), (1-x)² + 100 (y-x²)², is a curved valley with steep walls and a
// flat floor. The gradient points across it, but the minimum (1, 1) lies along it. The loss of a
// network is like that in a million dimensions.
//
// Mini-batches make the gradient noisy. With a large rate the weights never settle; with a small
// one they do not get far. A schedule has both, one after the other. It may begin with a rate that
// would be too large to stay at (--peak).
//
// Look at:  SGD, which drops to the floor of the valley and then crawls; momentum, which overshoots
//           and swings; AdamW, which stops short of (1, 1): why? Adam at two constant rates and
//           under three schedules: which end is lower, and which fell faster at first?
// Try next: `--scale 2.5` multiplies all rates: who survives? `--scale 0.2`: who suffers most?
//           `--sgd 0.2`: was SGD slow, or was its rate small? `--peak 0.002`: what is left of the
//           schedules' lead? `--batch 8`, where there is more noise? `--steps 20000`. Write an
//           optimizer of your own, and add it to contenders().
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "examples/support/data/datasets.h"
#include "examples/support/run/options.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/progress.h"
#include "examples/support/show/terminal.h"
#include "nn/layers.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;

namespace {

using Params = std::vector<Tensor>;

struct Contender {
  std::string name, option;
  double rosenbrock_rate, network_rate;
  std::function<std::unique_ptr<Optimizer>(Params, double lr)> make;
};

/// What is done on Rosenbrock's function is what tests/golden/rosenbrock.py did with PyTorch.
std::vector<Contender> contenders() {
  const auto sgd = [](SgdOptions options) {
    return [=](Params p, double lr) { return std::make_unique<SGD>(p, lr, options); };
  };
  return {{"SGD", "--sgd", 5e-4, 0.02, sgd({})},
          {"momentum", "--momentum", 5e-4, 0.02, sgd({.momentum = 0.9})},
          {"Nesterov", "--nesterov", 5e-4, 0.02, sgd({.momentum = 0.9, .nesterov = true})},
          {"RMSprop", "--rmsprop", 0.01, 0.001,
           [](Params p, double lr) { return std::make_unique<RMSprop>(p, lr); }},
          {"Adam", "--adam", 0.05, 0.002,
           [](Params p, double lr) { return std::make_unique<Adam>(p, lr); }},
          {"AdamW", "--adamw", 0.05, 0.002, [](Params p, double lr) {
             return std::make_unique<AdamW>(p, lr, AdamOptions{.weight_decay = 0.1});
           }}};
}

Tensor rosenbrock(const Tensor& p) {
  const Tensor x = select(p, 0, 0), y = select(p, 0, 1);
  return square(1 - x) + 100 * square(y - square(x));
}

struct Path {
  std::vector<double> x, y, f;  // before each step, and after the last
};

Path descend(const Contender& c, double rate, int64_t steps) {
  const Tensor p = tensor<double>({-1.5, 2}).set_requires_grad();
  const auto optimizer = c.make({p}, rate);
  Path path;
  for (int64_t step = 0; step <= steps; ++step) {
    optimizer->zero_grad();
    const Tensor loss = rosenbrock(p);
    path.x.push_back(select(p, 0, 0).item());
    path.y.push_back(select(p, 0, 1).item());
    path.f.push_back(loss.item());
    backward(loss);
    optimizer->step();
  }
  return path;
}

/// The largest difference from PyTorch's first ten steps, which are in examples/data.
double difference_from_pytorch(const Contender& c) {
  const Path ours = descend(c, c.rosenbrock_rate, 10);
  const std::vector<double> theirs = pytorch_steps(c.name);  // x₁, y₁, x₂, y₂, …
  double largest = 0;
  for (size_t step = 1; step <= 10; ++step)
    largest = std::max({largest, std::abs(ours.x[step] - theirs[2 * step - 2]),
                        std::abs(ours.y[step] - theirs[2 * step - 1])});
  return largest;
}

/// The path over lines of equal height.
Panel draw_map(const Path& path, std::string title) {
  const Grid grid = sample_grid(-1.9, 1.7, -0.7, 2.7, 240, 240, [](double x, double y) {
    return std::log10((1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x) + 1e-3);
  });
  return Panel({.title = std::move(title), .x = "x", .y = "y"})
      .contour(grid, {-1, 0, 0.5, 1, 1.5, 2, 2.5, 3})
      .path("", path.x, path.y)
      .points("minimum", {1}, {1});
}

void show_rosenbrock(Example& app, const std::vector<Contender>& contenders, int64_t steps,
                     double scale) {
  Table table({"optimizer", "rate", "f after 10", fmt::format("after {}", steps), "x", "y"});
  std::vector<Panel> maps;
  Panel curves({.title = "In the valley", .x = "step", .y = "f", .log_x = true, .log_y = true});
  std::vector<double> last_f;
  for (const Contender& c : contenders) {
    const double difference = difference_from_pytorch(c);
    app.verdict(difference <= 1e-6,
                fmt::format("{}: ten steps equal PyTorch's: {:.1e} <= 1e-6", c.name, difference));
    const double rate = scale * c.rosenbrock_rate;
    const Path path = descend(c, rate, steps);
    table.row({c.name, fmt::format("{:g}", rate), fmt::format("{:.4g}", path.f[10]),
               fmt::format("{:.4g}", path.f.back()), fmt::format("{:.3f}", path.x.back()),
               fmt::format("{:.3f}", path.y.back())});
    last_f.push_back(path.f.back());
    if (!std::isfinite(path.f.back())) continue;  // it diverged
    maps.push_back(draw_map(path, fmt::format("{}: f = {:.2g}", c.name, path.f.back())));
    curves.line(c.name, {path.f.begin() + 1, path.f.end()});  // a log axis cannot show step 0
  }
  fmt::print("\nRosenbrock's valley, from (-1.5, 2) towards (1, 1)\n{}\n", table.text());
  if (!maps.empty()) {
    save_plot(app.out("rosenbrock"), maps, 3);
    save_plot(app.out("rosenbrock_loss"), {curves});
  }
  if (scale == 1)
    app.verdict(
        last_f[1] < last_f[0] / 2,
        fmt::format("momentum beats SGD at the same rate: {:.3g} < {:.3g}", last_f[1], last_f[0]));
}

struct Result {
  std::vector<double> loss;                  // of each step's batch, smoothed
  double final_loss = 0, test_accuracy = 0;  // the former on all training rows
};

struct Task {
  Split data;
  int64_t steps, batch;
  uint64_t seed;
};

struct Setup {
  std::string name;
  Contender optimizer;
  std::function<double(int64_t)> rate_at;  // the learning rate of a step
};

/// A small network on 05's pictures. Every setup gets the same first weights and the same batches.
Result train(const Task& task, const Setup& setup, Progress& bar) {
  manual_seed(task.seed);
  const auto& [training, test] = task.data;
  const Sequential net(Flatten(), Linear(training.x.numel() / training.size(), 64), ReLU(),
                       Linear(64, std::ssize(training.classes)));
  const auto optimizer = setup.optimizer.make(net.parameters(), setup.rate_at(0));
  Batches batches(training, task.batch, true, seed_for("batches", task.seed));
  Result result;
  double weighted_loss = 0, weight = 0;  // of a moving average
  for (int64_t step = 0; step < task.steps;)
    for (const auto& [x, y] : batches.epoch()) {
      optimizer->lr = setup.rate_at(step);
      optimizer->zero_grad();
      const Tensor loss = cross_entropy(net(x), y);
      backward(loss);
      optimizer->step();
      weighted_loss = 0.97 * weighted_loss + loss.item();
      weight = 0.97 * weight + 1;
      result.loss.push_back(weighted_loss / weight);
      bar.step("{}, loss {:.4f}", setup.name, result.loss.back());
      if (++step == task.steps) break;
    }
  NoGrad guard;
  result.final_loss = cross_entropy(net(training.x), training.y).item();
  result.test_accuracy = mean(to(eq(argmax(net(test.x)), test.y), F32)).item();
  return result;
}

/// Trains a network for each setup: one row of the table, and one curve in the panel.
std::vector<Result> compare(const Task& task, const char* what, const std::vector<Setup>& setups,
                            Panel& panel) {
  Table table({what, "last rate", "training loss", "held-out accuracy"});
  Progress bar(fmt::format("{} {}s", setups.size(), what), std::ssize(setups) * task.steps);
  std::vector<Result> results;
  for (const Setup& setup : setups) {
    const Result& result = results.emplace_back(train(task, setup, bar));
    table.row({setup.name, fmt::format("{:.2g}", setup.rate_at(task.steps - 1)),
               fmt::format("{:.4f}", result.final_loss),
               fmt::format("{:.2f} %", 100 * result.test_accuracy)});
    panel.line(setup.name, result.loss);
  }
  fmt::print("\n{}\n", table.text());
  return results;
}

void show_network(Example& app, const std::vector<Contender>& contenders, const Task& task) {
  std::vector<Setup> setups;
  for (const Contender& c : contenders)
    setups.push_back({c.name, c, ConstantLr{.peak = c.network_rate}});
  Panel panel({.title = "Six optimizers", .x = "step", .y = "cross-entropy", .log_x = true});
  double worst = 1;
  for (const Result& result : compare(task, "optimizer", setups, panel))
    worst = std::min(worst, result.test_accuracy);
  save_plot(app.out("network"), {panel});
  const double target = app.fast() ? 0.85 : 0.75;  // --fast has easier pictures
  app.verdict(worst >= target,
              fmt::format("all six learn: the worst is right on {:.4f} >= {:.2f}", worst, target),
              "0.75 on the clothes");
}

/// Adam at its usual rate, at `peak`, and under schedules that begin at `peak`.
void show_schedules(Example& app, const Contender& adam, const Task& task, double peak) {
  const int64_t n = task.steps, warmup = n / 20, quarter = std::max<int64_t>(1, n / 4);
  const std::vector<Setup> setups = {
      {"usual rate", adam, ConstantLr{.peak = adam.network_rate}},
      {"peak rate", adam, ConstantLr{.peak = peak}},
      {"stairs", adam, StepLr{.peak = peak, .factor = 0.3, .every = quarter}},
      {"linear", adam, LinearLr{.peak = peak, .warmup = warmup, .total = n}},
      {"cosine", adam, CosineLr{.peak = peak, .warmup = warmup, .total = n}}};
  Panel rates({.title = "Schedules", .x = "step", .y = "learning rate"});
  Panel losses({.title = "Adam under each", .x = "step", .y = "cross-entropy", .log_y = true});
  for (const Setup& setup : setups) {
    std::vector<double> rate;
    for (int64_t step = 0; step < n; ++step) rate.push_back(setup.rate_at(step));
    rates.line(setup.name, rate);
  }
  const std::vector<Result> results = compare(task, "schedule", setups, losses);
  save_plot(app.out("schedules"), {rates, losses});
  const double constant = std::min(results[0].final_loss, results[1].final_loss);
  const double cosine = results.back().final_loss;
  app.verdict(
      cosine < constant,
      fmt::format("cosine ends below both constant rates: {:.4f} < {:.4f}", cosine, constant));
}

int lesson(Example& app) {
  int64_t steps = 1000, network_steps = 2000, batch = 64;
  double scale = 1, peak = 0.01;
  std::vector<Contender> all = contenders();
  app.option("--steps", steps, "steps on Rosenbrock's function", {.min = 10});
  app.option("--network-steps", network_steps, "steps of each network", {.fast = 900, .min = 1});
  app.option("--batch", batch, "pictures per step", {.fast = 8, .min = 1});
  app.option("--scale", scale, "factor for every learning rate", {.min = 0});
  for (Contender& c : all)
    app.option(c.option, c.network_rate, "rate of " + c.name + " for the network", {.min = 0});
  app.option("--peak", peak, "where the schedules begin", {.fast = 0.02, .min = 0});
  app.parse();

  show_rosenbrock(app, all, steps, scale);
  const Split data = app.fast() ? split_by_class(digits(), 0.2, app.seed()) : pictures(app.seed());
  fmt::print("the network: {} pictures of {} × {} to learn from, {} held out\n", data.train.size(),
             data.train.x.size(2), data.train.x.size(3), data.test.size());
  for (Contender& c : all) c.network_rate *= scale;
  const Task task{data, network_steps, batch, app.seed()};
  show_network(app, all, task);
  show_schedules(app, all[4], task, scale * peak);
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "06_optimizers", "from SGD to AdamW, and learning-rate schedules", lesson);
}
