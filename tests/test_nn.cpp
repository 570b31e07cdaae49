// Modules and layers: names, ties, moves, saving and loading state, the cache of attention.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "nn/nn.h"
#include "optim/optimizer.h"
#include "tests/compare.h"

using namespace gradus;

namespace {

struct TwoLayers : Module {
  explicit TwoLayers(int64_t hidden)
      : fc1(add<Linear>("fc1", 5, hidden)), fc2(add<Linear>("fc2", hidden, 2)) {}
  Tensor operator()(const Tensor& x) const { return fc2(gelu(fc1(x))); }
  Linear &fc1, &fc2;
};

/// An embedding whose rows are also the output layer, a list of layers, and a buffer.
struct Tied : Module {
  Tied() : table(add<Embedding>("table", 7, 3)), head(parameter("head", table.weight)) {
    for (int i = 0; i < 2; ++i) layers.push_back(&add<Linear>("h." + std::to_string(i), 3, 3));
    count = buffer("count", zeros({1}));
  }
  Embedding& table;
  const Tensor head;
  Tensor count;
  std::vector<Linear*> layers;
};

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> out;
  for (const auto& [name, _] : tensors) out.push_back(name);
  return out;
}

}  // namespace

TEST_CASE("module: names, order, ties and counts") {
  const Tied m;
  CHECK(names(m.named_parameters()) == std::vector<std::string>{"table.weight", "h.0.weight",
                                                                "h.0.bias", "h.1.weight",
                                                                "h.1.bias"});
  CHECK(names(m.named_buffers()) == std::vector<std::string>{"count"});
  CHECK(m.head.impl() == m.table.weight.impl());
  CHECK(m.num_parameters() == 7 * 3 + 2 * (9 + 3));
  CHECK(m.named_children().size() == 3);
  CHECK(m.named_modules().size() == 4);
  CHECK(m.named_modules()[0].first == "");
  CHECK(m.named_modules()[2].first == "h.0");
  const std::string table = m.summary();
  CHECK(contains(table, "h.0     weight (3, 3), bias (3,)"));
  CHECK(contains(table, "head (7, 3) = table.weight"));
  CHECK(contains(table, " 45\n"));
  const std::vector<Tensor> parameters = m.parameters();
  REQUIRE(parameters.size() == m.named_parameters().size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    CHECK(parameters[i].impl() == m.named_parameters()[i].second.impl());
    CHECK(parameters[i].requires_grad());
  }
}

TEST_CASE("module: moves, never copies") {
  static_assert(!std::is_copy_constructible_v<TwoLayers>);
  static_assert(!std::is_copy_constructible_v<Linear>);
  static_assert(!std::is_copy_constructible_v<Sequential>);
  TwoLayers a(4);
  const Tensor x = randn({3, 5}), before = a(x);
  TwoLayers b = std::move(a);
  CHECK(max_difference(b(x), before) == 0);
  CHECK(b.num_parameters() == 5 * 4 + 4 + 4 * 2 + 2);
}

template <class M>
concept WeightCanBeReplaced = requires(M& m, Tensor x) {
  m.weight = x;
};
template <class M>
concept BiasCanBeReplaced = requires(M& m, Tensor x) {
  m.bias = x;
};

TEST_CASE("module: a registered tensor cannot be replaced; its values can, and it can be tied") {
  struct Loose {
    Tensor weight, bias;
  };
  static_assert(WeightCanBeReplaced<Loose> &&
                BiasCanBeReplaced<Loose>);  // so the question is a fair one
  static_assert(!WeightCanBeReplaced<Linear> && !BiasCanBeReplaced<Linear>);
  static_assert(!WeightCanBeReplaced<LayerNorm> && !BiasCanBeReplaced<LayerNorm>);
  static_assert(!WeightCanBeReplaced<Embedding> && !WeightCanBeReplaced<RMSNorm>);
  static_assert(!std::is_assignable_v<Linear&, Linear>);

  Linear l(2, 1);
  SGD opt(l.parameters(), 0.5);
  set_values(l.weight, tensor<float>({3, 4}, {1, 2}));
  backward(sum(l(ones({1, 2}))));
  opt.step();
  CHECK(l.weight.to_vector() == std::vector<float>{2.5, 3.5});
  CHECK(l.state_dict()[0].second.to_vector() == std::vector<float>{2.5, 3.5});
  CHECK_THROWS_WITH_AS(set_values(l.weight, ones({2, 1})),
                       "set_values: (2, 1) into a tensor of (1, 2)", ShapeError);
  CHECK_THROWS_AS(set_values(l.weight, ones({1, 2}, F64)), DTypeError);

  struct Head : Module {
    Head() : wte(add<Embedding>("wte", 7, 3)), head(add<Linear>("head", wte.weight)) {}
    Embedding& wte;
    Linear& head;
  } model;
  CHECK(model.parameters().size() == 1);
  CHECK(model.head.weight.impl() == model.wte.weight.impl());
  CHECK_THROWS_AS(Linear(ones({3, 2}), ones({2})), ShapeError);

  model.wte.weight.set_requires_grad(false);  // frozen
  CHECK(!model.head(ones({1, 3})).requires_grad());
}

