// What raw operations check before a kernel trusts it. Each of these would otherwise read floats
// where integers are, or memory that is not the tensor's.
#include <doctest/doctest.h>

#include "autograd/ops.h"

using namespace gradus;

TEST_CASE("boundary: raw operations check what the kernels trust") {
  const Tensor x = randn({3, 4}), w = ones({4}), ids = arange(4), narrow = ones({3});
  const Tensor wide = ones({3, 4}, F64), row = zeros({3});
  CHECK_THROWS_WITH_AS(raw::softmax(ids), doctest::Contains("softmax: not defined for int64"),
                       DTypeError);
  CHECK_THROWS_AS(raw::log_softmax(ids), DTypeError);
  CHECK_THROWS_AS(raw::softmax_backward(narrow, x), ShapeError);
  CHECK_THROWS_AS(raw::log_softmax_backward(wide, x), DTypeError);
  CHECK_THROWS_WITH_AS(raw::layer_norm(x, to(w, F64), w, 1e-5),
                       doctest::Contains("x is float32, weight is float64"), DTypeError);
  CHECK_THROWS_AS(raw::layer_norm(x, w, narrow, 1e-5), ShapeError);
  CHECK_THROWS_AS(raw::layer_norm_backward(narrow, x, w, row, row), ShapeError);
  CHECK_THROWS_AS(raw::rms_norm(x, narrow, 1e-5), ShapeError);
  CHECK_THROWS_AS(raw::rms_norm_backward(wide, x, w, row), DTypeError);
  CHECK_THROWS_AS(raw::cross_entropy(x, narrow, -100, 0), DTypeError);
  CHECK_THROWS_AS(raw::cross_entropy(x, ids, -100, 0), ShapeError);
  CHECK_THROWS_AS(raw::cross_entropy(x, full({3}, 4, I64), -100, 0), IndexError);
  CHECK_THROWS_AS(raw::cross_entropy(ids, full({}, 1, I64), -100, 0), DTypeError);
  CHECK_THROWS_AS(raw::dropout(ids, {1, 0}, 0.5), DTypeError);
  CHECK_THROWS_AS(raw::uniform_(ids, {1, 0}, 0, 1), DTypeError);
  const Tensor q = ones({1, 2, 3, 4}), k = ones({1, 2, 5, 4}), out = empty({1, 2, 3, 4});
  CHECK_THROWS_AS(raw::attention_({q, k, q, {}, false, 1}, out), ShapeError);
  CHECK_THROWS_AS(raw::attention_({q, k, k, {}, false, 1}, k), ShapeError);
  CHECK_THROWS_AS(raw::attention_({q, k, to(k, F64), {}, false, 1}, out), DTypeError);
  CHECK_THROWS_AS(raw::attention_({q, k, k, ones({1, 5}), false, 1}, out), DTypeError);
  CHECK_THROWS_AS(raw::attention_({q, k, k, ones({5}, I64), false, 1}, out), ShapeError);
  // What is written must be where a kernel writes: not between, beside or over other elements.
  const Tensor gaps = slice(zeros({3, 8}), 1, 0, 8, 2), thin = expand(zeros({1}), {1000});
  CHECK_THROWS_AS(raw::uniform_(gaps, {1, 0}, 0, 1), ValueError);
  CHECK_THROWS_AS(raw::normal_(thin, {1, 0}, 0, 1), ValueError);
  CHECK_THROWS_AS(raw::from_host_(thin, nullptr), ValueError);
  CHECK_THROWS_AS(raw::attention_({q, k, k, {}, false, 1}, transpose(empty({1, 2, 4, 3}), 2, 3)),
                  ValueError);
  const Tensor stats = ones({1, 2, 3, 2}), dk = empty({1, 2, 5, 4});
  const auto attention_backward = [&](const Tensor& statistics, const Tensor& dq) {
    raw::attention_backward_({q, k, k, {}, false, 1}, q, q, statistics, dq, dk, dk);
  };
  CHECK_THROWS_AS(attention_backward(ones({1}), empty({1, 2, 3, 4})), ShapeError);
  CHECK_THROWS_AS(attention_backward(stats, empty({1})), ShapeError);
  CHECK_THROWS_AS(attention_backward(stats, empty({1, 2, 3, 4}, F64)), DTypeError);
  CHECK_THROWS_AS(raw::layer_norm_backward(x, x, w, ones({1}), row), ShapeError);
  CHECK_THROWS_AS(raw::rms_norm_backward(x, x, to(w, F64), row), DTypeError);
  const Tensor lse = ones({3, 2}), wrong = full({3}, 200'000'000, I64), good = full({3}, 1, I64);
  CHECK_THROWS_AS(raw::cross_entropy_backward(narrow, x, wrong, lse, -100, 0), IndexError);
  CHECK_THROWS_AS(raw::cross_entropy_backward(narrow, x, good, ones({1}), -100, 0), ShapeError);
  CHECK_THROWS_AS(raw::as_strided(x, {100}, {1}, 0), IndexError);
  CHECK_THROWS_AS(raw::as_strided(x, {2}, {-1}, 0), IndexError);
  CHECK_THROWS_AS(raw::mul_(arange(3), 0.5), ValueError);
  CHECK_THROWS_AS(raw::check_indices("x", narrow, 3), DTypeError);
  CHECK_THROWS_AS(raw::dropout(x, {1, 0}, 7), ValueError);
}
