// 06: Optimizers. The gradient says which way is down; an optimizer decides how far to go, and what
// to remember. With g the gradient, η the rate, and one memory per weight:
//
//   SGD        p ← p - η g
//   momentum   b ← μ b + g,   p ← p - η b              a heavy ball: what always agrees adds up
//   Nesterov   the same, p ← p - η (g + μ b)           looks ahead along b before it brakes
//   RMSprop    v ← α v + (1-α) g²,   p ← p - η g / √v  each weight gets a step of its own size
//   Adam       m, v: averages of g and g², corrected for starting at 0;  p ← p - η m̂ / √v̂
//   AdamW      Adam, and p ← p - η λ p: the decay of large weights, kept out of m and v
//
// Rosenbrock's function (1960), (1-x)² + 100 (y-x²)², is a curved valley with steep walls and a
// flat floor: the gradient points across it, the minimum (1, 1) lies along it. A network's loss is
// like that in a million dimensions. A schedule changes η as training goes on: large steps to get
// somewhere, small ones to settle.
//
// Look at:  SGD, which drops to the valley's floor and then crawls; momentum, which overshoots and
//           swings; AdamW, which stops short of (1, 1): why?; the last tenth of the schedules.
// Try next: --scale 2.5 on all rates: who survives? --scale 0.2: who suffers most? --steps 20000.
//           Write an optimizer of your own, and give it a line in contenders().
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
  std::string name;
  double rosenbrock_rate, network_rate;
  std::function<std::unique_ptr<Optimizer>(Params, double lr)> make;
};

/// The settings of tests/golden/rosenbrock.py.
std::vector<Contender> contenders() {
  const auto sgd = [](SgdOptions options) {
    return [options](Params p, double lr) { return std::make_unique<SGD>(p, lr, options); };
  };
  return {{"SGD", 5e-4, 0.02, sgd({})},
          {"momentum", 5e-4, 0.02, sgd({.momentum = 0.9})},
          {"Nesterov", 5e-4, 0.02, sgd({.momentum = 0.9, .nesterov = true})},
          {"RMSprop", 0.01, 0.001,
           [](Params p, double lr) { return std::make_unique<RMSprop>(p, lr); }},
          {"Adam", 0.05, 0.002, [](Params p, double lr) { return std::make_unique<Adam>(p, lr); }},
          {"AdamW", 0.05, 0.002, [](Params p, double lr) {
             return std::make_unique<AdamW>(p, lr, AdamOptions{.weight_decay = 0.1});
           }}};
}

// ---- A valley ----------------------------------------------------------------------------------

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
    const std::vector<double> at = p.to_vector<double>();
    path.x.push_back(at[0]);
    path.y.push_back(at[1]);
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
  double worst = 0;
  for (size_t i = 0; i < theirs.size(); ++i)
    worst = std::max(worst, std::abs((i % 2 == 0 ? ours.x : ours.y)[i / 2 + 1] - theirs[i]));
  return worst;
}

/// The path over lines of equal height.
Panel map_of(const Path& path, std::string title) {
  const Grid grid = sample_grid(-1.9, 1.7, -0.7, 2.7, 240, 240, [](double x, double y) {
    return std::log10((1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x) + 1e-3);
  });
  Panel panel({.title = std::move(title), .x = "x", .y = "y"});
  return panel.contour(grid, {-1, 0, 0.5, 1, 1.5, 2, 2.5, 3})
      .path("", path.x, path.y)
      .points("minimum", {1}, {1});
}

void show_rosenbrock(Example& app, int64_t steps, double scale) {
  Table table({"optimizer", "rate", "f after 10", fmt::format("after {}", steps), "x", "y"});
  std::vector<Panel> maps;
  Panel curves({.title = "In the valley", .x = "step", .y = "f", .log_x = true, .log_y = true});
  std::vector<double> end;
  for (const Contender& c : contenders()) {
    const double rate = scale * c.rosenbrock_rate, difference = difference_from_pytorch(c);
    app.check(difference <= 1e-6,
              fmt::format("{}: ten steps equal PyTorch's: {:.1e} <= 1e-6", c.name, difference));
    const Path path = descend(c, rate, steps);
    table.row({c.name, fmt::format("{:g}", rate), fmt::format("{:.4g}", path.f[10]),
               fmt::format("{:.4g}", path.f.back()), fmt::format("{:.3f}", path.x.back()),
               fmt::format("{:.3f}", path.y.back())});
    end.push_back(path.f.back());
    if (!std::isfinite(path.f.back())) continue;  // it left the map
    maps.push_back(map_of(path, fmt::format("{}: ends at f = {:.2g}", c.name, path.f.back())));
    curves.line(c.name, {path.f.begin() + 1, path.f.end()});  // a log axis has no place for step 0
  }
  fmt::print("\nRosenbrock's valley, from (-1.5, 2) towards (1, 1)\n{}\n", table.text());
  if (!maps.empty()) {
    save_plot(app.out("rosenbrock"), maps, 3);
    save_plot(app.out("rosenbrock_loss"), {curves});
  }
  if (scale == 1)
    app.check(end[1] < end[0] / 2,
              fmt::format("momentum beats SGD at the same rate: {:.3g} < {:.3g}", end[1], end[0]));
}

// ---- A network ---------------------------------------------------------------------------------

struct Run {
  std::vector<double> loss;  // of each step's batch, smoothed
  double end, held_out;      // loss on all training rows; accuracy on the others
};

