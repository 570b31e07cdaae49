// A beginner's first lines: all of std and all of gradus at once. Then four names need their
// namespace, as the README says, because std has its own slice, stack, empty and any.
#include <bits/stdc++.h>
#include <doctest/doctest.h>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace std;
using namespace gradus;

TEST_CASE("names: everything but slice, stack, empty and any beside `using namespace std`") {
  const Tensor x = uniform({3, 3}, 0.5, 1.0), ids = arange(3), w = ones({3}), none;
  const vector<Tensor> each_of = {exp(x),
                                  log(x),
                                  sqrt(x),
                                  abs(x),
                                  sin(x),
                                  cos(x),
                                  erf(x),
                                  tanh(x),
                                  pow(x, 2),
                                  pow(x, x),
                                  sign(x),
                                  square(x),
                                  reciprocal(x),
                                  rsqrt(x),
                                  sigmoid(x),
                                  relu(x),
                                  gelu(x),
                                  silu(x),
                                  softplus(x),
                                  neg(x),
                                  add(x, x),
                                  sub(x, x),
                                  mul(x, x),
                                  div(x, x),
                                  clamp(x, 0, 1),
                                  maximum(x, x),
                                  minimum(x, x),
                                  max(x),
                                  min(x),
                                  max(x, {0}),
                                  min(x, {0}),
                                  sum(x),
                                  mean(x),
                                  var(x),
                                  logsumexp(x),
                                  cumsum(x, 0),
                                  softmax(x),
                                  log_softmax(x),
                                  layer_norm(x, w, w),
                                  rms_norm(x, w),
                                  dropout(x, 0.5),
                                  where(x > 0, x, x),
                                  masked_fill(x, x > 0, 1),
                                  reshape(x, {9}),
                                  flatten(x),
                                  permute(x, {1, 0}),
                                  transpose(x, 0, 1),
                                  t(x),
                                  select(x, 0, 0),
                                  expand(x, {2, 3, 3}),
                                  squeeze(x, 0),
                                  unsqueeze(x, 0),
                                  contiguous(x),
                                  clone(x),
                                  to(x, F64),
                                  cat({x, x}, 0),
                                  split(x, 1, 0)[0],
                                  tril(x),
                                  triu(x),
                                  matmul(x, x),
                                  linear(x, x),
                                  embedding(x, ids),
                                  index_select(x, 0, ids),
                                  gather(x, 0, expand(ids, {3, 3})),
                                  topk(x, 1).values,
                                  sort(x).values,
                                  argmax(x),
                                  argmin(x),
                                  eq(x, x),
                                  ne(x, x),
                                  lt(x, x),
                                  le(x, x),
                                  gt(x, x),
                                  ge(x, x),
                                  isfinite(x),
                                  ones({2}),
                                  zeros({2}),
                                  full({2}, 1),
                                  rand({2}),
                                  randn({2}),
                                  normal({2}, 0, 1),
                                  randint(0, 5, {2}),
                                  randperm(3),
                                  bernoulli(x),
                                  multinomial(x, 1),
                                  linspace(0, 1, 3),
                                  eye(3),
                                  tensor<float>({1}),
                                  mse_loss(x, x),
                                  cross_entropy(x, ids),
                                  gradus::slice(x, 0, 0, 1),
                                  squeeze(x),
                                  repeat(x, {2, 1}),
                                  diagonal(x),
                                  unbind(x)[0],
                                  isnan(x),
                                  all(x),
                                  gradus::any(x),
                                  nll_loss(x, ids),
                                  gradus::stack({x, x}, 0),
                                  gradus::empty({2})};
  for (const Tensor& each : each_of) CHECK(each.defined());
  Linear layer(3, 3);
  SGD optimizer(layer.parameters(), 0.1);
  backward(sum(layer(x)));
  clip_grad_norm(layer.parameters(), 1);
  optimizer.step();
  CHECK(gradcheck([](const auto& in) { return tanh(in[0]); }, {randn({2}, F64)}).ok);
}
