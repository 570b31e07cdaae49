// If a tensor that was saved for backward has changed since, that is an error, never a wrong
// gradient.
#include <doctest/doctest.h>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "tests/compare.h"

using namespace gradus;

static Tensor leaf(std::vector<double> values) {
  Tensor x = tensor(values);
  x.set_requires_grad();
  return x;
}

TEST_CASE("versions: a parameter stepped between two backward passes") {
  const Tensor w = leaf({2});
  SGD opt({w}, 0.1);
  const Tensor a = w * w, b = w * w * w;
  backward(a);
  opt.step();
  CHECK_THROWS_WITH_AS(backward(b), doctest::Contains("\"mul\" saved a tensor of shape (1,)"),
                       GradError);
  opt.zero_grad();
  backward(w * w * w);  // a new forward has the new values
  CHECK(w.grad().item() == doctest::Approx(3 * 1.6 * 1.6));
}

TEST_CASE("versions: every way to write in place counts") {
  const std::vector<std::pair<const char*, std::function<void(const Tensor&)>>> writes = {
      {"fill_", [](const Tensor& x) { raw::fill_(x, 7); }},
      {"copy_", [](const Tensor& x) { raw::copy_(x, ones({3}, F64)); }},
      {"add_", [](const Tensor& x) { raw::add_(x, ones({3}, F64)); }},
      {"mul_", [](const Tensor& x) { raw::mul_(x, 2); }},
      {"index_add_", [](const Tensor& x) { raw::index_add_(x, 0, arange(3), ones({3}, F64)); }},
      {"scatter_add_", [](const Tensor& x) { raw::scatter_add_(x, 0, arange(3), ones({3}, F64)); }},
      {"data", [](const Tensor& x) { x.data<double>()[0] = 7; }},
      {"a view", [](const Tensor& x) { raw::fill_(raw::slice(x, 0, 1, 2), 7); }},
      {"set_values", [](const Tensor& x) { set_values(x, ones({3}, F64)); }}};
  for (const auto& write : writes) {
    CAPTURE(write.first);
    const Tensor x = leaf({1, 2, 3});
    const Tensor y = sum(x * x);
    write.second(x);
    CHECK_THROWS_AS(backward(y), GradError);
  }
  const Tensor x = leaf({1, 2, 3});
  const Tensor y = sum(x * x);
  CHECK(x.data<const double>()[1] == 2);  // reading is not a write
  backward(y);
  CHECK(x.grad().to_vector<double>() == std::vector<double>{2, 4, 6});
}

TEST_CASE("versions: optimizers, clipping and loading a state count as well") {
  const Tensor x = ones({2, 3});
  for (int way = 0; way < 5; ++way) {
    CAPTURE(way);
    Linear l(3, 3);
    const Tensor loss = sum(square(l(l(x))));
    l.weight.set_grad(ones({3, 3}));
    if (way == 0) SGD(l.parameters(), 0.1).step();
    if (way == 1) AdamW(l.parameters(), 0.1).step();
    if (way == 2) RMSprop(l.parameters(), 0.1).step();
    if (way == 3) l.load_state_dict(Linear(3, 3).state_dict());
    if (way == 4) continue;
    CHECK_THROWS_AS(backward(loss), GradError);
  }
  const Tensor w = leaf({3});
  backward(w * w, {}, {.create_graph = true});
  const Tensor penalty = sum(square(w.grad()));
  clip_grad_value({w}, 1);
  CHECK_THROWS_AS(backward(penalty), GradError);
  w.zero_grad();  // or w and its gradient's history would keep each other alive
}

TEST_CASE("versions: a mask that was changed is noticed, too") {
  const Tensor q = randn({1, 2, 3, 4}).set_requires_grad(), mask = ones({1, 3}, I64);
  const Tensor y = sum(scaled_dot_product_attention(q, q, q, {.key_mask = mask}));
  mask.data<int64_t>()[0] = 0;
  CHECK_THROWS_AS(backward(y), GradError);
}

