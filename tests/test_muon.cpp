// Muon against PyTorch's numbers, against plain loops in double, and in what it promises: singular
// values near 1. Several optimizers as one.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "optim/muon.h"
#include "tests/compare.h"

using namespace gradus;
using nlohmann::json;

namespace {

Tensor wave(const Shape& shape, double scale) {
  return reshape(sin(arange(0, static_cast<double>(shape.numel()), 1, F64) * scale) * 0.8, shape);
}

/// The problem of muon() in golden/optimizers.py.
struct Problem {
  Tensor w = wave({2, 3}, 1.3).set_requires_grad(), u = wave({3, 2}, 2.1).set_requires_grad();
  Tensor x = wave({4, 2}, 0.7), t = wave({4, 2}, 1.9);
  void differentiate() const {
    w.zero_grad();
    u.zero_grad();
    backward(sum(square(matmul(tanh(matmul(x, w)), u) - t)));
  }
  std::vector<double> values() const {
    return cat({flatten(w.detach()), flatten(u.detach())}, 0).to_vector<double>();
  }
};

MuonOptions options_of(const json& o) {
  MuonOptions m{.weight_decay = o.value("weight_decay", 0.1),
                .momentum = o.value("momentum", 0.95),
                .nesterov = o.value("nesterov", true),
                .ns_steps = o.value("ns_steps", int64_t{5})};
  if (o.contains("ns_coefficients"))
    m.ns_coefficients = o["ns_coefficients"].get<std::array<double, 3>>();
  if (o.value("adjust_lr_fn", "original") == "match_rms_adamw")
    m.adjust_lr_fn = AdjustLr::MatchRmsAdamw;
  return m;
}

/// A matrix in double, and Muon's step on it in plain loops.
struct Plain {
  int64_t rows, columns;
  std::vector<double> p, buffer;

  static std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b,
                                     int64_t m, int64_t k, int64_t n) {
    std::vector<double> out(static_cast<size_t>(m * n));
    for (int64_t i = 0; i < m; ++i)
      for (int64_t l = 0; l < k; ++l)
        for (int64_t j = 0; j < n; ++j) out[i * n + j] += a[i * k + l] * b[l * n + j];
    return out;
  }
  static std::vector<double> transposed(const std::vector<double>& a, int64_t m, int64_t n) {
    std::vector<double> out(a.size());
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) out[j * m + i] = a[i * n + j];
    return out;
  }

  void step(const std::vector<double>& g, double lr, const MuonOptions& o) {
    std::vector<double> x(g.size());
    double squares = 0;
    for (size_t i = 0; i < g.size(); ++i) {
      buffer[i] = o.momentum * buffer[i] + g[i];
      x[i] = o.nesterov ? g[i] + o.momentum * buffer[i] : buffer[i];
      squares += x[i] * x[i];
    }
    for (double& v : x) v /= std::sqrt(squares);
    const auto [a, b, c] = o.ns_coefficients;
    for (int64_t step = 0; step < o.ns_steps; ++step) {  // always X X^T, whatever the shape
      const auto s = product(x, transposed(x, rows, columns), rows, columns, rows);
      auto polynomial = product(s, s, rows, rows, rows);
      for (size_t i = 0; i < s.size(); ++i) polynomial[i] = b * s[i] + c * polynomial[i];
      const auto turned = product(polynomial, x, rows, rows, columns);
      for (size_t i = 0; i < x.size(); ++i) x[i] = a * x[i] + turned[i];
    }
    const double r = static_cast<double>(rows), n = static_cast<double>(columns);
    const double adjust = o.adjust_lr_fn == AdjustLr::Original ? std::max(1.0, std::sqrt(r / n))
                                                               : 0.2 * std::sqrt(std::max(r, n));
    for (size_t i = 0; i < p.size(); ++i)
      p[i] = (1 - lr * o.weight_decay) * p[i] - lr * adjust * x[i];
  }
};

/// I - 2 v v^T for a unit vector v: orthogonal, and with no zeros.
Tensor reflection(int64_t n) {
  const Tensor v = randn({n, 1}, F64);
  return eye(n, F64) - 2 * matmul(v, t(v)) / sum(square(v));
}

}  // namespace

