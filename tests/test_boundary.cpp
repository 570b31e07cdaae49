// What is checked at the entrance to the library. Behind that boundary kernels trust their input,
// so each of these would silently become a wrong number, or worse.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "tensor/runtime.h"
#include "tests/compare.h"

using namespace gradus;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kHuge = int64_t{1} << 32;
using Doubles = std::vector<double>;
Doubles doubles(const Tensor& x) { return x.to_vector<double>(); }
}  // namespace

TEST_CASE("boundary: index_add and scatter_add take one dtype") {
  for (const DType from : {F32, F64, I64})
    for (const DType into : {F32, F64, I64}) {
      if (from == into) continue;
      const Tensor index = arange(2), source = ones({2}, from), x = zeros({3}, into);
      CHECK_THROWS_AS(index_add(x, 0, index, source), DTypeError);
      CHECK_THROWS_AS(scatter_add(x, 0, index, source), DTypeError);
    }
  CHECK_THROWS_AS(index_add(full({}, 1), 0, tensor<int64_t>({0}), full({}, 1)), ShapeError);
}

TEST_CASE("boundary: an int64 tensor meets whole numbers only") {
  const Tensor x = tensor<int64_t>({10, 21, 30}), mask = tensor<int64_t>({1, 0, 0});
  CHECK_THROWS_AS(x / 2.0, DTypeError);
  CHECK_THROWS_AS(x * 0.5, ValueError);
  CHECK_THROWS_AS(x + 0.5, ValueError);
  CHECK_THROWS_AS(x - 0.5, ValueError);
  CHECK_THROWS_AS((void)(x < 0.5), ValueError);
  CHECK_THROWS_AS(masked_fill(x, mask, 0.5), ValueError);
  CHECK_THROWS_AS(full({1}, NAN, I64), ValueError);
  CHECK_THROWS_AS(full({1}, 1e19, I64), ValueError);
  CHECK(doubles(x * -2.0 + 1.0) == Doubles{-19, -41, -59});
  CHECK(doubles(x >= 21.0) == Doubles{0, 1, 1});
  CHECK(doubles(x <= x) == Doubles{1, 1, 1});
}

TEST_CASE("boundary: a closure that returns a gradient of the wrong kind is named") {
  const Tensor x = ones({2, 3}).set_requires_grad();
  const auto with = [&](const Tensor& gradient) {
    backward(sum(record("planted", x.detach(), {{x, [=](const Tensor&) { return gradient; }}})));
  };
  CHECK_THROWS_WITH_AS(with(ones({3, 2})), doctest::Contains("planted"), ShapeError);
  CHECK_THROWS_WITH_AS(with(ones({6})), doctest::Contains("(6,)"), ShapeError);
  CHECK_THROWS_AS(with(ones({})), ShapeError);
  CHECK_THROWS_WITH_AS(with(ones({2, 3}, F64)), doctest::Contains("planted"), DTypeError);
  CHECK_FALSE(x.grad().defined());
  with(ones({4, 2, 3}));  // broadcasting may be undone
  CHECK(doubles(x.grad()) == Doubles(6, 4));
}

TEST_CASE("boundary: a gradient that is set, or that a hook returns, fits its tensor") {
  const Tensor w = ones({4}).set_requires_grad();
  CHECK_THROWS_AS(w.set_grad(ones({2})), ShapeError);
  CHECK_THROWS_AS(w.set_grad(ones({4}, F64)), DTypeError);
  w.set_grad(ones({4}));
  w.zero_grad();
  register_hook(w, [](const Tensor& g) { return to(g, F64); });
  CHECK_THROWS_AS(backward(sum(w)), DTypeError);
}

TEST_CASE("boundary: sizes that are negative, or more than there is") {
  double number = 0;
  CHECK_THROWS_AS(from_memory(&number, {-2, 3}, F64), ShapeError);
  CHECK_THROWS_AS(expand(zeros({1}), {kHuge, kHuge}), ShapeError);
  CHECK_THROWS_AS(reshape(zeros({0}), {kHuge, kHuge}), ShapeError);
  CHECK_THROWS_AS(zeros({0, kHuge, kHuge}), ShapeError);
  CHECK_THROWS_AS(arange(0, 1e18), Error);
  CHECK_THROWS_AS(arange(int64_t{1} << 60), Error);
  CHECK_THROWS_AS(linspace(0, 1, int64_t{1} << 60), Error);
  CHECK_THROWS_AS(arange(0, kInfinity), ValueError);
  CHECK(doubles(tril(ones({2, 2}), std::numeric_limits<int64_t>::max())) == Doubles(4, 1));
  CHECK(doubles(triu(ones({2, 2}), std::numeric_limits<int64_t>::min())) == Doubles(4, 1));
  CHECK_THROWS_AS(full({}, 5).size(0), IndexError);
  CHECK_THROWS_AS(select(arange(5), 0, 3).size(-1), IndexError);
}

