// Attention three ways, its cache, and the Transformer block.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "nn/nn.h"
#include "tests/compare.h"

using namespace gradus;

TEST_CASE("attention: the fused path equals the one that is spelled out") {
  for (bool causal : {false, true}) {
    MultiHeadSelfAttention attn(12, 3, {.causal = causal});
    attn.to(F64);
    const Tensor x = randn({2, 5, 12}, F64);
    const Tensor mask = tensor<int64_t>({1, 1, 1, 1, 1, 1, 1, 1, 0, 0}, {2, 5});
    for (const Tensor& key_mask : {Tensor(), mask}) {
      const Tensor w = attn.attention_weights(x, key_mask);  // (B, H, T, T)
      CHECK(w.shape() == Shape{2, 3, 5, 5});
      CHECK(max_difference(sum(w, {-1}), ones({2, 3, 5}, F64)) < 1e-12);
      if (causal) CHECK(max_difference(w, tril(w)) == 0);
      if (key_mask.defined()) CHECK(max(slice(select(w, 0, 1), 2, 3, 5)).item() == 0);
      const Tensor v = permute(reshape(slice(attn.qkv(x), 2, 24, 36), {2, 5, 3, 4}), {0, 2, 1, 3});
      const Tensor mixed = reshape(permute(matmul(w, v), {0, 2, 1, 3}), {2, 5, 12});
      CHECK(max_difference(attn(x, key_mask), attn.proj(mixed)) < 1e-12);
    }
  }
  CHECK_THROWS_AS(MultiHeadSelfAttention(10, 3), ValueError);
  CHECK_THROWS_AS(MultiHeadSelfAttention(10, 0), ValueError);
}

TEST_CASE("attention: dropout on the weights, in training only") {
  MultiHeadSelfAttention attn(8, 2, {.causal = true, .dropout = 0.5});
  const Tensor x = randn({1, 6, 8});
  const Tensor once = attn(x), twice = attn(x);
  CHECK(max_difference(once, twice) > 0);
  attn.eval();
  const Tensor still = attn(x);
  CHECK(max_difference(still, attn(x)) == 0);
  attn.train();
  attn.options.dropout = 1e-30;  // takes the path with dropout, which then drops nothing
  CHECK(max_difference(attn(x), still) < 1e-6);
  backward(sum(attn(x)));
  CHECK(max(abs(attn.qkv.weight.grad())).item() > 0);
}

TEST_CASE("attention: a row that sees nothing gives zeros and finite gradients") {
  MultiHeadSelfAttention attn(8, 2, {.causal = true, .dropout = 1e-30});
  const Tensor mask = tensor<int64_t>({0, 0, 1}, {1, 3}), x = randn({1, 3, 8});
  CHECK(max(abs(slice(attn.attention_weights(x, mask), 2, 0, 2))).item() == 0);
  for (double dropout : {0.0, 1e-30}) {
    attn.options.dropout = dropout;
    attn.zero_grad();
    backward(sum(square(attn(x, mask))));
    CHECK(std::isfinite(sum(attn.qkv.weight.grad()).item()));
  }
}

TEST_CASE("cache: one token at a time, or in pieces, equals the whole sequence at once") {
  NoGrad guard;
  const int64_t capacity = 16;
  TransformerBlock first(24, 4, {.causal = true}),
      second(24, 4, {.causal = true, .pre_norm = false});
  first.eval();
  second.eval();
  const Tensor x = randn({2, capacity, 24}), whole = second(first(x));
  for (const std::vector<int64_t>& pieces :
       {std::vector<int64_t>(16, 1), {5, 1, 7, 3}, {16}, {1, 15}}) {
    std::vector<KvCache> caches{first.attn.make_cache(2, capacity),
                                second.attn.make_cache(2, capacity)};
    std::vector<Tensor> out;
    int64_t at = 0;
    for (int64_t n : pieces) {
      out.push_back(second(first(slice(x, 1, at, at + n), caches[0]), caches[1]));
      at += n;
    }
    CHECK(caches[0].length == capacity);
    CHECK(max_difference(cat(out, 1), whole) < 1e-5);

    caches[0].length = 3;  // forget the rest, and continue from there
    CHECK(max_difference(first(slice(x, 1, 3, 6), caches[0]), slice(first(x), 1, 3, 6)) < 1e-5);
  }
}