TEST_CASE("module: a name is given once, and is not empty") {
  struct Twice : Module {
    Twice() {
      parameter("w", zeros({2}));
      buffer("w", zeros({2}));
    }
  };
  struct Child : Module {
    Child() {
      add<Linear>("w", 2, 3);
      add<Linear>("w", 2, 3);
    }
  };
  struct Nameless : Module {
    Nameless() { add<Linear>("", 2, 3); }
  };
  struct Undefined : Module {
    Undefined() { parameter("w", Tensor()); }
  };
  struct Dotted : Module {
    Dotted() { parameter("w.weight", ones({1})); }
  };
  CHECK(contains(message_of<ValueError>([] { Twice(); }), "\"w\" is taken"));
  CHECK(contains(message_of<ValueError>([] { Child(); }), "\"w\" is taken"));
  CHECK_THROWS_AS(Nameless(), ValueError);
  CHECK_THROWS_AS(Undefined(), ValueError);
  CHECK(contains(message_of<ValueError>([] { Dotted(); }), "\"w.weight\" has a dot"));
}

TEST_CASE("module: train and eval reach every child; dropout obeys") {
  Sequential net(Dropout(0.5), Sequential(Dropout(0.9)));
  const Tensor x = ones({1000});
  CHECK(max_difference(net(x), x) > 1);
  net.eval();
  net.append<Dropout>(0.5);  // what comes later follows too
  CHECK(max_difference(net(x), x) == 0);
  net.train();
  for (const auto& [_, m] : net.named_modules()) CHECK(m->training());
  CHECK(max_difference(net(x), x) > 1);
  CHECK_THROWS_AS(Dropout(1.5), ValueError);
  CHECK_THROWS_AS(Dropout(-0.1), ValueError);
}

TEST_CASE("state: what one module saves another loads, into the same tensors") {
  Tied a, b;
  raw::fill_(a.count, 3);
  const auto* before = b.head.impl();
  b.load_state_dict(a.state_dict());
  CHECK(b.head.impl() == before);
  CHECK(b.head.impl() == b.table.weight.impl());
  CHECK(b.head.requires_grad());
  CHECK(max_difference(a.head, b.table.weight) == 0);
  CHECK(b.count.item() == 3);
  for (const auto& [_, x] : a.state_dict()) CHECK_FALSE(x.requires_grad());
}

TEST_CASE("state: everything that does not fit is listed, and nothing has changed") {
  TwoLayers net(4);
  const auto before = net.fc1.weight.to_vector();
  NamedTensors state = TwoLayers(4).state_dict();
  state[1].second = zeros({5});          // fc1.bias
  state[2].second = zeros({2, 4}, F64);  // fc2.weight
  state[3].first = "fc3.bias";           // fc2.bias
  state.emplace_back("fc3.bias", zeros({1}));
  const std::string what = message_of<ValueError>([&] { net.load_state_dict(state); });
  CHECK(contains(what, "fc1.bias: float32 (4,) here, float32 (5,) in the state"));
  CHECK(contains(what, "fc2.weight: float32 (2, 4) here, float64 (2, 4) in the state"));
  CHECK(contains(what, "missing: fc2.bias"));
  CHECK(contains(what, "unexpected: fc3.bias"));
  CHECK(contains(what, "given twice: fc3.bias"));
  CHECK(net.fc1.weight.to_vector() == before);

  NamedTensors part{{"fc1.bias", ones({4})}, {"other", ones({1})}};
  const auto result = net.load_state_dict(part, false);
  CHECK(result.missing == std::vector<std::string>{"fc1.weight", "fc2.weight", "fc2.bias"});
  CHECK(result.unexpected == std::vector<std::string>{"other"});
  CHECK(net.fc1.bias.to_vector() == std::vector<float>(4, 1));
}

TEST_CASE("state: a tied tensor loads under any of its names, but not from two that differ") {
  Tied m;
  NamedTensors state = m.state_dict();
  state[0] = {"head", full({7, 3}, 2)};
  m.load_state_dict(state);
  CHECK(m.head.to_vector() == std::vector<float>(21, 2));
  state.emplace_back("table.weight", full({7, 3}, 2));
  m.load_state_dict(state);
  state.back().second = full({7, 3}, 4);
  CHECK(contains(message_of<ValueError>([&] { m.load_state_dict(state); }), "tied here"));
  CHECK(m.head.to_vector() == std::vector<float>(21, 2));
  state[0].second = state.back().second = full({7, 3}, NAN);  // diverged, but not apart
  m.load_state_dict(state);
  for (const Tensor& misfit : {Tensor(), full({1}, 2)}) {
    // under the first name, beside a good one under the second
    state[0].second = misfit;
    const std::string what = message_of<ValueError>([&] { m.load_state_dict(state); });
    CHECK(contains(what, "head: float32 (7, 3) here"));
    CHECK_FALSE(contains(what, "differ"));
  }
}