TEST_CASE("versions: what the closure does not read may change") {
  const Tensor w = leaf({2}), c = leaf({5});
  const Tensor y = w * w + c;  // the sum saves nothing
  raw::fill_(c, 9);
  backward(y);
  CHECK(w.grad().item() == 4);
  CHECK(c.grad().item() == 1);

  const Tensor seed = full({1}, 2, F64), z = w * w;
  raw::fill_(seed, 3);  // the caller's own buffer
  w.zero_grad();
  backward(z, seed);
  CHECK(w.grad().item() == 12);
}

TEST_CASE("versions: fused operations, their outputs and their composites") {
  for (const bool create_graph : {false, true}) {
    CAPTURE(create_graph);
    const Tensor x = randn({2, 3}, F64).set_requires_grad();
    const Tensor w = ones({3}, F64).set_requires_grad(), b = zeros({3}, F64).set_requires_grad();
    const Tensor y = layer_norm(x, w, b);
    raw::fill_(w, 2);
    CHECK_THROWS_WITH_AS(backward(y, ones({2, 3}, F64), {.create_graph = create_graph}),
                         doctest::Contains("layer_norm"), GradError);
  }
  const Tensor x = randn({3}, F64).set_requires_grad();
  const Tensor y = exp(x);
  raw::fill_(y.detach(), 1);  // exp's derivative is its output
  CHECK_THROWS_AS(backward(sum(y)), GradError);
}

TEST_CASE("w -= lr * grad: the second round names the way out") {
  Tensor w = leaf({2});
  const auto round = [&] {
    backward(w * w);
    w -= 0.1 * w.grad();
  };
  round();
  CHECK_THROWS_WITH_AS(round(), doctest::Contains("SGD opt({w}, lr)"), GradError);
}

TEST_CASE("a chain of a million gradients goes without recursion") {
  Tensor first = ones({}), last = first;
  for (int i = 0; i < 1'000'000; ++i) {
    const Tensor next = ones({});
    last.set_grad(next);
    last = next;
  }
}

TEST_CASE("versions: every raw operation that writes into its result says so") {
  const float values[6] = {1, 2, 3, 4, 5, 6};
  const Tensor step = ones({2, 3}), q = ones({1, 1, 2, 3}), stats = ones({1, 1, 2, 2});
  const raw::Attention in{q, q, q, {}, false, 1};
  const auto rewritten = [&](const Tensor& x) { return raw::reshape(x, {1, 1, 2, 3}); };
  const std::vector<std::function<void(const Tensor&)>> writes = {
      [](const Tensor& x) { raw::fill_(x, 2); },
      [&](const Tensor& x) { raw::copy_(x, step); },
      [&](const Tensor& x) { raw::add_(x, step); },
      [](const Tensor& x) { raw::mul_(x, 3); },
      [&](const Tensor& x) { raw::from_host_(x, values); },
      [](const Tensor& x) {
        raw::uniform_(x, {1, 1}, 2, 3);
      },
      [](const Tensor& x) {
        raw::normal_(x, {1, 1}, 2, 3);
      },
      [&](const Tensor& x) { raw::index_add_(x, 0, arange(2), step); },
      [&](const Tensor& x) {
        raw::scatter_add_(x, 0, full({1, 3}, 0, I64), ones({1, 3}));
      },
      [&](const Tensor& x) { raw::attention_(in, rewritten(x)); },
      [&](const Tensor& x) {
        raw::attention_backward_(in, q, q, stats, rewritten(x), zeros_like(q), zeros_like(q));
      },
  };
  for (size_t i = 0; i < writes.size(); ++i) {
    CAPTURE(i);
    const Tensor x = full({2, 3}, 2).set_requires_grad();
    const Tensor y = sum(square(x));
    writes[i](x.detach());
    CHECK_THROWS_AS(backward(y), GradError);
  }
}
