// Optimizers, schedules and clipping against PyTorch's own numbers (tests/golden/optimizers.py),
// and what they refuse.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "nn/layers.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "tests/compare.h"

using namespace gradus;
using nlohmann::json;

namespace {

const json& golden() {
  static const json g = [] {
    const auto path = std::filesystem::path(__FILE__).parent_path() / "golden/optimizers.json";
    std::ifstream in(path);
    if (!in) throw IoError("tests/golden/optimizers.json is missing; run the tests from the top");
    return json::parse(in);
  }();
  return g;
}

Tensor wave(const Shape& shape, double scale) {
  return reshape(sin(arange(0, static_cast<double>(shape.numel()), 1, F64) * scale) * 0.8, shape);
}

/// The problem of golden/optimizers.py.
struct Problem {
  Tensor w = wave({2, 3}, 1.3).set_requires_grad(), b = wave({3}, 2.1).set_requires_grad();
  Tensor x = wave({4, 2}, 0.7), t = wave({4, 3}, 1.9);
  void differentiate() const {
    w.zero_grad();
    b.zero_grad();
    backward(sum(square(tanh(matmul(x, w) + b) - t)));
  }
  static std::vector<double> joined(const Tensor& a, const Tensor& c) {
    auto out = a.to_vector<double>();
    for (double v : c.to_vector<double>()) out.push_back(v);
    return out;
  }
  std::vector<double> values() const { return joined(w, b); }
  std::vector<double> grads() const { return joined(w.grad(), b.grad()); }
};

void check_close(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - expected[i]) <= 1e-6 * std::abs(expected[i]) + 1e-12);
  }
}

std::unique_ptr<Optimizer> make(const std::string& name, const json& o, std::vector<Tensor> p) {
  const auto get = [&](const char* key, double otherwise) { return o.value(key, otherwise); };
  const double lr = o.at("lr");
  if (name == "SGD")
    return std::make_unique<SGD>(std::move(p), lr,
                                 SgdOptions{.momentum = get("momentum", 0),
                                            .dampening = get("dampening", 0),
                                            .weight_decay = get("weight_decay", 0),
                                            .nesterov = o.value("nesterov", false)});
  if (name == "RMSprop")
    return std::make_unique<RMSprop>(std::move(p), lr,
                                     RmspropOptions{.alpha = get("alpha", 0.99),
                                                    .eps = get("eps", 1e-8),
                                                    .weight_decay = get("weight_decay", 0),
                                                    .momentum = get("momentum", 0)});
  const auto betas = o.value("betas", std::vector<double>{0.9, 0.999});
  AdamOptions adam{.beta1 = betas[0], .beta2 = betas[1], .eps = get("eps", 1e-8)};
  adam.weight_decay = get("weight_decay", name == "AdamW" ? 0.01 : 0);
  if (name == "AdamW") return std::make_unique<AdamW>(std::move(p), lr, adam);
  return std::make_unique<Adam>(std::move(p), lr, adam);
}

}  // namespace

TEST_CASE("decay_groups: matrices decay, biases and norms do not") {
  const Linear l(3, 2);
  const LayerNorm norm(2);
  AdamW opt(decay_groups({l.weight, l.bias, norm.weight}, 0.5), 0.1);
  const Tensor weight = raw::clone(l.weight), bias = raw::clone(l.bias);
  for (const Tensor& p : {l.weight, l.bias, norm.weight}) p.set_grad(zeros(p.shape()));
  opt.step();  // of gradient 0: what is left is p -= lr wd p
  CHECK(max_difference(l.weight, raw::unary(scalar::MulScalar{0.95}, weight)) < 1e-7);
  CHECK(max_difference(l.bias, bias) == 0);
  CHECK(max_difference(norm.weight, ones({2})) == 0);
  CHECK(decay_groups({l.bias}, 0.5).size() == 1);
  CHECK_THROWS_AS(decay_groups({Tensor()}, 0.5), ValueError);
}

