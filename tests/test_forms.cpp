// Forms of ops and losses that people know from elsewhere, and that the op table does not cover.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "tests/compare.h"

using namespace gradus;

namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Integers = std::vector<int64_t>;
using Numbers = std::vector<double>;
}  // namespace

TEST_CASE("forms: the scalar first") {
  const Tensor x = tensor<double>({1, 2, 3});
  CHECK((2 < x).to_vector<int64_t>() == Integers{0, 0, 1});
  CHECK((2 > x).to_vector<int64_t>() == Integers{1, 0, 0});
  CHECK((2 <= x).to_vector<int64_t>() == Integers{0, 1, 1});
  CHECK((2 >= x).to_vector<int64_t>() == Integers{1, 1, 0});
  CHECK(pow(2, x).to_vector<double>() == Numbers{2, 4, 8});
}

TEST_CASE("forms: any, all, isnan") {
  const Tensor x = tensor<double>({0, kNaN, 0, 0, 2, 3}, {3, 2});
  CHECK(any(x, {1}).to_vector<int64_t>() == Integers{1, 0, 1});
  CHECK(all(x, {1}).to_vector<int64_t>() == Integers{0, 0, 1});
  CHECK(any(x).item_int() == 1);
  CHECK(all(x, {}, true).shape() == Shape{1, 1});
  CHECK(any(zeros({0, 3})).item_int() == 0);
  CHECK(all(zeros({0, 3})).item_int() == 1);
  CHECK(any(arange(3) > 1).item_int() == 1);
  CHECK(isnan(x).to_vector<int64_t>() == Integers{0, 1, 0, 0, 0, 0});
}

TEST_CASE("forms: bounds of clamp as tensors") {
  const Tensor x = tensor<double>({0, -2, 2, 1}).set_requires_grad(),
               low = tensor<double>({1, -1, -1, 1}).set_requires_grad(),
               high = tensor<double>({-1, 1, 1, 1}).set_requires_grad();
  const Tensor y = clamp(x, low, high);
  CHECK(y.to_vector<double>() == Numbers{-1, -1, 1, 1});
  const auto g = grad(sum(y), {x, low, high});  // PyTorch's values and gradients
  CHECK(g[0].to_vector<double>() == Numbers{0, 0, 0, 1});
  CHECK(g[1].to_vector<double>() == Numbers{0, 1, 0, 0});
  CHECK(g[2].to_vector<double>() == Numbers{1, 0, 1, 0});
  CHECK(clamp(x, low, {}).to_vector<double>() == Numbers{1, -1, 2, 1});
  CHECK(clamp(x, {}, high).to_vector<double>() == Numbers{-1, -2, 1, 1});
  CHECK(std::isnan(clamp(x, full({}, kNaN, F64), high).to_vector<double>()[1]));
  CHECK_THROWS_AS(clamp(x, Tensor(), Tensor()), ValueError);
}

TEST_CASE("forms: pieces, repetitions, diagonals") {
  const Tensor x = reshape(arange(12), {3, 4});
  const auto pieces = split_with_sizes(x, {1, 0, 3}, 1);
  CHECK(pieces[1].shape() == Shape{3, 0});
  CHECK(pieces[2].to_vector<int64_t>() == Integers{1, 2, 3, 5, 6, 7, 9, 10, 11});
  CHECK_THROWS_WITH_AS(split_with_sizes(x, {1, 2}, 1), doctest::Contains("1 of 4 are in no piece"),
                       ValueError);
  CHECK_THROWS_AS(split_with_sizes(x, {5, -1}, 1), ValueError);
  CHECK_THROWS_AS(split_with_sizes(x, {-1, 5}, 1), ValueError);
  CHECK(unbind(x, -1)[3].to_vector<int64_t>() == Integers{3, 7, 11});
  CHECK(repeat(tensor<int64_t>({1, 2}), {2, 2}).to_vector<int64_t>() ==
        Integers{1, 2, 1, 2, 1, 2, 1, 2});
  CHECK(repeat(x, {0, 1}).shape() == Shape{0, 4});
  CHECK(repeat(full({}, 3), {2}).shape() == Shape{2});
  const Tensor deep = reshape(arange(4), {1, 2, 1, 1, 1, 1, 1, 2});
  CHECK(repeat(deep, {1, 2, 1, 1, 1, 1, 1, 2}).to_vector<int64_t>() ==
        Integers{0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3});
  CHECK_THROWS_AS(repeat(x, {2}), ShapeError);
  CHECK_THROWS_AS(repeat(x, {-1, 2}), ValueError);
  CHECK_THROWS_AS(repeat(x, {INT64_MAX, INT64_MAX}), ShapeError);
  CHECK(diagonal(x, -2).to_vector<int64_t>() == Integers{8});
  for (const int64_t far : {int64_t{4}, int64_t{-3}, INT64_MAX, INT64_MIN})
    CHECK(diagonal(x, far).shape() == Shape{0});
  CHECK_THROWS_AS(diagonal(x, 0, 1, -1), ShapeError);
  CHECK(squeeze(ones({1, 1})).shape() == Shape{});
}

TEST_CASE("forms: 0-d tensors and indices") {
  const Tensor x = full({}, 5, F64), first = full({}, 0, I64);
  CHECK(gather(x, 0, tensor<int64_t>({0, 0})).shape() == Shape{2});
  CHECK(index_select(x, 0, tensor<int64_t>({0})).shape() == Shape{});
  CHECK(index_select(ones({3, 4}), 0, first).shape() == Shape{1, 4});
  CHECK(scatter_add(x, 0, first, x).item() == 10);
  CHECK_THROWS_AS(gather(x, 0, full({}, 1, I64)), IndexError);
}