TEST_CASE("cache: padding on the left is hidden") {
  NoGrad guard;
  MultiHeadSelfAttention attn(8, 2, {.causal = true});
  const Tensor x = randn({1, 4, 8});
  const Tensor padded = cat({randn({1, 2, 8}), x}, 1);
  KvCache cache = attn.make_cache(1, 6);
  const Tensor mask = tensor<int64_t>({0, 0, 1, 1, 1, 1}, {1, 6});
  Tensor last;
  for (int64_t i = 0; i < 6; ++i)
    last = attn(slice(padded, 1, i, i + 1), cache, slice(mask, 1, 0, i + 1));
  CHECK(max_difference(last, slice(attn(x), 1, 3, 4)) < 1e-5);
}

TEST_CASE("rotary: the same position is turned by the same bits") {
  const Tensor qkv = randn({2, 9, 24});
  const Tensor whole = rotary(qkv, 2);
  for (int64_t t = 0; t < 9; ++t)
    CHECK(max_difference(rotary(slice(qkv, 1, t, t + 1), 2, t), slice(whole, 1, t, t + 1)) == 0);
}

TEST_CASE("rotary: only distances count") {
  const int64_t far = 5000;
  const Tensor qkv = randn({1, 7, 24}, F64);
  const auto weights = [&](int64_t first) {
    const Tensor parts = permute(reshape(rotary(qkv, 2, first), {1, 7, 3, 2, 4}), {2, 0, 3, 1, 4});
    return attention_weights(select(parts, 0, 0), select(parts, 0, 1), {.causal = true});
  };
  CHECK(max_difference(weights(far), weights(0)) < 1e-10);
  const Tensor same = expand(slice(qkv, 1, 0, 1), {1, 7, 24});  // one token, seven times
  const Tensor w = rotary(same, 2);
  CHECK(max_difference(slice(w, 1, 0, 1), slice(w, 1, 6, 7)) > 0.1);
  CHECK(max_difference(slice(w, 2, 16, 24), slice(same, 2, 16, 24)) == 0);  // v
}

TEST_CASE("rotary: attention fused, with dropout, with its weights, and over a cache") {
  const NoGrad guard;
  MultiHeadSelfAttention attn(24, 3, {.causal = true, .dropout = 1e-30, .rotary = true});
  attn.to(F64);
  const Tensor x = randn({2, 9, 24}, F64), spelled_out = attn(x);  // with dropout, of nothing
  attn.eval();
  const Tensor fused = attn(x);
  CHECK(max_difference(fused, spelled_out) < 1e-12);
  const Tensor v = transpose(reshape(slice(attn.qkv(x), 2, 48, 72), {2, 9, 3, 8}), 1, 2);
  const Tensor mixed = transpose(matmul(attn.attention_weights(x), v), 1, 2);
  CHECK(max_difference(attn.proj(reshape(mixed, {2, 9, 24})), fused) < 1e-12);
  KvCache cache = attn.make_cache(2, 9);
  for (int64_t t = 0; t < 9; ++t)
    CHECK(max_difference(attn(slice(x, 1, t, t + 1), cache), slice(fused, 1, t, t + 1)) < 1e-12);
  attn.options.rotary = false;
  CHECK(max_difference(attn(x), fused) > 1e-3);
  CHECK_THROWS_WITH_AS(MultiHeadSelfAttention(9, 3, {.rotary = true}),
                       doctest::Contains("a head has 3"), ValueError);
}

TEST_CASE("attention: with qk_norm, the size of q and k does not matter") {
  const NoGrad guard;
  MultiHeadSelfAttention attn(24, 3, {.causal = true, .bias = false, .qk_norm = true});
  attn.to(F64);
  const Tensor x = randn({2, 5, 24}, F64), before = attn.attention_weights(x);
  raw::mul_(slice(attn.qkv.weight, 0, 0, 48), 100);
  CHECK(max_difference(attn.attention_weights(x), before) < 1e-4);  // but for the norm's eps
  const Tensor fused = attn(x);
  KvCache cache = attn.make_cache(2, 5);
  for (int64_t t = 0; t < 5; ++t)
    CHECK(max_difference(attn(slice(x, 1, t, t + 1), cache), slice(fused, 1, t, t + 1)) < 1e-12);
  raw::fill_(attn.q_norm->weight, 0);  // the gain says how sharply it looks: here, not at all
  CHECK(attn.attention_weights(x).to_vector<double>()[5 * 5 - 1] == doctest::Approx(0.2));
}