TEST_CASE("boundary: errors name the operation that was called") {
  const Tensor none, x = ones({2, 3}), y = ones({4}), wide = ones({2, 3}, F64);
  const Tensor ids = arange(3), table = reshape(arange(6), {2, 3}), q = ones({1, 2, 3, 4});
  struct Mistake {
    std::string message_begins;
    std::function<void()> make;
  };
  std::vector<Mistake> mistakes = {
      // A wrong dtype.
      {"mean: not defined for int64", [&] { mean(ids); }},
      {"var: not defined for int64", [&] { var(ids); }},
      {"logsumexp: not defined for int64", [&] { logsumexp(ids); }},
      {"softmax: not defined for int64", [&] { softmax(ids); }},
      {"layer_norm: not defined for int64", [&] { layer_norm(ids, {}, {}); }},
      {"rms_norm: not defined for int64", [&] { rms_norm(ids, {}); }},
      {"dropout: not defined for int64", [&] { dropout(ids, 0.5); }},
      {"gelu: not defined for int64", [&] { gelu(ids, GeluForm::Tanh); }},
      {"div: not defined for int64", [&] { 1.0 / ids; }},
      {"pow: not defined for int64", [&] { pow(0.5, ids); }},
      {"clamp: x is float32, low is float64", [&] { clamp(x, wide, {}); }},
      {"masked_fill: the mask is float32", [&] { masked_fill(x, x, 0); }},
      {"masked_fill: 0.5 is not an int64", [&] { masked_fill(table, table, 0.5); }},
      {"full: 0.5 is not an int64", [&] { full({2}, 0.5, I64); }},
      {"stack: the first tensor is float32, another one is float64",
       [&] {
         stack({x, wide}, 0);
       }},
      {"one_hot: ids are float32", [&] { one_hot(x, 3); }},
      {"cross_entropy: logits is float32", [&] { cross_entropy(x, wide); }},
      {"nll_loss: for input (2, 3) targets must be (2,)", [&] { nll_loss(x, ids); }},
      {"smooth_l1_loss: ", [&] { smooth_l1_loss(x, wide); }},
      {"packed_attention: not defined for int64",
       [] {
         packed_attention(ones({1, 2, 6}, I64), 2);
       }},
      {"rotary: not defined for int64",
       [] {
         rotary(ones({1, 2, 6}, I64), 1);
       }},
      {"rand: not for int64", [] { rand({2}, I64); }},
      {"randn: not for int64", [] { randn({2}, I64); }},
      // A wrong shape.
      {"matmul, batch dimensions: ",
       [] {
         matmul(ones({2, 2, 3}), ones({3, 3, 2}));
       }},
      {"matmul: () @ (2, 3)", [&] { matmul(full({}, 1), x); }},
      {"cross_entropy: for input (2, 3) targets", [&] { cross_entropy(x, table); }},
      {"linear: x (2, 3) does not fit weight (1, 4)", [&] { linear(x, y); }},
      {"clamp: shapes (2, 3) and (4,) do not broadcast", [&] { clamp(x, {}, y); }},
      {"masked_fill: shapes", [&] { masked_fill(y, table, 0); }},
      {"repeat: (2,) times, but the tensor (2, 3)", [&] { repeat(x, {2}); }},
      {"repeat: a tensor of shape",
       [&] {
         repeat(x, {kHuge, kHuge});
       }},
      {"tril: a tensor of shape (4,)", [&] { tril(y); }},
      {"zeros: negative size",
       [] {
         zeros({2, -1});
       }},
      {"eye: negative size", [] { eye(-1); }},
      {"randn: negative size", [] { randn({-1}); }},
      {"randint: negative size", [] { randint(0, 2, {-1}); }},
      {"linspace: a tensor of shape", [] { linspace(0, 1, int64_t{1} << 60); }},
      {"attention_weights: q (2, 3)", [&] { attention_weights(x, x); }},
      {"scaled_dot_product_attention: key_mask (2, 3)",
       [&] { scaled_dot_product_attention(q, q, q, {.key_mask = table}); }},
      {"packed_attention: (2, 3) with 2 heads", [&] { packed_attention(x, 2); }},
      {"rotary: (1, 2, 6) with 2 heads; it must be (B, T, 3 H D), with an even D",
       [] {
         rotary(ones({1, 2, 6}), 2);
       }},
      {"rotary: 2 positions from -1",
       [] {
         rotary(ones({1, 2, 6}), 1, -1);
       }},
      {"rotary: the base 0 is not",
       [] {
         rotary(ones({1, 2, 6}), 1, 0, 0);
       }},
      // A dimension that is not there.
      {"mean: dimension 2", [&] { mean(x, {2}); }},
      {"var: dimension 2", [&] { var(x, {2}); }},
      {"any: dimension 2", [&] { any(x, {2}); }},
      {"all: dimension 2", [&] { all(x, {2}); }},
      {"logsumexp: dimension 2", [&] { logsumexp(x, {2}); }},
      {"sort: dimension 2", [&] { sort(x, 2); }},
      {"split: dimension 2", [&] { split(x, 1, 2); }},
      {"split: dimension 0", [] { split(full({}, 1), 1, 0); }},
      {"split_with_sizes: dimension 2", [&] { split_with_sizes(x, {1}, 2); }},
      {"unbind: dimension 0", [] { unbind(full({}, 1)); }},
      {"stack: dimension 3",
       [&] {
         stack({x, x}, 3);
       }},
      {"flatten: dimension 2", [&] { flatten(x, 2); }},
      {"log_softmax: dimension 2", [&] { log_softmax(x, 2); }},
  };
  // A tensor without a value.
  const auto undefined = [&](const char* op, std::function<void()> make) {
    mistakes.push_back({std::string(op) + ": a tensor has no value yet", std::move(make)});
  };
  undefined("add", [&] { x + none; });
  undefined("mul", [&] { none * 2.0; });
  undefined("div", [&] { none / 2.0; });
  undefined("pow", [&] { pow(2, none); });
  undefined("relu", [&] { relu(none); });
  undefined("clamp", [&] { clamp(none, x, {}); });
  undefined("lt", [&] { lt(none, 0); });
  undefined("isnan", [&] { isnan(none); });
  undefined("isfinite", [&] { isfinite(none); });
  undefined("where", [&] { where(none, x, x); });
  undefined("masked_fill", [&] { masked_fill(x, none, 0); });
  undefined("reshape", [&] { reshape(none, {2}); });
  undefined("flatten", [&] { flatten(none); });
  undefined("permute", [&] { permute(none, {0}); });
  undefined("t", [&] { t(none); });
  undefined("slice", [&] { slice(none, 0, 0, 1); });
  undefined("select", [&] { select(none, 0, 0); });
  undefined("squeeze", [&] { squeeze(none); });
  undefined("squeeze", [&] { squeeze(none, 0); });
  undefined("unsqueeze", [&] { unsqueeze(none, 0); });
  undefined("transpose", [&] { transpose(none, 0, 1); });
  undefined("expand", [&] { expand(none, {2}); });
  undefined("clone", [&] { clone(none); });
  undefined("contiguous", [&] { contiguous(none); });
  undefined("to", [&] { to(none, F64); });
  undefined("cat", [&] { cat({x, none}, 0); });
  undefined("stack", [&] { stack({x, none}, 0); });
  undefined("split", [&] { split(none, 1, 0); });
  undefined("unbind", [&] { unbind(none); });
  undefined("repeat", [&] { repeat(none, {2}); });
  undefined("diagonal", [&] { diagonal(none); });
  undefined("triu", [&] { triu(none); });
  undefined("sum", [&] { sum(none); });
  undefined("mean", [&] { mean(none); });
  undefined("var", [&] { var(none); });
  undefined("max", [&] { max(none); });
  undefined("any", [&] { any(none); });
  undefined("logsumexp", [&] { logsumexp(none); });
  undefined("cumsum", [&] { cumsum(none, 0); });
  undefined("argmax", [&] { argmax(none); });
  undefined("topk", [&] { topk(none, 1); });
  undefined("sort", [&] { sort(none); });
  undefined("matmul", [&] { matmul(x, none); });
  undefined("linear", [&] { linear(x, none); });
  undefined("index_select", [&] { index_select(x, 0, none); });
  undefined("gather", [&] { gather(none, 0, ids); });
  undefined("scatter_add", [&] { scatter_add(x, 0, ids, none); });
  undefined("index_add", [&] { index_add(x, 0, none, x); });
  undefined("embedding", [&] { embedding(none, ids); });
  undefined("one_hot", [&] { one_hot(none, 3); });
  undefined("softmax", [&] { softmax(none); });
  undefined("layer_norm", [&] { layer_norm(none, {}, {}); });
  undefined("rms_norm", [&] { rms_norm(none, {}); });
  undefined("dropout", [&] { dropout(none, 0.5); });
  undefined("cross_entropy", [&] { cross_entropy(x, none); });
  undefined("nll_loss", [&] { nll_loss(none, ids); });
  undefined("scaled_dot_product_attention", [&] { scaled_dot_product_attention(q, q, none); });
  undefined("packed_attention", [&] { packed_attention(none, 2); });
  undefined("rotary", [&] { rotary(none, 2); });
  undefined("attention_weights", [&] { attention_weights(q, none); });
  undefined("zeros_like", [&] { zeros_like(none); });
  undefined("bernoulli", [&] { bernoulli(none); });
  undefined("multinomial", [&] { multinomial(none, 1); });
  undefined("backward", [&] { backward(none); });
  undefined("graph_dot", [&] { graph_dot(none); });
  undefined("item", [&] { none.item(); });
  undefined("to_vector", [&] { none.to_vector(); });
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.message_begins);
    const std::string message = message_of<Error>(mistake.make);
    CHECK_MESSAGE(message.starts_with(mistake.message_begins), message);
  }
}