TEST_CASE("forms: losses") {
  const Tensor x = log_softmax(randn({4, 3}, F64)), t = softmax(randn({4, 3}, F64));
  const double summed = kl_div(x, t, Reduction::Sum).item();
  CHECK(kl_div(x, t, Reduction::BatchMean).item() == doctest::Approx(summed / 4).epsilon(1e-12));
  CHECK(kl_div(x, log(t), Reduction::Sum, true).item() == doctest::Approx(summed).epsilon(1e-12));
  CHECK_THROWS_AS(kl_div(full({}, 0), full({}, 1), Reduction::BatchMean), ShapeError);

  const Tensor far = tensor<double>({0.2, 3, -1}), zero = zeros({3}, F64);
  CHECK(smooth_l1_loss(far, zero, 0.5, Reduction::Sum).item() ==
        doctest::Approx(0.04 + 2.75 + 0.75).epsilon(1e-12));
  CHECK(smooth_l1_loss(far, zero, 0, Reduction::Sum).item() == doctest::Approx(4.2));
  CHECK_THROWS_AS(smooth_l1_loss(far, zero, -1), ValueError);

  const Tensor ids = tensor<int64_t>({0, 2, 1, 2}), w = tensor<double>({1, 0, 2});
  CHECK(nll_loss(x, ids).item() == doctest::Approx(cross_entropy(x, ids).item()).epsilon(1e-12));
  CHECK_THROWS_AS(nll_loss(x, ids, {.label_smoothing = 0.1}), ValueError);
  CHECK_THROWS_AS(nll_loss(x, t), DTypeError);
  CHECK_THROWS_AS(cross_entropy(x, ids, {.weight = ones({4}, F64)}), ShapeError);
  CHECK_THROWS_AS(cross_entropy(x, ids, {.weight = ones({3})}), DTypeError);
  CHECK_THROWS_AS(cross_entropy(x, ids, {.reduction = Reduction::BatchMean}), ValueError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, ones_like(ids), {.weight = w}),
                       doctest::Contains("so there is no mean"), ValueError);
  CHECK(cross_entropy(x, t, {.weight = ones({3}, F64)}).item() ==
        doctest::Approx(cross_entropy(x, t).item()).epsilon(1e-12));
  CHECK_THROWS_WITH_AS(cross_entropy(randn({4, 3, 5}), zeros({4, 5}, I64)),
                       doctest::Contains("move PyTorch's dimension 1 with permute"), ShapeError);
}

TEST_CASE("forms: attention without heads, with a mask of scores, with dropout") {
  const Tensor q = randn({2, 5, 4}, F64), k = randn({2, 7, 4}, F64), v = randn({2, 7, 4}, F64);
  const auto with_heads = [&](const AttentionOptions& o) {
    return squeeze(
        scaled_dot_product_attention(unsqueeze(q, 1), unsqueeze(k, 1), unsqueeze(v, 1), o), 1);
  };
  CHECK(max_difference(scaled_dot_product_attention(q, k, v), with_heads({})) == 0);
  const Tensor bias = randn({2, 5, 7}, F64);
  CHECK(max_difference(scaled_dot_product_attention(q, k, v, {.attn_mask = bias}),
                       with_heads({.attn_mask = unsqueeze(bias, 1)})) == 0);
  const Tensor hidden = zeros({7}, I64);  // every key from every query
  CHECK(max(abs(scaled_dot_product_attention(q, k, v, {.attn_mask = hidden}))).item() == 0);
  const Tensor see_all = ones({5, 7}, I64);
  for (const bool causal : {false, true})
    CHECK(max_difference(
              scaled_dot_product_attention(q, k, v, {.causal = causal, .attn_mask = see_all}),
              scaled_dot_product_attention(q, k, v, {.causal = causal})) < 1e-14);
  CHECK_THROWS_AS(scaled_dot_product_attention(q, k, v, {.attn_mask = ones({3, 7}, I64)}),
                  ShapeError);
  CHECK_THROWS_AS(scaled_dot_product_attention(q, k, v, {.attn_mask = ones({5, 7})}), DTypeError);
  CHECK_THROWS_AS(scaled_dot_product_attention(q, k, v, {.dropout = 1}), ValueError);
  CHECK_THROWS_AS(
      scaled_dot_product_attention(randn({2, 3, 5, 4}), randn({2, 2, 5, 4}), randn({2, 2, 5, 4})),
      ShapeError);

  // Dropout keeps the mean: the mean of many draws is near the output without dropout.
  Tensor total = zeros({2, 5, 4}, F64);
  for (int i = 0; i < 2000; ++i) total += scaled_dot_product_attention(q, k, v, {.dropout = 0.25});
  CHECK(max_difference(total / 2000, scaled_dot_product_attention(q, k, v)) < 0.1);
  const Tensor packed = randn({2, 5, 24}, F64);
  CHECK(max_difference(packed_attention(packed, 2, {.attn_mask = ones({5, 5}, I64)}),
                       packed_attention(packed, 2)) < 1e-14);
  CHECK(max_difference(packed_attention(packed, 2, {.dropout = 0.5}), packed_attention(packed, 2)) >
        1e-3);
}

TEST_CASE("forms: attention to huge equal scores shares its gradient equally") {
  for (const DType dtype : {F32, F64})
    for (const int64_t queries : {int64_t{1}, int64_t{3}, int64_t{70}}) {
      CAPTURE(queries);
      const Tensor q = full({1, 1, queries, 1}, 3e3, dtype), k = full({1, 1, 4, 1}, 3e3, dtype);
      const Tensor v = ones({1, 1, 4, 1}, dtype).set_requires_grad();
      backward(sum(scaled_dot_product_attention(q, k, v, {.scale = 1})));
      for (const double g : v.grad().to_vector<double>())
        CHECK(g == static_cast<double>(queries) / 4);
    }
}