TEST_CASE("attention: rows that overlap in memory") {
  const Tensor q = randn({1, 2, 3, 4}, F64).set_requires_grad();
  // The gradient of a mean over T is one row, repeated.
  const auto pooled = [&](const Tensor& y) { return grad(sum(square(mean(y, {2}))), {q})[0]; };
  const Tensor fused = pooled(scaled_dot_product_attention(q, q, q));
  const Tensor plain = pooled(matmul(softmax(matmul(q, t(q)) * 0.5), q));
  CHECK(max_difference(fused, plain) < 1e-12);
  const Tensor column = randn({2, 3, 8, 1}, F64);  // as one row it has row stride 1
  const Tensor row = raw::transpose(column, 2, 3), keys = randn({2, 3, 5, 8}, F64);
  CHECK(max_difference(scaled_dot_product_attention(row, keys, keys),
                       scaled_dot_product_attention(raw::clone(row), keys, keys)) < 1e-12);
}

TEST_CASE("cache: a call that fails adds nothing") {
  MultiHeadSelfAttention attn(8, 2, {.causal = true});
  NoGrad guard;
  KvCache cache = attn.make_cache(2, 6);
  CHECK_THROWS_AS(attn(randn({2, 2, 8}), cache, ones({2, 5}, I64)), ShapeError);
  CHECK(cache.length == 0);
  CHECK_THROWS_WITH_AS(attn(randn({1, 2, 8}), cache), doctest::Contains("made for (2, 2, 6, 4)"),
                       ShapeError);
  CHECK(cache.length == 0);
}

TEST_CASE("cache: what it refuses") {
  MultiHeadSelfAttention attn(8, 2, {.causal = true}), both_ways(8, 2);
  KvCache cache = attn.make_cache(1, 4);
  const Tensor x = randn({1, 3, 8});
  CHECK(contains(message_of<GradError>([&] { attn(x, cache); }), "NoGrad"));
  NoGrad guard;
  attn(x, cache);
  CHECK(contains(message_of<ValueError>([&] { attn(x, cache); }), "3 of 4 positions are used"));
  CHECK(cache.length == 3);
  CHECK_THROWS_AS(both_ways(x, cache), ValueError);
  cache.length = -3;
  CHECK(contains(message_of<ValueError>([&] { attn(x, cache); }), "a length of -3"));
  cache.length = 3;
  KvCache other = attn.make_cache(2, 4);
  CHECK_THROWS_AS(attn(x, other), ShapeError);
  KvCache four_heads = MultiHeadSelfAttention(8, 4, {.causal = true}).make_cache(1, 4);
  CHECK(contains(message_of<ShapeError>([&] { attn(x, four_heads); }), "made for (1, 4, 4, 2)"));
  CHECK(other.length == 0);
  CHECK_THROWS_AS(attn(randn({3, 8}), cache), ShapeError);
}

TEST_CASE("transformer block: the gradient of every parameter, along a random direction") {
  for (bool pre_norm : {true, false})
    for (bool causal : {true, false}) {
      CAPTURE(pre_norm);
      CAPTURE(causal);
      TransformerBlock block(6, 2, {.causal = causal, .pre_norm = pre_norm, .mlp_ratio = 3});
      block.to(F64);
      const Tensor x = randn({2, 5, 6}, F64), weigh = randn({2, 5, 6}, F64);
      const auto loss = [&] { return sum(block(x) * weigh); };
      backward(loss());
      std::vector<Tensor> directions;
      double expected = 0;
      for (const auto& named : block.named_parameters()) {
        CAPTURE(named.first);
        const Tensor& p = named.second;
        REQUIRE(p.grad().defined());
        directions.push_back(randn(p.shape(), F64));
        expected += sum(p.grad() * directions.back()).item();
      }
      NoGrad guard;
      const auto shifted = [&](double h) {
        const auto params = block.parameters();
        for (size_t i = 0; i < params.size(); ++i) raw::add_(params[i], directions[i] * h);
        const double value = loss().item();
        for (size_t i = 0; i < params.size(); ++i) raw::add_(params[i], directions[i] * -h);
        return value;
      };
      const double h = 1e-5, got = (shifted(h) - shifted(-h)) / (2 * h);
      CHECK(got == doctest::Approx(expected).epsilon(1e-7));
    }
}
