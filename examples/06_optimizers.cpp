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

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "examples/support/csv.h"
#include "examples/support/datasets.h"
#include "examples/support/options.h"
#include "examples/support/plot.h"
#include "examples/support/progress.h"
#include "examples/support/terminal.h"
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
  std::function<std::unique_ptr<Optimizer>(Params, double rate)> make;
};

/// The settings of tests/golden/rosenbrock.py.
std::vector<Contender> contenders() {
  const auto sgd = [](SgdOptions options) {
    return [options](Params p, double rate) { return std::make_unique<SGD>(p, rate, options); };
  };
  return {
      {"SGD", 5e-4, 0.02, sgd({})},
      {"momentum", 5e-4, 0.02, sgd({.momentum = 0.9})},
      {"Nesterov", 5e-4, 0.02, sgd({.momentum = 0.9, .nesterov = true})},
      {"RMSprop", 0.01, 0.001,
       [](Params p, double rate) { return std::make_unique<RMSprop>(p, rate); }},
      {"Adam", 0.05, 0.002, [](Params p, double rate) { return std::make_unique<Adam>(p, rate); }},
      {"AdamW", 0.05, 0.002, [](Params p, double rate) {
         return std::make_unique<AdamW>(p, rate, AdamOptions{.weight_decay = 0.1});
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
  static const Csv table = Csv::read(data_folder() / "rosenbrock.csv");
  const Path path = descend(c, c.rosenbrock_rate, 10);
  double worst = 0;
  int64_t compared = 0;
  for (int64_t row = 0; row < table.rows(); ++row) {
    if (table.text(row, 0) != c.name) continue;
    const auto step = static_cast<size_t>(table.number(row, 1));
    check<IoError>(step < path.x.size(), "rosenbrock.csv: step {} of {}", step, c.name);
    worst = std::max({worst, std::abs(path.x[step] - table.number(row, 2)),
                      std::abs(path.y[step] - table.number(row, 3))});
    ++compared;
  }
  check<IoError>(compared == 10, "rosenbrock.csv: {} steps of {}; 10 are needed", compared, c.name);
  return worst;
}

/// The path over lines of equal height.
Panel map_of(const Path& path, std::string title) {
  const Grid grid = sample_grid(-1.9, 1.7, -0.7, 2.7, 120, 120, [](double x, double y) {
    return std::log10((1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x) + 1e-3);
  });
  Panel panel({.title = std::move(title), .x = "x", .y = "y"});
  return panel.contour(grid, {-1, 0, 0.5, 1, 1.5, 2, 2.5, 3})
      .path("", path.x, path.y)
      .points("minimum", {1}, {1});
}

void show_rosenbrock(Example& app, int64_t steps, double scale) {
  Table table(
      {"optimizer", "rate", "after 10", "after 100", fmt::format("after {}", steps), "x", "y"});
  std::vector<Panel> maps;
  Panel curves(
      {.title = "Rosenbrock's function", .x = "step", .y = "f", .log_x = true, .log_y = true});
  std::vector<double> end;
  for (const Contender& c : contenders()) {
    const double rate = scale * c.rosenbrock_rate;
    const Path path = descend(c, rate, steps);
    const auto at = [&](size_t step) {
      return step < path.f.size() ? fmt::format("{:.4g}", path.f[step]) : "";
    };
    table.row({c.name, fmt::format("{:g}", rate), at(10), at(100), at(path.f.size() - 1),
               fmt::format("{:.3f}", path.x.back()), fmt::format("{:.3f}", path.y.back())});
    end.push_back(path.f.back());
    if (!std::isfinite(path.f.back())) continue;  // it left the map
    maps.push_back(
        map_of(path, fmt::format("{}: f = {:.2g} after {} steps", c.name, path.f.back(), steps)));
    curves.line(c.name, path.f);
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

/// 05's small network, from the same weights and on the same batches for every run.
Run train(const Task& task, const Contender& c, const std::function<double(int64_t)>& schedule,
          Progress& bar) {
  manual_seed(task.seed);
  const Dataset &rows = task.data.train, &others = task.data.test;
  const int64_t pixels = rows.x.numel() / rows.size();
  const auto classes = static_cast<int64_t>(rows.classes.size());
  const Sequential net(Flatten(), Linear(pixels, 64), ReLU(), Linear(64, classes));
  const auto optimizer = c.make(net.parameters(), schedule(0));
  Batches batches(rows, task.batch, true, seed_for("batches", task.seed));
  Run run{{}, 0, 0};
  double smooth = 0, weight = 0;
  for (int64_t step = 0; step < task.steps;)
    for (const auto& [x, y] : batches.epoch()) {
      optimizer->lr = schedule(step);
      optimizer->zero_grad();
      const Tensor loss = cross_entropy(net(x), y);
      backward(loss);
      optimizer->step();
      smooth = 0.97 * smooth + loss.item(), weight = 0.97 * weight + 1;  // a moving average
      run.loss.push_back(smooth / weight);
      bar.step("{}, loss {:.4f}", c.name, run.loss.back());
      if (++step == task.steps) break;
    }
  NoGrad guard;
  run.end = cross_entropy(net(rows.x), rows.y).item();
  run.held_out = mean(to(eq(argmax(net(others.x)), others.y), F32)).item();
  return run;
}

void show_network(Example& app, const Task& task, double scale) {
  Panel panel({.title = "The same network, six optimizers",
               .x = "step",
               .y = "cross-entropy",
               .log_x = true});
  Table table({"optimizer", "rate", "training loss", "held-out accuracy"});
  double worst = 1;
  Progress bar("six optimizers", 6 * task.steps);
  for (const Contender& c : contenders()) {
    const double rate = scale * c.network_rate;
    const Run run = train(task, c, ConstantLr{.peak = rate}, bar);
    table.row({c.name, fmt::format("{:g}", rate), fmt::format("{:.4f}", run.end),
               fmt::format("{:.2f} %", 100 * run.held_out)});
    panel.line(c.name, run.loss);
    worst = std::min(worst, run.held_out);
  }
  fmt::print("\n{}\n", table.text());
  save_plot(app.out("network"), {panel});
  if (scale == 1)
    app.check(worst > 0.7, fmt::format("all six learn: the worst is right on {:.4f}", worst));
}

/// Small batches make noisy gradients: with a rate that stays large the weights never settle.
void show_schedules(Example& app, const Task& task, double scale) {
  const Contender adam = contenders()[4];
  const double peak = 10 * scale * adam.network_rate;
  const int64_t n = task.steps, warmup = n / 20;
  const std::vector<std::pair<std::string, std::function<double(int64_t)>>> schedules = {
      {"constant", ConstantLr{.peak = peak}},
      {"stairs", StepLr{.peak = peak, .factor = 0.3, .every = std::max<int64_t>(1, n / 4)}},
      {"linear", LinearLr{.peak = peak, .warmup = warmup, .total = n}},
      {"cosine", CosineLr{.peak = peak, .warmup = warmup, .total = n}}};
  std::vector<Panel> panels = {
      Panel({.title = "Schedules", .x = "step", .y = "learning rate"}),
      Panel({.title = "Adam under each", .x = "step", .y = "cross-entropy", .log_y = true})};
  Table table({"schedule", "last rate", "training loss", "held-out accuracy"});
  std::vector<double> end;
  Progress bar("four schedules", 4 * n);
  for (const auto& [name, schedule] : schedules) {
    const Run run = train(task, adam, schedule, bar);
    std::vector<double> rates;
    for (int64_t step = 0; step < n; ++step) rates.push_back(schedule(step));
    table.row({name, fmt::format("{:.2g}", rates.back()), fmt::format("{:.4f}", run.end),
               fmt::format("{:.2f} %", 100 * run.held_out)});
    panels[0].line(name, rates);
    panels[1].line(name, run.loss);
    end.push_back(run.end);
  }
  fmt::print("\n{}\n", table.text());
  save_plot(app.out("schedules"), panels);
  if (scale == 1)
    app.check(end[3] < end[0],
              fmt::format("cosine ends below a constant rate: {:.4f} < {:.4f}", end[3], end[0]));
}

int lesson(Example& app) {
  int64_t steps = 1000, network_steps = 2000;
  double scale = 1;
  app.option("--steps", steps, "steps on Rosenbrock's function", {.min = 10});
  app.option("--network-steps", network_steps, "steps of each network", {.fast = 900, .min = 1});
  app.option("--scale", scale, "multiplies every rate", {.min = 0});
  app.parse();

  for (const Contender& c : contenders()) {
    const double difference = difference_from_pytorch(c);
    app.check(difference <= 1e-6,
              fmt::format("{}: ten steps equal PyTorch's: {:.1e} <= 1e-6", c.name, difference));
  }
  show_rosenbrock(app, steps, scale);
  const Split data = app.fast() ? split_by_class(digits(), 0.2, app.seed()) : pictures(app.seed());
  show_network(app, {data, network_steps, 64, app.seed()}, scale);
  show_schedules(app, {data, network_steps, 8, app.seed()}, scale);
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "06_optimizers", "SGD to AdamW on a valley and a network, and schedules",
             lesson);
}
