// 04: A multi-layer perceptron. Two spirals are wound into each other, and no straight line can
// separate them. So we bend the plane first, and then cut it with a straight line:
//
//   h₁ = f(x W₁ᵀ + b₁)     h₂ = f(h₁ W₂ᵀ + b₂)     …     y = h W + b      L = mean( (y - t)² )
//
// A layer is a linear map followed by a bend, the activation function f. Without f, all layers
// would collapse into one, because a product of matrices is a matrix. On its way back, the gradient
// is multiplied by the slope of f, once per layer:
//
//   sigmoid  1/(1+e^-x)   slope at most 1/4: the gradient fades quickly
//   tanh                  slope at most 1, and centred on 0
//   ReLU     max(x, 0)    slope 1 or 0
//
// So the weights must start at the right size. A sum of n terms has n times the variance of one
// term. With weights of variance 1/n (Xavier; 2/n for ReLU, which loses half) a signal keeps its
// strength through any number of layers. If the weights are too small, the signal dies. If they are
// too large, f saturates, and its slope is 0. If they are all zero, every unit of a layer gets the
// same gradient and remains a copy of its neighbour.
//
// Look at:  the table: how strong is the signal after each layer, for five initialisations? The six
//           pictures: when does the plane begin to curl? The loss curves: which f stays longest on
//           the plateau where the loss is about 1, and why? (Below 0.01 their order depends on the
//           seed.)
// Try next: `--activation none`: a single layer after all. `--init zeros`. `--hidden 2`.
//           `--init large`: it learns the points by heart, and its accuracy on new points falls.
//           `--noise 0.1`: what does it learn that is not there?
//           `--turns 2.5 --layers 1`, and then `--turns 2.5 --layers 4`.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/engine.h"
#include "examples/support/data/datasets.h"
#include "examples/support/run/options.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/progress.h"
#include "examples/support/show/terminal.h"
#include "nn/nn.h"
#include "optim/optimizer.h"

using namespace gradus;
using namespace gradus::support;

namespace {

struct Settings {
  int64_t hidden = 32, layers = 3, steps = 2000;
  double rate = 0.02;
  std::string activation = "tanh", init = "fitting";
};

Tensor activate(const std::string& activation, const Tensor& x) {
  if (activation == "sigmoid") return sigmoid(x);
  if (activation == "tanh") return tanh(x);
  if (activation == "relu") return relu(x);
  return x;  // none
}

/// The weight of a layer, (out, in), before training.
Tensor initial_weight(const std::string& init, const std::string& activation, const Shape& shape) {
  if (init == "zeros") return zeros(shape);
  if (init == "small") return normal(shape, 0, 0.01);
  if (init == "large") return normal(shape, 0, 2);
  if (init == "kaiming" || (init == "fitting" && activation == "relu"))
    return init::kaiming_normal(shape);
  return init::xavier_normal(shape);
}

struct SpiralNet : Module {
  explicit SpiralNet(const Settings& s) : activation(s.activation) {
    for (int64_t i = 0; i <= s.layers; ++i) {
      const int64_t in = i == 0 ? 2 : s.hidden, out = i == s.layers ? 1 : s.hidden;
      layers.push_back(&add<Linear>(fmt::format("layers.{}", i), in, out));
      NoGrad guard;
      raw::copy_(layers.back()->weight, initial_weight(s.init, activation, {out, in}));
      raw::fill_(layers.back()->bias, 0);
    }
  }
  /// x (N, 2) -> (N, 1). Appends the output of each hidden layer to `hidden_outputs`, if given.
  Tensor operator()(Tensor x, std::vector<Tensor>* hidden_outputs = nullptr) const {
    for (size_t i = 0; i + 1 < layers.size(); ++i) {
      x = activate(activation, (*layers[i])(x));
      if (hidden_outputs != nullptr) hidden_outputs->push_back(x);
    }
    return (*layers.back())(x);
  }
  std::string activation;
  std::vector<Linear*> layers;
};

/// (N, 1): -1 for the first arm, 1 for the second.
Tensor targets(const Dataset& data) { return to(reshape(data.y, {-1, 1}), F32) * 2.0 - 1.0; }

double accuracy(const SpiralNet& model, const Dataset& data) {
  NoGrad guard;
  return mean(to(eq(model(data.x) > 0, targets(data) > 0), F32)).item();
}

double standard_deviation(const Tensor& x) { return std::sqrt(var(x).item()); }

/// Before training: how strong is the signal after each layer, and the gradient of its weight?
void show_initialisations(const Settings& s, const Dataset& data) {
  fmt::print(
      "\nThe standard deviation after each hidden layer (and of its weight's gradient), "
      "{}, untrained\n",
      s.activation);
  std::vector<std::string> header = {"weights"};
  for (int64_t i = 0; i < s.layers; ++i) header.push_back(fmt::format("layer {}", i + 1));
  Table table(header);
  for (const char* init : {"zeros", "small", "xavier", "kaiming", "large"}) {
    Settings variant = s;
    variant.init = init;
    const SpiralNet model(variant);
    std::vector<Tensor> signals;
    backward(mse_loss(model(data.x, &signals), targets(data)));
    std::vector<std::string> row = {init};
    for (size_t i = 0; i < signals.size(); ++i)
      row.push_back(fmt::format("{:.4f} ({:.0e})", standard_deviation(signals[i]),
                                standard_deviation(model.layers[i]->weight.grad())));
    table.row(row);
  }
  fmt::print("{}\n", table.text());
}

/// The network's answer over the plane, and the points.
Panel picture(const SpiralNet& model, const Dataset& data, int64_t step) {
  NoGrad guard;
  constexpr int64_t kCells = 100;  // per side
  Grid answer{-1.25, 1.25, -1.25, 1.25, kCells, kCells, {}};
  std::vector<float> centres;  // of the cells: x, y, x, y, …
  for (int64_t row = 0; row < kCells; ++row)
    for (int64_t column = 0; column < kCells; ++column)
      centres.insert(centres.end(), {float(answer.x(column)), float(answer.y(row))});
  answer.values = clamp(model(tensor(centres, {kCells * kCells, 2})), -1, 1).to_vector<double>();
  Panel panel({.title = fmt::format("step {}: {:.1f} %", step, 100 * accuracy(model, data))});
  return panel.heat(answer, Colors::Diverging)
      .contour(answer, {0})
      .points_by_class(data.classes, data.y.to_vector<int64_t>(),
                       raw::select(data.x, 1, 0).to_vector<double>(),
                       raw::select(data.x, 1, 1).to_vector<double>());
}

struct Training {
  std::vector<double> loss;
  std::vector<Panel> pictures;
};

/// Every step uses all points. Adam (example 06) scales each weight's steps by its past gradients.
Training train(const SpiralNet& model, const Dataset& data, const Settings& s, bool draw) {
  Training out;
  if (draw) out.pictures.push_back(picture(model, data, 0));
  const Tensor t = targets(data);
  Adam optimizer(model.parameters(), s.rate);
  Progress bar(s.activation, s.steps);
  for (int64_t step = 1; step <= s.steps; ++step) {
    optimizer.lr = s.rate * (1 - double(step - 1) / double(s.steps));
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(data.x), t);
    backward(loss);
    optimizer.step();
    for (const int64_t part : {32, 16, 8, 4, 1})
      if (draw && step == s.steps / part) out.pictures.push_back(picture(model, data, step));
    out.loss.push_back(loss.item());
    bar.step("loss {:.4f}", out.loss.back());
  }
  return out;
}