struct Task {
  Split data;
  int64_t steps, batch;
  uint64_t seed;
};

struct Entry {
  std::string name;
  Contender optimizer;
  std::function<double(int64_t)> rate;  // by step
};

/// A small network on 05's pictures, from the same weights and on the same batches for every run.
Run train(const Task& task, const Entry& entry, Progress& bar) {
  manual_seed(task.seed);
  const Dataset &rows = task.data.train, &others = task.data.test;
  const Sequential net(Flatten(), Linear(rows.x.numel() / rows.size(), 64), ReLU(),
                       Linear(64, std::ssize(rows.classes)));
  const auto optimizer = entry.optimizer.make(net.parameters(), entry.rate(0));
  Batches batches(rows, task.batch, true, seed_for("batches", task.seed));
  Run run{{}, 0, 0};
  double smooth = 0, weight = 0;
  for (int64_t step = 0; step < task.steps;)
    for (const auto& [x, y] : batches.epoch()) {
      optimizer->lr = entry.rate(step);
      optimizer->zero_grad();
      const Tensor loss = cross_entropy(net(x), y);
      backward(loss);
      optimizer->step();
      smooth = 0.97 * smooth + loss.item(), weight = 0.97 * weight + 1;  // a moving average
      run.loss.push_back(smooth / weight);
      bar.step("{}, loss {:.4f}", entry.name, run.loss.back());
      if (++step == task.steps) break;
    }
  NoGrad guard;
  run.end = cross_entropy(net(rows.x), rows.y).item();
  run.held_out = mean(to(eq(argmax(net(others.x)), others.y), F32)).item();
  return run;
}

/// A network, a row of the table and a curve for each entry.
std::vector<Run> compare(const Task& task, const char* what, const std::vector<Entry>& entries,
                         Panel& panel) {
  Table table({what, "last rate", "training loss", "held-out accuracy"});
  Progress bar(fmt::format("{} {}s", entries.size(), what), std::ssize(entries) * task.steps);
  std::vector<Run> runs;
  for (const Entry& e : entries) {
    const Run& run = runs.emplace_back(train(task, e, bar));
    table.row({e.name, fmt::format("{:.2g}", e.rate(task.steps - 1)),
               fmt::format("{:.4f}", run.end), fmt::format("{:.2f} %", 100 * run.held_out)});
    panel.line(e.name, run.loss);
  }
  fmt::print("\n{}\n", table.text());
  return runs;
}

void show_network(Example& app, const Task& task, double scale) {
  std::vector<Entry> entries;
  for (const Contender& c : contenders())
    entries.push_back({c.name, c, ConstantLr{.peak = scale * c.network_rate}});
  Panel panel({.title = "Six optimizers", .x = "step", .y = "cross-entropy", .log_x = true});
  const std::vector<Run> runs = compare(task, "optimizer", entries, panel);
  const double worst = std::ranges::min(runs, {}, &Run::held_out).held_out;
  save_plot(app.out("network"), {panel});
  if (scale == 1)
    app.check(worst > 0.7, fmt::format("all six learn: the worst is right on {:.4f}", worst));
}

/// Small batches make noisy gradients: with a rate that stays large the weights never settle.
void show_schedules(Example& app, const Task& task, double scale) {
  const Contender adam = contenders()[4];
  const double peak = 10 * scale * adam.network_rate;
  const int64_t n = task.steps, warmup = n / 20, quarter = std::max<int64_t>(1, n / 4);
  const std::vector<Entry> entries = {
      {"constant", adam, ConstantLr{.peak = peak}},
      {"stairs", adam, StepLr{.peak = peak, .factor = 0.3, .every = quarter}},
      {"linear", adam, LinearLr{.peak = peak, .warmup = warmup, .total = n}},
      {"cosine", adam, CosineLr{.peak = peak, .warmup = warmup, .total = n}}};
  Panel rates({.title = "Schedules", .x = "step", .y = "learning rate"});
  Panel losses({.title = "Adam under each", .x = "step", .y = "cross-entropy", .log_y = true});
  for (const Entry& e : entries) {
    std::vector<double> rate;
    for (int64_t step = 0; step < n; ++step) rate.push_back(e.rate(step));
    rates.line(e.name, rate);
  }
  const std::vector<Run> runs = compare(task, "schedule", entries, losses);
  save_plot(app.out("schedules"), {rates, losses});
  if (scale == 1)
    app.check(runs[3].end < runs[0].end,
              fmt::format("cosine ends below constant: {:.4f} < {:.4f}", runs[3].end, runs[0].end));
}

int lesson(Example& app) {
  int64_t steps = 1000, network_steps = 2000;
  double scale = 1;
  app.option("--steps", steps, "steps on Rosenbrock's function", {.min = 10});
  app.option("--network-steps", network_steps, "steps of each network", {.fast = 900, .min = 1});
  app.option("--scale", scale, "multiplies every rate", {.min = 0});
  app.parse();

  show_rosenbrock(app, steps, scale);
  const Split data = app.fast() ? split_by_class(digits(), 0.2, app.seed()) : pictures(app.seed());
  fmt::print("the network: {} pictures of {} × {} to learn from, {} held out\n", data.train.size(),
             data.train.x.size(2), data.train.x.size(3), data.test.size());
  show_network(app, {data, network_steps, 64, app.seed()}, scale);
  show_schedules(app, {data, network_steps, 8, app.seed()}, scale);
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "06_optimizers", "SGD to AdamW on a valley and a network, and schedules",
             lesson);
}