TEST_CASE("optimizers: ten steps of each equal PyTorch's") {
  CHECK(golden()["optimizers"].size() == 12);
  for (const json& c : golden()["optimizers"]) {
    CAPTURE(c["name"].get<std::string>());
    CAPTURE(c["options"].dump());
    const Problem problem;
    const auto opt = make(c["name"], c["options"], {problem.w, problem.b});
    for (const json& expected : c["steps"]) {
      problem.differentiate();
      opt->step();
      check_close(problem.values(), expected);
    }
  }
}

TEST_CASE("optimizers: the defaults are PyTorch's") {
  for (const json& c : golden()["optimizers"])
    if (c["options"] == json{{"lr", 0.02}}) {
      const Problem problem;
      std::unique_ptr<Optimizer> opt;
      if (c["name"] == "Adam")
        opt = std::make_unique<Adam>(std::vector{problem.w, problem.b}, 0.02);
      else
        opt = std::make_unique<AdamW>(std::vector{problem.w, problem.b}, 0.02);
      problem.differentiate();
      opt->step();
      check_close(problem.values(), c["steps"][0]);
    }
}

TEST_CASE("optimizers: groups have their own decay and rate") {
  const Problem problem;
  AdamW opt({{.params = {problem.w}, .weight_decay = 0.3},
             {.params = {problem.b}, .weight_decay = 0.0, .lr_scale = 0.5}},
            0.02);
  for (const json& expected : golden()["groups"]) {
    problem.differentiate();
    opt.step();
    check_close(problem.values(), expected);
  }
}

TEST_CASE("schedules: PyTorch's rates, step by step") {
  const auto check_rates = [](const char* name, const auto& schedule) {
    CAPTURE(name);
    const auto expected = golden()["schedules"].at(name).get<std::vector<double>>();
    std::vector<double> got;
    for (size_t s = 0; s < expected.size(); ++s) got.push_back(schedule(static_cast<int64_t>(s)));
    check_close(got, expected);
  };
  check_rates("step", StepLr{.peak = 0.5, .factor = 0.3, .every = 7});
  check_rates("cosine", CosineLr{.peak = 0.5, .floor = 0.05, .total = 20});
  check_rates("linear", LinearLr{.peak = 0.5, .floor = 0.05, .total = 20});
  check_rates("warm_constant", ConstantLr{.peak = 0.5, .warmup = 5});
  check_rates("warm_cosine", CosineLr{.peak = 0.5, .floor = 0.05, .warmup = 5, .total = 25});
  const CosineLr schedule{.peak = 1, .floor = 0.1, .warmup = 3, .total = 9};
  CHECK(schedule(3) == 1);
  CHECK(schedule(9) == doctest::Approx(0.1));
  CHECK(schedule(1000) == doctest::Approx(0.1));
  CHECK(LinearLr{.peak = 1, .warmup = 9, .total = 9}(9) == 1);  // no decay left: no division by 0
  CHECK_THROWS_AS((CosineLr{.peak = 1, .warmup = 10, .total = 9}(0)), ValueError);
  CHECK_THROWS_AS((LinearLr{.peak = 1, .warmup = -1, .total = 9}(0)), ValueError);
  CHECK_THROWS_AS((CosineLr{.peak = 1, .total = -9}(0)), ValueError);
  CHECK_THROWS_AS((ConstantLr{.peak = 1, .warmup = -1}(0)), ValueError);
}

TEST_CASE("clipping: PyTorch's norms and gradients") {
  for (const json& c : golden()["clipping"]["norm"]) {
    const Problem problem;
    problem.differentiate();
    CHECK(clip_grad_norm({problem.w, problem.b}, c["max_norm"]) ==
          doctest::Approx(c["norm"].get<double>()).epsilon(1e-9));
    check_close(problem.grads(), c["grads"]);
  }
  const Problem problem;
  problem.differentiate();
  clip_grad_value({problem.w, problem.b}, golden()["clipping"]["value"]["limit"]);
  check_close(problem.grads(), golden()["clipping"]["value"]["grads"]);
}