int lesson(Example& app) {
  Settings s;
  int64_t points = 200;
  double turns = 1.5, noise = 0.02;
  app.option("--hidden", s.hidden, "units per hidden layer", {.min = 1, .max = 4096});
  app.option("--layers", s.layers, "hidden layers", {.min = 1, .max = 100});
  app.option("--steps", s.steps, "training steps", {.fast = 400, .min = 1});
  app.option("--rate", s.rate, "learning rate at the start; it falls to 0", {.min = 0});
  app.choice("--activation", s.activation, {"sigmoid", "tanh", "relu", "none"},
             "the activation function f");
  app.choice("--init", s.init, {"fitting", "zeros", "small", "xavier", "kaiming", "large"},
             "how the weights start; fitting: Xavier, or Kaiming for ReLU");
  app.option("--points", points, "points per spiral", {.min = 2, .max = 1000000});
  app.option("--turns", turns, "turns of a spiral", {.min = 0});
  app.option("--noise", noise, "how far points stray from their spiral", {.min = 0});
  app.parse();

  const Dataset data = spirals(points, 2, turns, noise, app.seed());
  const Dataset held_out = spirals(points, 2, turns, noise, app.seed() + 1);  // other noise
  SpiralNet model(s);
  fmt::print("two spirals of {} points; {} numbers to learn\n{}", points, model.num_parameters(),
             model.summary());
  show_initialisations(s, data);

  const Training training = train(model, data, s, true);
  const double score = accuracy(model, held_out);
  save_plot(app.out("boundary"), training.pictures, 3);

  Panel curves({.title = "Mean squared error", .x = "step", .y = "loss", .log_y = true});
  Table plateau({"activation", "steps until the loss is below 0.5"});
  const auto add = [&](const std::string& activation, const std::vector<double>& loss) {
    const auto below = std::find_if(loss.begin(), loss.end(), [](double l) { return l < 0.5; });
    plateau.row(
        {activation, below == loss.end() ? "never" : std::to_string(below - loss.begin() + 1)});
    curves.line(activation, loss);
  };
  add(s.activation, training.loss);
  for (const char* other : {"sigmoid", "tanh", "relu"}) {
    if (other == s.activation) continue;
    Settings variant = s;
    variant.activation = other;
    add(other, train(SpiralNet(variant), data, variant, false).loss);
  }
  fmt::print("\n{}\n", plateau.text());
  save_plot(app.out("loss"), {curves});
  app.verdict(score >= 0.98, fmt::format("accuracy on new points {:.4f} >= 0.98", score));
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "04_mlp", "layers, activation functions, and how weights start", lesson);
}