TEST_CASE("muon: ten steps equal PyTorch's") {
  std::ifstream in(std::filesystem::path(__FILE__).parent_path() / "golden/optimizers.json");
  const json golden = json::parse(in)["muon"];
  CHECK(golden.size() == 3);
  for (const json& c : golden) {
    CAPTURE(c["options"].dump());
    const Problem problem;
    Muon opt({problem.w, problem.u}, c["options"]["lr"].get<double>(), options_of(c["options"]));
    for (const json& expected : c["steps"]) {
      problem.differentiate();
      opt.step();
      const auto got = problem.values();
      REQUIRE(got.size() == expected.size());
      for (size_t i = 0; i < got.size(); ++i)
        CHECK(got[i] == doctest::Approx(expected[i].get<double>()).epsilon(1e-9));
    }
  }
}

TEST_CASE("muon: matrices of any shape, as plain loops in double step them") {
  manual_seed(4);
  const MuonOptions options{.weight_decay = 0.2, .adjust_lr_fn = AdjustLr::MatchRmsAdamw};
  const double lr = 0.03;
  const std::vector<std::pair<Shape, DType>> kinds = {{{5, 9}, F32}, {{9, 5}, F32}, {{5, 9}, F32},
                                                      {{7, 7}, F64}, {{9, 5}, F64}, {{1, 4}, F64},
                                                      {{4, 1}, F32}, {{9, 5}, F32}, {{7, 7}, F64}};
  std::vector<Tensor> params;
  std::vector<Plain> plain;
  for (const auto& [shape, dtype] : kinds) {
    params.push_back(randn(shape, dtype).set_requires_grad());
    const auto values = params.back().to_vector<double>();
    plain.push_back({shape[0], shape[1], values, std::vector<double>(values.size())});
  }
  Muon opt(params, lr, options);
  for (int step = 0; step < 3; ++step) {
    for (size_t i = 0; i < params.size(); ++i) {
      const Tensor g = randn(params[i].shape(), params[i].dtype());
      params[i].set_grad(g);
      plain[i].step(g.to_vector<double>(), lr, options);
    }
    opt.step();
  }
  for (size_t i = 0; i < params.size(); ++i) {
    CAPTURE(i);
    const Tensor expected = tensor<double>(plain[i].p, params[i].shape());
    CHECK(max_difference(to(params[i].detach(), F64), expected) <
          (params[i].dtype() == F32 ? 1e-5 : 1e-12));
  }
}

TEST_CASE("muon: singular values become nearly 1, and the singular vectors stay") {
  manual_seed(5);
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{6, 6}, {6, 11}, {11, 6}}) {
    CAPTURE(rows);
    CAPTURE(columns);
    const Tensor u = reflection(rows), v = reflection(columns);
    Tensor s = zeros({rows, columns}, F64);
    const std::vector<double> values = {1, 0.7, 0.4, 0.2, 0.05, 0.02};
    for (int64_t i = 0; i < 6; ++i) raw::fill_(select(select(s, 0, i), 0, i), values[i]);
    const Tensor g = matmul(matmul(u, s), t(v)) * 1e3;  // its size does not matter
    const Tensor o = orthogonalized(g);
    const Tensor inside = matmul(matmul(t(u), o), v);  // u and v are symmetric
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        const double x = select(select(inside, 0, i), 0, j).item();
        if (i == j)
          CHECK((x > 0.68 && x < 1.14));
        else
          CHECK(std::abs(x) < 1e-12);
      }
    // Coefficients whose polynomial has its fixed point at 1, and more steps, leave UV^T itself.
    const Tensor exact = orthogonalized(g, {.ns_coefficients = {2, -1.5, 0.5}, .ns_steps = 20});
    const Tensor gram = rows <= columns ? matmul(exact, t(exact)) : matmul(t(exact), exact);
    CHECK(max_difference(gram, eye(6, F64)) < 1e-12);
  }
}

TEST_CASE("muon: match_rms_adamw moves an element as far as AdamW's first steps do") {
  manual_seed(6);
  Tensor p = zeros({24, 96}).set_requires_grad();
  Muon opt({p}, 0.01, {.adjust_lr_fn = AdjustLr::MatchRmsAdamw});
  p.set_grad(randn({24, 96}));
  opt.step();
  const double rms = std::sqrt(mean(square(p.detach())).item());
  CHECK(rms == doctest::Approx(0.2 * 0.01).epsilon(0.25));
}