TEST_CASE("clipping: a gradient that is not finite is named, and none is changed") {
  Tensor a = zeros({2}).set_requires_grad(), b = zeros({2, 3}).set_requires_grad();
  Tensor none = zeros({4}).set_requires_grad();
  a.set_grad(full({2}, 7));
  b.set_grad(full({2, 3}, INFINITY));
  CHECK_THROWS_WITH_AS(clip_grad_norm({a, none, b}, 1), doctest::Contains("parameter 2 (2, 3)"),
                       GradError);
  CHECK(std::isinf(clip_grad_norm({a, none, b}, 1, false)));
  CHECK(a.grad().to_vector() == std::vector<float>{7, 7});
  CHECK_THROWS_AS(clip_grad_norm({a}, 0), ValueError);
  CHECK_THROWS_AS(clip_grad_value({a}, -1), ValueError);
  CHECK(clip_grad_norm({none}, 1) == 0);
  a.set_grad(full({2}, 3e25));  // whose square does not fit a float
  CHECK(clip_grad_norm({a}, 1) == doctest::Approx(3e25 * std::sqrt(2.0)));
  CHECK(max(a.grad()).item() == doctest::Approx(std::sqrt(0.5)));
}

TEST_CASE("clipping: gradients of two dtypes, with gaps, or shared") {
  Tensor a = zeros({2, 2}).set_requires_grad(), b = zeros({3}, F64).set_requires_grad();
  Tensor c = zeros({2}).set_requires_grad(), d = zeros({2}).set_requires_grad();
  a.set_grad(raw::transpose(tensor<float>({1, 2, 3, 4}, {2, 2}), 0, 1));
  b.set_grad(tensor<double>({5, 6, 7}));
  const Tensor shared = tensor<float>({8, 9});
  c.set_grad(shared);
  d.set_grad(shared);
  const double norm = std::sqrt(1 + 4 + 9 + 16 + 25 + 36 + 49 + 64 + 81);
  CHECK(clip_grad_norm({a, b, c, d}, norm / 2) == doctest::Approx(norm));
  const auto check_halved = [](const Tensor& g, const std::vector<double>& before) {
    const auto now = g.to_vector<double>();
    REQUIRE(now.size() == before.size());
    for (size_t i = 0; i < now.size(); ++i) CHECK(now[i] == doctest::Approx(before[i] / 2));
  };
  check_halved(a.grad(), {1, 3, 2, 4});
  check_halved(b.grad(), {5, 6, 7});
  check_halved(shared, {8, 9});
  clip_grad_value({a, b, c, d}, 1);
  CHECK(max(a.grad()).item() == 1);
  CHECK(b.grad().to_vector<double>() == std::vector<double>{1, 1, 1});
  CHECK(shared.to_vector() == std::vector<float>{1, 1});
}

TEST_CASE("optimizers: one that rested, and other dtypes, keep their own counts") {
  const Problem together, alone;
  Tensor w = raw::to(together.w.detach(), F32).set_requires_grad();
  Adam all({together.w, w, together.b}, 0.02), only_w({alone.w}, 0.02), only_b({alone.b}, 0.02);
  for (int step = 0; step < 5; ++step) {
    together.differentiate();
    alone.differentiate();
    w.set_grad(raw::to(together.w.grad(), F32));
    if (step == 2) {
      together.b.zero_grad();
      all.step();
      only_w.step();
    } else {
      all.step();
      only_w.step();
      only_b.step();
    }
    CHECK(together.values() == alone.values());
    CHECK(max_difference(raw::to(w, F64), together.w.detach()) < 1e-5);
  }
}