TEST_CASE("boundary: random ranges") {
  CHECK_THROWS_AS(uniform({4}, 1, 0), ValueError);
  CHECK_THROWS_AS(uniform({4}, 0, kInfinity), ValueError);
  CHECK_THROWS_AS(uniform({4}, NAN, 1), ValueError);
  CHECK_THROWS_AS(randint(std::numeric_limits<int64_t>::min(), kHuge, {3}), ValueError);
  CHECK(doubles(uniform({2}, 3, 3)) == Doubles{3, 3});
}

TEST_CASE("boundary: masks choose, they do not multiply: 0 times infinity is not 0") {
  const auto slope = [](auto f, Doubles at) {
    const Tensor x = tensor<double>(at).set_requires_grad();
    return doubles(grad(sum(f(x)), {x})[0]);
  };
  CHECK(slope([](const Tensor& x) { return sqrt(clamp(x, 0)); }, {-1, 4}) == Doubles{0, 0.25});
  CHECK(slope([](const Tensor& x) { return sqrt(maximum(x, zeros({2}, F64))); }, {-1, 4}) ==
        Doubles{0, 0.25});
  CHECK(slope([](const Tensor& x) { return sqrt(-minimum(x, zeros({2}, F64))); }, {1, -4}) ==
        Doubles{0, -0.25});
  CHECK(slope([](const Tensor& x) { return sqrt(max(x)); }, {0, -1})[1] == 0);
  CHECK(slope([](const Tensor& x) { return huber_loss(x, zeros({2}, F64), 1, Reduction::Sum); },
              {kInfinity, 0.5}) == Doubles{1, 0.5});
}