TEST_CASE("muon: no gradient, a gradient of 0, no elements") {
  Tensor still = ones({2, 3}).set_requires_grad(), idle = ones({2, 3}).set_requires_grad(),
         empty = zeros({0, 3}).set_requires_grad();
  Muon opt({still, idle, empty}, 0.1, {.weight_decay = 0.5});
  still.set_grad(zeros({2, 3}));
  empty.set_grad(zeros({0, 3}));
  opt.step();
  CHECK(max_difference(still, full({2, 3}, 0.95)) < 1e-7);
  CHECK(max_difference(idle, ones({2, 3})) == 0);
}

TEST_CASE("muon: what it refuses") {
  Tensor w = zeros({2, 3}).set_requires_grad(), b = zeros({3}).set_requires_grad();
  CHECK_THROWS_WITH_AS(Muon({w, b}, 0.1), doctest::Contains("(3,) is not a matrix"), ValueError);
  CHECK_THROWS_AS(Muon({w}, 0.1, {.momentum = -1}), ValueError);
  CHECK_THROWS_AS(Muon({w}, 0.1, {.eps = 0}), ValueError);
  CHECK_THROWS_AS(Muon({w}, 0.1, {.ns_steps = -1}), ValueError);
  CHECK_THROWS_AS(Muon({w}, 0.1, {.ns_steps = 100}), ValueError);
  CHECK_THROWS_AS(Muon({w}, -0.1), ValueError);
  CHECK_THROWS_AS(orthogonalized(b), ShapeError);
}

TEST_CASE("optimizers: two as one, resumed from a state, go on bit for bit") {
  const auto step = [](const Problem& p, Optimizers& both) {
    p.differentiate();
    both.step();
  };
  const Problem a, b;
  Muon a_w({a.w}, 0.02), b_w({b.w}, 0.5);
  AdamW a_u({a.u}, 0.03), b_u({b.u}, 0.5);
  Optimizers first{a_w, a_u}, second{b_w, b_u};
  for (int i = 0; i < 3; ++i) step(a, first);
  raw::copy_(b.w, a.w);
  raw::copy_(b.u, a.u);
  second.load_state_dict(first.state_dict());
  CHECK(b_w.lr == 0.02);
  CHECK(b_u.lr == 0.03);
  for (int i = 0; i < 3; ++i) {
    step(a, first);
    step(b, second);
  }
  CHECK(a.values() == b.values());
  second.zero_grad();
  CHECK_FALSE(b.w.grad().defined());
  CHECK_FALSE(b.u.grad().defined());
  std::vector<std::string> names;
  for (const auto& [name, _] : first.state_dict()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"0/Muon.lr", "0/0.step", "0/0.momentum_buffer",
                                          "1/AdamW.lr", "1/0.step", "1/0.exp_avg",
                                          "1/0.exp_avg_sq"});
  CHECK(Optimizers(a_w).state_dict()[0].first == "Muon.lr");  // one alone keeps its names
  Optimizers(a_w).load_state_dict(a_w.state_dict());
}

TEST_CASE("optimizers: two as one refuse a state as a whole") {
  const Problem a;
  Muon muon({a.w}, 0.02);
  AdamW adamw({a.u}, 0.03);
  Optimizers both{muon, adamw};
  a.differentiate();
  both.step();
  const auto values_of = [](const NamedTensors& state) {
    std::vector<std::vector<double>> values;
    for (const auto& [_, x] : state) values.push_back(x.to_vector<double>());
    return values;
  };
  NamedTensors other;
  for (const auto& [name, x] : both.state_dict()) other.emplace_back(name, x * 1.0 + 1.0);
  const auto before = values_of(both.state_dict());
  NamedTensors damaged = other, foreign = other;
  damaged.pop_back();
  CHECK_THROWS_WITH_AS(both.load_state_dict(damaged), doctest::Contains("missing: 0.exp_avg_sq"),
                       ValueError);
  CHECK(values_of(both.state_dict()) == before);
  foreign.emplace_back("2/SGD.lr", full({}, 1, F64));
  CHECK_THROWS_WITH_AS(both.load_state_dict(foreign), doctest::Contains("unexpected: 2/SGD.lr"),
                       ValueError);
  CHECK_THROWS_AS(both.load_state_dict(muon.state_dict()), ValueError);
  CHECK(values_of(both.state_dict()) == before);
  CHECK_THROWS_AS((Optimizers{}), ValueError);
  AdamW again({a.w, a.u}, 0.1);
  CHECK_THROWS_WITH_AS((Optimizers{muon, again}), doctest::Contains("(2, 3) is in two"),
                       ValueError);
}
