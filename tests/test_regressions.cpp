// Bugs of other toolkits, from which this one learnt. Two more have files of their own: values at
// the edges of floating point (test_special_values.cpp), and train, save, load, train
// (test_checkpoint.cpp).
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"

using namespace gradus;

namespace {

using Doubles = std::vector<double>;

Tensor leaf(double value) { return full({}, value, F64).set_requires_grad(); }
Doubles values(const Tensor& x) { return x.to_vector<double>(); }

}  // namespace

TEST_CASE("regression 1: a gradient handed to two inputs is not accumulated into") {
  for (const bool product_first : {false, true}) {
    CAPTURE(product_first);
    const Tensor a = leaf(2), b = leaf(3), c = leaf(10);
    Tensor z, w;
    if (product_first) w = a * c;
    z = a + b;
    if (!product_first) w = a * c;
    backward(product_first ? w + z : z + w);
    CHECK(a.grad().item() == 11);
    CHECK(b.grad().item() == 1);
    CHECK(c.grad().item() == 2);
  }
}

TEST_CASE("regression 1: scaling one gradient leaves the other alone") {
  const Tensor a = zeros({2, 3}, F64).set_requires_grad(),
               b = ones({2, 3}, F64).set_requires_grad();
  backward(sum(a + b));
  raw::mul_(a.grad(), 7);
  CHECK(values(b.grad()) == Doubles(6, 1));
  raw::fill_(b.grad(), 5);
  CHECK(values(a.grad()) == Doubles(6, 7));
  backward(sum(a + b));  // accumulates into each by itself
  CHECK(values(a.grad()) == Doubles(6, 8));
  CHECK(values(b.grad()) == Doubles(6, 6));
  const Tensor seed = ones({2, 3}, F64), x = zeros({2, 3}, F64).set_requires_grad();
  backward(reshape(x, {2, 3}), seed);  // nor does the caller's seed become a gradient
  raw::mul_(x.grad(), 3);
  CHECK(values(seed) == Doubles(6, 1));
}

TEST_CASE("regression 2: += keeps the graph") {
  const Tensor x = leaf(4);
  Tensor y = 2.0 * x;
  y += 3.0 * x;
  backward(y);
  CHECK(x.grad().item() == 5);
  const Tensor u = leaf(4);
  Tensor v = 2.0 * u, before = v;
  v *= u;
  v -= u;
  v /= u;
  CHECK(before.item() == 8);  // the old name still has the old value
  backward(v);                // (2 u^2 - u) / u
  CHECK(u.grad().item() == doctest::Approx(2));
}

TEST_CASE("regression 2: backward twice") {
  const Tensor x = leaf(3), y = x * x;
  backward(y, {}, {.retain_graph = true});
  CHECK(x.grad().item() == 6);
  backward(y);
  CHECK(x.grad().item() == 12);
  CHECK_THROWS_WITH_AS(backward(y), doctest::Contains("freed by an earlier backward"), GradError);
  CHECK(x.grad().item() == 12);
  // The freed part is also named if a new graph leads to it.
  CHECK_THROWS_WITH_AS(backward(y * 2.0), doctest::Contains("through \"mul\""), GradError);
}

TEST_CASE("regression 3: linear on 1-, 2-, 3- and 4-d inputs") {
  const Tensor w = randn({3, 5}, F64).set_requires_grad(), b = randn({3}, F64).set_requires_grad();
  for (const Shape& shape : {Shape{5}, Shape{2, 5}, Shape{7, 2, 5}, Shape{2, 3, 7, 5}}) {
    CAPTURE(shape.str());
    w.zero_grad();
    b.zero_grad();
    const Tensor x = randn(shape, F64).set_requires_grad();
    const Tensor y = linear(x, w, b);
    Shape expected = shape;
    expected[expected.size() - 1] = 3;
    CHECK(y.shape() == expected);
    backward(sum(y));
    CHECK(x.grad().shape() == x.shape());
    CHECK(w.grad().shape() == w.shape());
    CHECK(b.grad().shape() == b.shape());
    CHECK(values(b.grad()) == Doubles(3, static_cast<double>(shape.numel() / 5)));
  }
}