TEST_CASE("module: to(F64) keeps ties and optimizers") {
  Tied m;
  AdamW opt(m.parameters(), 0.1);
  const auto step = [&] {
    opt.zero_grad();
    backward(sum(square(matmul(m.table(arange(7)), t(m.head)))));
    opt.step();
  };
  step();
  m.to(F64);
  CHECK(m.head.dtype() == F64);
  CHECK(m.count.dtype() == F64);
  CHECK_FALSE(m.head.grad().defined());
  CHECK(m.head.requires_grad());
  CHECK(m.head.impl() == m.table.weight.impl());
  const auto before = m.head.to_vector<double>();
  step();
  CHECK(m.table.weight.to_vector<double>() != before);
  for (const auto& [name, x] : opt.state_dict())
    if (contains(name, "exp_avg")) CHECK(x.dtype() == (name.starts_with("0.") ? F64 : F32));
  m.zero_grad();
  CHECK_FALSE(m.head.grad().defined());
  CHECK_THROWS_AS(m.to(I64), DTypeError);
}

TEST_CASE("init: the variance that each promises") {
  const Shape shape{300, 200, 2};  // fan_in 400, fan_out 600
  const auto f = init::fans(shape);
  CHECK(f.in == 400);
  CHECK(f.out == 600);
  CHECK_THROWS_AS(init::fans({3}), ShapeError);
  const auto check_std = [](const Tensor& x, double expected) {
    CHECK(std::abs(mean(x).item()) < 0.02 * expected);
    CHECK(std::sqrt(var(x).item()) == doctest::Approx(expected).epsilon(0.01));
  };
  Generator gen(3);
  check_std(init::kaiming_uniform(shape, std::sqrt(2), F64, gen), std::sqrt(2.0 / 400));
  check_std(init::kaiming_normal(shape, std::sqrt(2), F64, gen), std::sqrt(2.0 / 400));
  check_std(init::xavier_uniform(shape, 1, F64, gen), std::sqrt(2.0 / 1000));
  check_std(init::xavier_normal(shape, 1, F64, gen), std::sqrt(2.0 / 1000));
  CHECK(max(abs(init::xavier_uniform(shape, 1, F64, gen))).item() <= std::sqrt(6.0 / 1000));

  const Tensor x = init::trunc_normal({100, 300}, 1, 2, 0, 3, F64, gen);
  CHECK(min(x).item() >= 0);
  CHECK(max(x).item() <= 3);
  CHECK(mean(x).item() == doctest::Approx(1.41329).epsilon(0.01));  // the truncated mean
  Generator again(5), same(5);
  CHECK(max_difference(init::trunc_normal({9}, 0, 1, -1, 1, F32, again),
                       init::trunc_normal({9}, 0, 1, -1, 1, F32, same)) == 0);
  CHECK_THROWS_AS(init::trunc_normal({9}, 0, 1, 8, 9), ValueError);
}

TEST_CASE("layers: shapes, defaults, values") {
  const Linear fc(16, 5);
  CHECK(fc.weight.shape() == Shape{5, 16});
  CHECK(max(abs(fc.weight)).item() <= 0.25);
  CHECK(max(abs(fc.weight)).item() > 0.2);
  const Tensor x = randn({2, 3, 16});
  CHECK(max_difference(fc(x), matmul(x, t(fc.weight)) + fc.bias) < 1e-5);
  CHECK_FALSE(Linear(16, 5, false).bias.defined());
  CHECK_THROWS_AS(Linear(0, 5), ValueError);

  const Embedding table(11, 4);
  CHECK(table(tensor<int64_t>({3, 10}, {2, 1})).shape() == Shape{2, 1, 4});
  CHECK_THROWS_AS(table(tensor<int64_t>({11})), IndexError);

  const Tensor y = LayerNorm(16)(x);
  CHECK(max(abs(mean(y, {-1}))).item() < 1e-5);
  CHECK(max_difference(var(y, {-1}, false, 0), ones({2, 3})) < 1e-3);
  CHECK(max_difference(mean(square(RMSNorm(16)(x)), {-1}), ones({2, 3})) < 1e-4);
  CHECK(Flatten()(x).shape() == Shape{2, 48});
}

TEST_CASE("sequential: one after the other, nested, moved, extended") {
  Sequential net(Linear(5, 4), Tanh(), Sequential(Linear(4, 3), GELU(GeluForm::Tanh)));
  net.append<LeakyReLU>(0.2).append<Linear>(3, 2);
  CHECK(names(net.named_parameters()) == std::vector<std::string>{"0.weight", "0.bias",
                                                                  "2.0.weight", "2.0.bias",
                                                                  "4.weight", "4.bias"});
  const auto p = net.parameters();
  const Tensor x = randn({7, 5});
  const Tensor h = gelu(linear(tanh(linear(x, p[0], p[1])), p[2], p[3]), GeluForm::Tanh);
  const Tensor expected = linear(leaky_relu(h, 0.2), p[4], p[5]);
  CHECK(max_difference(net(x), expected) == 0);
  const Sequential moved(std::move(net));
  CHECK(max_difference(moved(x), expected) == 0);
}