TEST_CASE("boundary: nothing depends on a base whose exponent is 0") {
  const Tensor a = tensor<double>({0, 0, 2}).set_requires_grad();
  const Tensor b = tensor<double>({0, 1, 0}), ones3 = ones({3}, F64);
  const Tensor da = grad(pow(a, b), {a}, {.create_graph = true}, ones3)[0];
  CHECK(doubles(da) == Doubles{0, 1, 0});
  CHECK(doubles(grad(da, {a}, {}, ones3)[0]) == Doubles{0, 0, 0});
}

TEST_CASE("boundary: a large early gradient does not swallow the late ones of cumsum") {
  const Tensor x = zeros({3}).set_requires_grad();
  const Tensor g = tensor<float>({1e8f, 1, 1});
  CHECK(grad(cumsum(x, 0), {x}, {}, g)[0].to_vector() == std::vector<float>{1e8f, 2, 1});
}

TEST_CASE("boundary: an empty tensor has no gaps") {
  CHECK(zeros({2, 0, 3}).is_contiguous());
  CHECK(transpose(zeros({2, 0, 3}), 0, 2).is_contiguous());
  const Tensor none = zeros({2, 0}).set_requires_grad();
  SGD({none}, 0.1).step();
}

TEST_CASE("boundary: backward passes on two threads leave the check for NaN as it was") {
  set_check_nan(true);
  const auto work = [] {
    for (int i = 0; i < 2000; ++i) {
      const Tensor x = full({}, 2, F64).set_requires_grad();
      grad(x * x, {x});
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(check_nan_enabled());
  // A mask of -infinity is intended; infinity elsewhere is not.
  const Tensor scores = zeros({1, 2}), hide = tensor<int64_t>({0, 1}, {1, 2});
  const Tensor masked = masked_fill(scores, hide, -kInfinity);
  CHECK(softmax(masked).to_vector() == std::vector<float>{1, 0});
  CHECK_THROWS_AS(masked * 2.0, Error);
  set_check_nan(false);
}

TEST_CASE("boundary: a schedule without an end or a stair says so") {
  CHECK_THROWS_AS(StepLr{.peak = 1}(3), ValueError);
  CHECK_THROWS_AS(LinearLr{.peak = 1}(3), ValueError);
  CHECK_THROWS_AS(CosineLr{.peak = 1}(0), ValueError);
}

TEST_CASE("boundary: dropout of everything is zeros, of infinity too") {
  Dropout drop(1);
  const Tensor x = tensor<double>({1, kInfinity}).set_requires_grad();
  const Tensor y = drop(x);
  CHECK(doubles(y) == Doubles{0, 0});
  CHECK(doubles(grad(y, {x}, {}, ones({2}, F64))[0]) == Doubles{0, 0});
}

TEST_CASE("boundary: gradcheck refuses what it cannot check") {
  const Tensor x = randn({3}, F64);
  const Function noisy = [](const std::vector<Tensor>& in) { return dropout(in[0], 0.5); };
  CHECK_THROWS_WITH_AS(gradcheck(noisy, {x}), doctest::Contains("seed"), ValueError);
  GradcheckOptions one_too_many;
  one_too_many.differentiate = {true, true};
  const Function square_ = [](const std::vector<Tensor>& in) { return square(in[0]); };
  CHECK_THROWS_AS(gradcheck(square_, {x}, one_too_many), ValueError);
}

TEST_CASE("boundary: the pool gives its memory back before an allocation fails") {
  const int64_t before = pool_bytes();
  { const Tensor block = empty({1 << 20}); }
  if (pool_bytes() == before) return;  // under AddressSanitizer there is no pool
  CHECK(pool_bytes() >= before + (4 << 20));
  CHECK_THROWS_AS(empty({int64_t{1} << 50}), Error);  // tries again once the pool is empty
  CHECK(pool_bytes() < before + (4 << 20));
}

TEST_CASE("boundary: tensors of many sizes, one at a time, share their memory") {
  empty_cache();
  const int64_t before = pool_bytes();
  for (int64_t n = 200; n > 100; --n) { const Tensor block = empty({n * 10'000}); }
  CHECK(pool_bytes() - before < 2 * 200 * 10'000 * 4);
}

TEST_CASE("boundary: attention without keys gives zeros, whichever way it takes") {
  const Tensor q = randn({1, 2, 3, 4}).set_requires_grad(), k = zeros({1, 2, 0, 4});
  for (const bool masked : {false, true}) {
    AttentionOptions options;
    if (masked) options.attn_mask = ones({3, 0}, I64);
    const Tensor y = scaled_dot_product_attention(q, k, k, options);
    CHECK(max(abs(y)).item() == 0);
    CHECK(max(abs(grad(sum(y), {q}, {.create_graph = true})[0])).item() == 0);
  }
  CHECK(attention_weights(q, k).shape() == Shape{1, 2, 3, 0});
}

TEST_CASE("boundary: the mean of weighted losses depends on the weights in its divisor, too") {
  const Tensor x = randn({4, 3}, F64), weight = tensor<double>({0.5, 2, 1.25});
  const Tensor targets = tensor<int64_t>({0, 2, 1, 2});
  const auto r =
      gradcheck([&](const auto& in) { return cross_entropy(in[0], targets, {.weight = in[1]}); },
                {x, weight});
  CHECK_MESSAGE(r.ok, r.message);
}