namespace {

/// A step of a good parameter and of this one throws E, and does not change the good one.
template <class E>
void check_refused(const raw::Parameter& bad, const char* part) {
  const Tensor p = ones({2, 3});
  const std::vector<raw::Parameter> both{{p, ones({2, 3}), {zeros({2, 3})}}, bad};
  CHECK_THROWS_WITH_AS(raw::sgd_({1, 0.5, 0, 0, false, false}, both), doctest::Contains(part), E);
  CHECK(min(p).item() == 1);
}

}  // namespace

TEST_CASE("raw optimizers: a gradient or a state that does not match is refused") {
  const Tensor x = ones({2, 3}), integers = ones({2, 3}, I64);
  const Tensor gaps = raw::transpose(ones({3, 2}), 0, 1);
  check_refused<ShapeError>({x, ones({3, 2}), {x}}, "SGD: a gradient (3, 2)");
  check_refused<ShapeError>({x, x, {ones({6})}}, "SGD: a state (6,)");
  check_refused<DTypeError>({x, ones({2, 3}, F64), {x}}, "SGD: a gradient of float64");
  check_refused<DTypeError>({integers, integers, {integers}}, "SGD: tensor 1 (2, 3) is int64");
  check_refused<ValueError>({gaps, x, {x}}, "SGD: a parameter (2, 3)");
  check_refused<ValueError>({x, x, {gaps}}, "SGD: a state (2, 3)");
  check_refused<ValueError>({x, x, {}}, "SGD: 0 states");
}

TEST_CASE("optimizers: what they refuse") {
  Tensor w = zeros({2, 3}).set_requires_grad(), frozen = zeros({3});
  CHECK_THROWS_AS(SGD(std::vector<Tensor>{}, 0.1), ValueError);
  CHECK_THROWS_AS(SGD({w}, -0.1), ValueError);
  CHECK_THROWS_AS(SGD({w}, NAN), ValueError);
  CHECK_THROWS_AS(SGD({w, w}, 0.1), ValueError);
  CHECK_THROWS_AS(SGD({frozen}, 0.1), GradError);
  CHECK_THROWS_AS(SGD({tensor<int64_t>({1})}, 0.1), GradError);
  CHECK_THROWS_AS(SGD({Tensor()}, 0.1), ValueError);
  CHECK_THROWS_AS(SGD({w * 2.0}, 0.1), GradError);
  CHECK_THROWS_AS(SGD({raw::transpose(w, 0, 1).set_requires_grad()}, 0.1), ValueError);
  CHECK_THROWS_AS(SGD({w}, 0.1, {.nesterov = true}), ValueError);
  CHECK_THROWS_AS(SGD({w}, 0.1, {.weight_decay = -1}), ValueError);
  CHECK_THROWS_AS(Adam({w}, 0.1, {.beta1 = 1}), ValueError);
  CHECK_THROWS_AS(Adam({w}, 0.1, {.eps = -1}), ValueError);
  CHECK_THROWS_AS(RMSprop({w}, 0.1, {.alpha = 1.5}), ValueError);
  SGD opt({w}, 0.1);
  opt.lr = NAN;
  CHECK_THROWS_AS(opt.step(), ValueError);
}

TEST_CASE("optimizers: a parameter without a gradient rests; a strided gradient is used in order") {
  Tensor w = zeros({2, 3}, F64).set_requires_grad(), idle = ones({2}, F64).set_requires_grad();
  AdamW opt({w, idle}, 0.1);
  SGD plain({w}, 1);
  w.set_grad(raw::transpose(tensor<double>({1, 2, 3, 4, 5, 6}, {3, 2}), 0, 1));
  plain.step();
  CHECK(w.to_vector<double>() == std::vector<double>{-1, -3, -5, -2, -4, -6});
  opt.step();
  CHECK(idle.to_vector<double>() == std::vector<double>{1, 1});
  CHECK(opt.state_dict().size() == 1 + 3);
  opt.zero_grad();
  CHECK_FALSE(w.grad().defined());
  const auto before = w.to_vector<double>();
  opt.step();
  CHECK(w.to_vector<double>() == before);
}