TEST_CASE("regression 5: a chain of 300,000 operations") {
  const Tensor x = leaf(1);
  Tensor y = x;
  for (int i = 0; i < 300'000; ++i) y = y + 1.0;
  CHECK(y.item() == 300'001);
  backward(y);
  CHECK(x.grad().item() == 1);
}

TEST_CASE("regression 5: a long chain is destroyed without backward") {
  const int64_t before = Storage::live_count();
  {
    const Tensor x = leaf(1);
    Tensor y = x;
    for (int i = 0; i < 300'000; ++i) y = y + 1.0;
  }
  CHECK(Storage::live_count() == before);
  {  // closures that hold the tensors before them, which hold their nodes
    const Tensor x = leaf(1);
    Tensor y = x;
    for (int i = 0; i < 100'000; ++i) y = y * x;
    Tensor z = x;  // fused ops hold their inputs
    for (int i = 0; i < 100'000; ++i) z = relu(z);
    Tensor w = x;  // and some closures the output
    for (int i = 0; i < 100'000; ++i) w = tanh(w);
  }
  CHECK(Storage::live_count() == before);
}

TEST_CASE("regression 6: nothing leaks") {
  Tensor w = randn({5, 3}, F64).set_requires_grad();
  const Tensor x = randn({2, 7, 5}, F64);
  const auto loss = [&] {
    const Tensor h = layer_norm(gelu(linear(x, t(w))), ones({3}, F64), zeros({3}, F64));
    return sum(square(softmax(h)));
  };
  const int64_t before = Storage::live_count();
  backward(loss());
  w.zero_grad();
  CHECK(Storage::live_count() == before);
  loss();  // never differentiated
  CHECK(Storage::live_count() == before);
  {
    const Tensor g = grad(loss(), {w}, {.create_graph = true})[0];
    backward(sum(square(g)));
    CHECK(w.grad().defined());
  }
  w.zero_grad();
  CHECK(Storage::live_count() == before);
  CHECK_THROWS_AS(matmul(loss() * w, x), ShapeError);
  const Tensor seven = full({}, 7, F64);
  register_hook(w, [](const Tensor&) -> Tensor { throw ValueError("planted"); });
  CHECK_THROWS_AS(backward(loss()), ValueError);
  w.zero_grad();
  CHECK(Storage::live_count() == before + 1);  // `seven`
}

TEST_CASE("regression 8: every reduction and row op on lengths near a vector's") {
  for (const int64_t n : {1, 7, 8, 9, 31, 33, 1025})
    for (const DType dtype : {F32, F64}) {
      CAPTURE(n);
      CAPTURE(name(dtype));
      Generator generator(static_cast<uint64_t>(n));
      const Tensor x = randn({3, n}, dtype, generator);
      const Doubles v = values(x);
      const Doubles row(v.begin() + n, v.begin() + 2 * n);
      const double count = static_cast<double>(n), close = dtype == F32 ? 1e-4 : 1e-11;
      double total = 0, squares = 0, exps = 0;
      for (double r : row) {
        total += r;
        exps += std::exp(r);
      }
      for (double r : row) squares += (r - total / count) * (r - total / count);
      const auto check_row = [&](const char* what, const Tensor& y, double wanted) {
        CAPTURE(what);
        CHECK(std::abs(y.to_vector<double>()[1] - wanted) <= close * std::max(1.0, count / 30));
      };
      check_row("sum", sum(x, {1}), total);
      check_row("mean", mean(x, {1}), total / count);
      check_row("var", var(x, {1}, false, 0), squares / count);
      check_row("max", max(x, {1}), *std::max_element(row.begin(), row.end()));
      check_row("min", min(x, {1}), *std::min_element(row.begin(), row.end()));
      check_row("logsumexp", logsumexp(x, {1}), std::log(exps));
      check_row("sum, first dimension", sum(raw::clone(t(x)), {0}), total);
      check_row("max, first dimension", max(raw::clone(t(x)), {0}),
                *std::max_element(row.begin(), row.end()));
      const int64_t last = n - 1;
      const double z = (row.back() - total / count) / std::sqrt(squares / count + 1e-5);
      const Tensor one = ones({n}, dtype), zero = zeros({n}, dtype);
      check_row("softmax", select(softmax(x), 1, last), std::exp(row.back()) / exps);
      check_row("log_softmax", select(log_softmax(x), 1, last), row.back() - std::log(exps));
      check_row("layer_norm", select(layer_norm(x, one, zero), 1, last), z);
      check_row("cumsum", select(cumsum(x, 1), 1, last), total);
      check_row("cross_entropy",
                cross_entropy(x, full({3}, static_cast<double>(last), I64),
                              {.reduction = Reduction::None}),
                std::log(exps) - row.back());
    }
}

TEST_CASE("regression 9: no_grad inside grad, and the mode after an exception") {
  const Tensor x = leaf(3);
  Tensor y = x * x, inside;
  {
    NoGrad guard;
    CHECK_FALSE(grad_enabled());
    inside = y * x;
    {
      GradMode again(true);
      CHECK(grad_enabled());
      CHECK((x * x).requires_grad());
    }
    CHECK_FALSE(grad_enabled());
  }
  CHECK(grad_enabled());
  CHECK_FALSE(inside.requires_grad());
  backward(y * inside);  // inside is a constant 27
  CHECK(x.grad().item() == 6 * 27);
  CHECK_THROWS_AS(([] {
                    NoGrad guard;
                    reshape(zeros({2, 3}), {7});
                  })(),
                  ShapeError);
  CHECK(grad_enabled());
  register_hook(x, [](const Tensor&) -> Tensor { throw ValueError("planted"); });
  CHECK_THROWS_AS(backward(x * 2.0), ValueError);
  CHECK(grad_enabled());
}

TEST_CASE("regression 9: an op with itself") {
  const Tensor x = leaf(3);
  CHECK(grad(x * x, {x})[0].item() == 6);
  CHECK(grad(x / x, {x})[0].item() == doctest::Approx(0));
  CHECK(grad(x - x, {x})[0].item() == 0);
  CHECK(grad(maximum(x, x), {x})[0].item() == 1);
  CHECK(grad(pow(x, x), {x})[0].item() == doctest::Approx(27 * (std::log(3.0) + 1)));
  const Tensor a = randn({3, 3}, F64).set_requires_grad(), b = raw::clone(a).set_requires_grad();
  const Tensor seed = randn({3, 3}, F64);
  const Tensor same = grad(matmul(a, a), {a}, {}, seed)[0];
  const auto apart = grad(matmul(a, b), {a, b}, {}, seed);
  CHECK(max(abs(same - grad(matmul(raw::clone(a), a), {a}, {}, seed)[0] - apart[0])).item() <
        1e-12);
  const Tensor q = randn({2, 3, 5, 4}, F64).set_requires_grad();
  Tensor k = raw::clone(q).set_requires_grad(), v = raw::clone(q).set_requires_grad();
  const Tensor g = randn(q.shape(), F64);
  const Tensor alone = grad(scaled_dot_product_attention(q, q, q), {q}, {}, g)[0];
  const auto three = grad(scaled_dot_product_attention(q, k, v), {q, k, v}, {}, g);
  CHECK(max(abs(alone - (three[0] + three[1] + three[2]))).item() < 1e-12);
}

TEST_CASE("regression: a dimension may be named of a 0-d tensor, which has none") {
  const Tensor x = leaf(-3);
  for (const Dims& dims : {Dims{-1}, Dims{0}, Dims{}})
    for (const bool keepdim : {false, true}) {
      for (const Tensor& y : {sum(x, dims, keepdim), mean(x, dims, keepdim),
                              logsumexp(x, dims, keepdim), max(x, dims, keepdim)}) {
        CHECK(y.dim() == 0);
        CHECK(y.item() == -3);
        CHECK(grad(y, {x})[0].item() == 1);
      }
    }
  CHECK_THROWS_AS(sum(x, {1}), IndexError);
}
