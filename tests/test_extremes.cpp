// Integers at the ends of their range, in every integer argument. The result is an error or right,
// with a sensible shape, and the sanitizers see no overflow on the way.
#include <doctest/doctest.h>

#include <limits>

#include "autograd/engine.h"
#include "nn/nn.h"

using namespace gradus;

namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(),
                  kMax = std::numeric_limits<int64_t>::max();
const std::vector<int64_t> kExtremes = {
    kMin, kMin + 1,         -(int64_t{1} << 32), -4,       -1,  0, 1, 2,
    3,    int64_t{1} << 31, int64_t{1} << 62,    kMax - 1, kMax};
const std::vector<int> kDims = {std::numeric_limits<int>::min(), -4, -3, -1, 0, 2, 3,
                                std::numeric_limits<int>::max()};

/// Runs f. Its result has no negative size, its elements can be read, and backward works.
void sane(const std::function<Tensor()>& f) {
  try {
    const Tensor x = f();
    for (const int64_t n : x.shape()) CHECK(n >= 0);
    if (x.numel() < 1000) x.to_vector<double>();
    if (x.requires_grad() && x.numel() < 1000) backward(x, ones_like(x));
  } catch (const Error&) {}
}

/// The same for every n and d, with an x that requires a gradient.
void sweep(const std::function<Tensor(const Tensor& x, int64_t n, int d)>& f) {
  for (const int64_t n : kExtremes)
    for (const int d : kDims) sane([&] { return f(randn({2, 3, 6}).set_requires_grad(), n, d); });
}

}  // namespace

TEST_CASE("extreme integers: shapes and views") {
  for (const int64_t start : kExtremes)
    for (const int64_t end : kExtremes)
      for (const int64_t step : kExtremes)
        sane([&] { return slice(randn({2, 3}).set_requires_grad(), 1, start, end, step); });
  CHECK(slice(ones({2, 3}), 1, 0, 3, kMax).shape() == Shape{2, 1});
  CHECK_THROWS_AS(slice(ones({2, 3}), 1, 0, 3, kMin), ValueError);
  sweep([](const Tensor& x, int64_t n, int d) { return slice(x, d, n, kMax); });
  sweep([](const Tensor& x, int64_t n, int d) { return select(x, d, n); });
  sweep([](const Tensor& x, int64_t n, int) { return reshape(x, {n, 6}); });
  sweep([](const Tensor& x, int64_t n, int) { return reshape(x, {n, n}); });
  sweep([](const Tensor& x, int64_t n, int) { return expand(x, {n, 2, 3, 6}); });
  sweep([](const Tensor& x, int64_t n, int) { return expand(slice(x, 0, 0, 1), {n, 3, 6}); });
  sweep([](const Tensor& x, int64_t, int d) { return flatten(x, d); });
  sweep([](const Tensor& x, int64_t, int d) { return transpose(x, d, 0); });
  sweep([](const Tensor& x, int64_t, int d) { return permute(x, {d, 1, 0}); });
  sweep([](const Tensor& x, int64_t, int d) { return squeeze(x, d); });
  sweep([](const Tensor& x, int64_t, int d) { return unsqueeze(x, d); });
  sweep([](const Tensor& x, int64_t, int d) { return cat({x, x}, d); });
  sweep([](const Tensor& x, int64_t, int d) { return stack({x, x}, d); });
  sweep([](const Tensor& x, int64_t n, int d) { return split(x, n, d).at(0); });
  sweep([](const Tensor& x, int64_t n, int) { return tril(x, n); });
  sweep([](const Tensor& x, int64_t n, int) { return triu(x, n); });
}

TEST_CASE("extreme integers: factories") {
  for (const int64_t n : kExtremes) {
    if (n > 3 && n < int64_t{1} << 60) continue;  // 2^31 floats are a sensible request
    sane([&] { return empty({n}); });
    sane([&] { return empty({n, n}); });
    sane([&] { return arange(n); });
    sane([&] { return linspace(0, 1, n); });
    sane([&] { return eye(n); });
    sane([&] { return randperm(n); });
    sane([&] { return randint(n, kMax, {2}); });
    sane([&] { return randint(kMin, n, {2}); });
    sane([&] { return multinomial(ones({3}), n); });
  }
}

TEST_CASE("extreme integers: reductions, indices, rows") {
  sweep([](const Tensor& x, int64_t, int d) { return sum(x, {d}); });
  sweep([](const Tensor& x, int64_t, int d) { return max(x, {d}); });
  sweep([](const Tensor& x, int64_t n, int d) { return var(x, {d}, false, n); });
  CHECK_THROWS_AS(var(ones({3}), {}, false, kMax), ValueError);
  sweep([](const Tensor& x, int64_t, int d) { return logsumexp(x, {d}); });
  sweep([](const Tensor& x, int64_t, int d) { return cumsum(x, d); });
  sweep([](const Tensor& x, int64_t, int d) { return argmax(x, d); });
  sweep([](const Tensor& x, int64_t n, int d) { return topk(x, n, d).values; });
  sweep([](const Tensor& x, int64_t, int d) { return softmax(x, d); });
  sweep([](const Tensor& x, int64_t n, int d) {
    return index_select(x, d, tensor<int64_t>({n, 0}));
  });
  sweep([](const Tensor& x, int64_t n, int d) {
    return gather(x, d, tensor<int64_t>({n}, {1, 1, 1}));
  });
  sweep([](const Tensor& x, int64_t n, int) {
    return embedding(reshape(x, {6, 6}), tensor<int64_t>({n, 0}));
  });
  sweep([](const Tensor& x, int64_t n, int) {
    return cross_entropy(reshape(x, {6, 6}), full({6}, 1, I64) * static_cast<double>(n % 1000));
  });
  sweep([](const Tensor& x, int64_t n, int) {
    return cross_entropy(reshape(x, {6, 6}), tensor<int64_t>({n, 1, 2, 3, 4, 5}, {6}),
                         {.ignore_index = n});
  });
  sweep([](const Tensor& x, int64_t n, int) { return packed_attention(x, n); });
  sweep([](const Tensor& x, int64_t n, int) { return rotary(x, n); });
  sweep([](const Tensor& x, int64_t n, int) { return rotary(x, 1, n); });
}

TEST_CASE("extreme integers: layers") {
  for (const int64_t n : kExtremes) {
    if (n > 3 && n < int64_t{1} << 60) continue;
    sane([&] { return Linear(n, 2).weight; });
    sane([&] { return Linear(2, n).weight; });
    sane([&] { return Linear(n, n).weight; });
    sane([&] { return Embedding(n, n).weight; });
    sane([&] { return LayerNorm(n).weight; });
    sane([&] { return MultiHeadSelfAttention(n, 2).qkv.weight; });
    sane([&] { return MultiHeadSelfAttention(6, n).qkv.weight; });
    sane([&] { return TransformerBlock(6, n).mlp.fc.weight; });
    sane([&] { return TransformerBlock(6, 2, {.mlp_ratio = n}).mlp.fc.weight; });
    sane([&] { return MultiHeadSelfAttention(6, 2).make_cache(n, n).k; });
  }
}