TEST_CASE("optimizers: the state moves to another one, and no other kind takes it") {
  const Problem a, b;
  Adam first({a.w, a.b}, 0.02), second({b.w, b.b}, 0.5);
  const auto step = [](const Problem& p, Optimizer& opt) {
    p.differentiate();
    opt.step();
  };
  for (int i = 0; i < 3; ++i) step(a, first);
  raw::copy_(b.w, a.w);
  raw::copy_(b.b, a.b);
  second.load_state_dict(first.state_dict());
  CHECK(second.lr == 0.02);
  for (int i = 0; i < 3; ++i) {
    step(a, first);
    step(b, second);
  }
  CHECK(a.values() == b.values());

  SGD sgd({a.w, a.b}, 0.1, {.momentum = 0.9});
  CHECK_THROWS_WITH_AS(sgd.load_state_dict(first.state_dict()),
                       doctest::Contains("missing: 0.momentum_buffer"), ValueError);
  Adam fewer({a.w}, 0.1), swapped({a.b, a.w}, 0.1);
  CHECK_THROWS_WITH_AS(fewer.load_state_dict(first.state_dict()),
                       doctest::Contains("unexpected: 1.step"), ValueError);
  CHECK_THROWS_WITH_AS(swapped.load_state_dict(first.state_dict()),
                       doctest::Contains("0.exp_avg: float64 (3,) here, float64 (2, 3)"),
                       ValueError);
  CHECK(fewer.lr == 0.1);
  AdamW decoupled({a.w, a.b}, 0.1);
  CHECK_THROWS_WITH_AS(decoupled.load_state_dict(first.state_dict()),
                       doctest::Contains("missing: AdamW.lr"), ValueError);
  CHECK_THROWS_WITH_AS(first.load_state_dict(decoupled.state_dict()),
                       doctest::Contains("unexpected: AdamW.lr"), ValueError);
}

TEST_CASE("optimizers: a state that makes no sense is refused, and nothing has changed") {
  const Problem p;
  Adam adam({p.w, p.b}, 0.02);
  RMSprop rms({p.w, p.b}, 0.02);
  p.differentiate();
  for (Optimizer* opt : std::initializer_list<Optimizer*>{&adam, &rms}) {
    opt->step();
    NamedTensors good;
    for (const auto& [name, x] : opt->state_dict()) good.emplace_back(name, raw::clone(x));
    const auto refuses = [&](const std::string& name, const Tensor& x, const char* part) {
      NamedTensors bad = good;
      for (auto& [key, value] : bad)
        if (key == name) value = x;
      CHECK_THROWS_WITH_AS(opt->load_state_dict(bad), doctest::Contains(part), ValueError);
      for (size_t i = 0; i < good.size(); ++i)
        CHECK(opt->state_dict()[i].second.to_vector<double>() ==
              good[i].second.to_vector<double>());
    };
    for (const int64_t step : {INT64_MAX, INT64_MIN, int64_t{-1}, int64_t{0}})
      refuses("0.step", tensor<int64_t>({step}, {}), "0.step: ");
    const char* square = opt == &adam ? "0.exp_avg_sq" : "0.square_avg";
    Tensor negative = zeros_like(p.w);
    raw::fill_(raw::select(negative, 0, 0), -1e-30);
    refuses(square, negative, "a mean of squares is negative");
    refuses(square, Tensor(), "undefined");
    refuses(opt == &adam ? "Adam.lr" : "RMSprop.lr", full({}, -1, F64), "learning rate");
    NamedTensors twice = good;
    twice.push_back(good.back());
    CHECK_THROWS_WITH_AS(opt->load_state_dict(twice), doctest::Contains("given twice: 1."),
                         ValueError);
    NamedTensors diverged = good;
    for (auto& [name, x] : diverged)
      if (name == square) x = full(x.shape(), NAN, x.dtype());
    opt->load_state_dict(diverged);
    opt->load_state_dict(good);
  }
}
