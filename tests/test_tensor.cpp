// The tensor itself: factories, views, printing, conversions, and what its errors say.
#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "autograd/ops.h"

using namespace gradus;

namespace {

using Ints = std::vector<int64_t>;

Tensor counting(const Shape& shape) { return reshape(arange(shape.numel()), shape); }
Ints ints(const Tensor& x) { return x.to_vector<int64_t>(); }

template <class E, class F>
void check_says(F&& f, const char* message) {
  CHECK_THROWS_WITH_AS(f(), message, E);
}

}  // namespace

TEST_CASE("tensor: factories") {
  CHECK(zeros({2, 3}).to_vector() == std::vector<float>(6, 0));
  CHECK(ones({2}, F64).dtype() == F64);
  CHECK(full({}, 2.5).item() == 2.5);
  CHECK(full({}, 2.5).dim() == 0);
  CHECK(ints(arange(4)) == Ints{0, 1, 2, 3});
  CHECK(ints(arange(7, 1, -2)) == Ints{7, 5, 3});
  CHECK(arange(0, 1, 0.25, F64).to_vector<double>() == std::vector<double>{0, 0.25, 0.5, 0.75});
  CHECK(arange(3, 3).numel() == 0);
  CHECK(linspace(1, 2, 3, F64).to_vector<double>() == std::vector<double>{1, 1.5, 2});
  CHECK(linspace(0, 1, 11, F64).to_vector<double>().back() == 1);
  CHECK(ints(eye(3, I64)) == Ints{1, 0, 0, 0, 1, 0, 0, 0, 1});
  CHECK(ints(tensor<int64_t>({1, 2, 3, 4}, {2, 2})) == Ints{1, 2, 3, 4});
  CHECK(zeros({0, 3}).numel() == 0);
  CHECK(ones_like(zeros({2, 3}, F64)).dtype() == F64);
  CHECK_THROWS_AS(zeros({2, -1}), ShapeError);
  CHECK_THROWS_AS(zeros({int64_t{1} << 40, int64_t{1} << 40}), ShapeError);
  CHECK_THROWS_AS(arange(0, 1, 0), ValueError);
  CHECK_THROWS_AS(arange(0, NAN), ValueError);
  check_says<ValueError>([] { arange(0, 1, 0.1); },
                         "arange: from 0 by 0.1 does not give int64; ask for F32 or F64");
  CHECK(full({}, 1e300).item() == INFINITY);
  CHECK_THROWS_AS(linspace(0, 1, 0), ValueError);
  check_says<ShapeError>(
      [] {
        tensor<float>({1, 2, 3}, {2, 2});
      },
      "tensor: 3 values do not fill the shape (2, 2)");
}

TEST_CASE("tensor: views share the numbers") {
  const Tensor x = counting({2, 3, 5});
  const Tensor views[] = {
      transpose(x, 0, 2),      permute(x, {1, 2, 0}), slice(x, 1, 1, 3),  select(x, 2, -1),
      expand(x, {7, 2, 3, 5}), unsqueeze(x, 1),       reshape(x, {6, 5}), x.detach()};
  for (const Tensor& v : views) CHECK(v.impl()->storage == x.impl()->storage);
  CHECK(ints(views[3]) == Ints{4, 9, 14, 19, 24, 29});
  raw::fill_(views[3], 100);
  CHECK(ints(select(x, 2, 4)) == Ints(6, 100));
  CHECK(ints(slice(x, 1, -2, 3, 1)).size() == 20);
  CHECK(slice(x, 2, 0, 99).shape() == Shape{2, 3, 5});  // ends are clamped, as in Python
  CHECK(slice(x, 2, 4, 2).shape() == Shape{2, 3, 0});
  CHECK(ints(slice(arange(7), 0, 1, 7, 3)) == Ints{1, 4});
  CHECK_FALSE(transpose(x, 0, 2).is_contiguous());
  CHECK(contiguous(transpose(x, 0, 2)).is_contiguous());
  CHECK(clone(x).impl()->storage != x.impl()->storage);
  CHECK(expand(x, {7, -1, -1, -1}).shape() == Shape{7, 2, 3, 5});
  CHECK(ints(t(counting({2, 3}))) == Ints{0, 3, 1, 4, 2, 5});
  CHECK(reshape(t(counting({2, 3})), {6}).to_vector<int64_t>() == Ints{0, 3, 1, 4, 2, 5});
}

TEST_CASE("tensor: what views refuse") {
  const Tensor x = counting({2, 3});
  check_says<ShapeError>(
      [&] {
        reshape(x, {4, 2});
      },
      "reshape: (2, 3) has 6 elements, (4, 2) has 8");
  check_says<ShapeError>(
      [&] {
        reshape(x, {4, -1});
      },
      "reshape: (2, 3) with 6 elements does not divide into (4, -1)");
  CHECK_THROWS_AS(reshape(x, {-1, -1}), ShapeError);
  CHECK_THROWS_AS(reshape(x, {-2, -3}), ShapeError);
  check_says<IndexError>([&] { transpose(x, 0, 2); },
                         "transpose: dimension 2 of a tensor with 2 dimensions");
  check_says<IndexError>([&] { select(x, 1, 3); }, "select: index 3 in a dimension of size 3");
  CHECK_THROWS_AS(select(x, 1, -4), IndexError);
  CHECK_THROWS_AS(permute(x, {0, 0}), IndexError);
  CHECK_THROWS_AS(permute(x, {0}), ShapeError);
  CHECK_THROWS_AS(expand(x, {5, 3}), ShapeError);
  CHECK_THROWS_AS(expand(x, {3}), ShapeError);
  CHECK(squeeze(x, 0).shape() == Shape{2, 3});  // as in PyTorch: nothing to drop
  CHECK_THROWS_AS(squeeze(x, 2), IndexError);
  CHECK_THROWS_AS(slice(x, 0, 0, 1, 0), ValueError);
  CHECK_THROWS_AS(x.size(2), IndexError);
  CHECK_THROWS_AS(cat({x, counting({2, 4})}, 0), ShapeError);
  CHECK_THROWS_AS(cat({}, 0), ValueError);
  CHECK_THROWS_AS(stack({x, counting({3, 2})}, 0), ShapeError);
  CHECK_THROWS_AS(sum(x, {0, -2}), IndexError);
}

TEST_CASE("tensor: an undefined tensor says so") {
  const Tensor none;
  CHECK_FALSE(none.defined());
  CHECK_FALSE(none.requires_grad());
  CHECK_THROWS_AS(none.shape(), Error);
  CHECK_THROWS_AS(none.dtype(), Error);
  CHECK_THROWS_AS(none.numel(), Error);
  CHECK_THROWS_AS(none + 1.0, Error);
  CHECK_THROWS_AS(none.strides(), Error);
  CHECK_THROWS_AS(none.device(), Error);
  CHECK_THROWS_AS(none.is_leaf(), Error);
  CHECK_THROWS_AS(none.grad(), Error);
  CHECK_THROWS_AS(none.zero_grad(), Error);
  CHECK_THROWS_AS(none.detach(), Error);
  CHECK_THROWS_AS(none.is_contiguous(), Error);
  CHECK_THROWS_AS(contiguous(none), Error);
  // The beginner's classic: asking for a gradient before backward().
  CHECK_THROWS_WITH_AS(ones({2}).grad().to_vector(), doctest::Contains("none before backward()"),
                       Error);
  CHECK(to_string(none) == "tensor(undefined)");
}

TEST_CASE("tensor: no silent promotion") {
  const Tensor f = ones({3}), d = ones({3}, F64), i = arange(3);
  check_says<DTypeError>([&] { f + d; }, "add: float32 with float64; convert one with to(x, F64)");
  check_says<DTypeError>([&] { f* i; }, "mul: float32 with int64; convert one with to(x, F32)");
  check_says<DTypeError>([&] { exp(i); }, "exp: not defined for int64; convert with to(x, F32)");
  CHECK_THROWS_AS(matmul(f, d), DTypeError);
  CHECK_THROWS_AS(cat({f, d}, 0), DTypeError);
  CHECK_THROWS_AS(where(f, f, f), DTypeError);
  CHECK_THROWS_AS(mean(i), DTypeError);
  CHECK_THROWS_AS(softmax(i), DTypeError);
  CHECK_THROWS_AS(index_select(f, 0, f), DTypeError);
  CHECK((f + 1.0).dtype() == F32);
  CHECK((d * 2.0).dtype() == F64);
  CHECK(ints(i * 2.0 + 1.0) == Ints{1, 3, 5});
  CHECK((f < 2.0).dtype() == I64);
}

TEST_CASE("tensor: what does not broadcast") {
  check_says<ShapeError>(
      [] {
        ones({2, 3}) + ones({2, 4});
      },
      "add: shapes (2, 3) and (2, 4) do not broadcast: 3 against 4");
  CHECK_THROWS_AS(ones({3}) * ones({2}), ShapeError);
  CHECK_THROWS_AS(where(lt(ones({2}), 2), ones({3}), ones({3})), ShapeError);
  check_says<ShapeError>(
      [] {
        matmul(ones({8, 64}), ones({32, 10}));
      },
      "matmul: inner sizes differ: (8, 64) @ (32, 10)");
  CHECK_THROWS_AS(matmul(ones({2, 3, 5}), ones({7, 5, 2})), ShapeError);
  CHECK_THROWS_AS(matmul(ones({}), ones({3})), ShapeError);
  CHECK_THROWS_AS(linear(ones({2, 3}), ones({5, 4})), ShapeError);
  CHECK_THROWS_AS(linear(ones({2, 3}), ones({5, 3}), ones({3})), ShapeError);
}

TEST_CASE("tensor: indices out of range are named") {
  const Tensor x = ones({5, 3});
  check_says<IndexError>(
      [&] {
        embedding(x, tensor<int64_t>({0, 4, 5}));
      },
      "embedding: index 5 at position 2 is outside [0, 5)");
  CHECK_THROWS_AS(embedding(x, tensor<int64_t>({-1})), IndexError);
  CHECK_THROWS_AS(index_select(x, 1, tensor<int64_t>({3})), IndexError);
  CHECK_THROWS_AS(gather(x, 0, full({1, 3}, 5, I64)), IndexError);
  CHECK_THROWS_AS(one_hot(tensor<int64_t>({7}), 7), IndexError);
  CHECK_THROWS_AS(cross_entropy(x, full({5}, 3, I64)), IndexError);
  CHECK_THROWS_AS(topk(x, 4), ValueError);
  CHECK(ints(one_hot(tensor<int64_t>({2, 0}), 3)) == Ints{0, 0, 1, 1, 0, 0});
}

TEST_CASE("tensor: data and item know their type") {
  const Tensor x = ones({2, 3});
  CHECK(x.data<float>()[5] == 1);
  check_says<DTypeError>([&] { x.data<double>(); },
                         "data: the tensor holds float32, not float64; convert with to(x, …)");
  CHECK_THROWS_AS(arange(3).data<float>(), DTypeError);
  check_says<ShapeError>([&] { x.item(); },
                         "item: a tensor of shape (2, 3) has 6 elements, not one");
  CHECK_THROWS_AS(zeros({0}).item(), ShapeError);
  CHECK(full({1, 1}, 7, I64).item_int() == 7);
  CHECK(slice(arange(9), 0, 2, 5).data<int64_t>()[0] == 2);
}

TEST_CASE("tensor: conversions") {
  const Tensor x = tensor<double>({1.75, -1.75, 1e300});
  CHECK(ints(to(slice(x, 0, 0, 2), I64)) == Ints{1, -1});  // toward zero
  CHECK(std::isinf(to(x, F32).to_vector()[2]));
  CHECK(to(x, F64).impl() == x.impl());
  const int64_t large = (int64_t{1} << 53) + 1;
  CHECK(tensor<int64_t>({large}).item_int() == large);
  CHECK(to(x, Device::CPU).impl() == x.impl());
  CHECK_THROWS_AS(zeros({2}, {F32, Device::CUDA}), DeviceError);
}

TEST_CASE("tensor: memory that belongs to somebody else") {
  float memory[] = {1, 2, 3, 4, 5, 6};
  int64_t released = 0;
  const int64_t before = Storage::live_count();
  {
    const std::shared_ptr<void> owner(memory, [&](void*) { ++released; });
    const Tensor x = from_memory(memory, {2, 3}, F32, owner);
    CHECK(x.data<float>() == memory);
    raw::fill_(select(x, 0, 1), 9);
    CHECK(memory[4] == 9);
    CHECK(sum(x).item() == 1 + 2 + 3 + 27);
  }
  CHECK(released == 1);
  CHECK(Storage::live_count() == before);
  check_says<ValueError>([] { from_memory(nullptr, {2}, F32); },
                         "from_memory: a null pointer for shape (2,)");
  CHECK(from_memory(nullptr, {0, 3}, F64).numel() == 0);
}

TEST_CASE("tensor: comparisons and masks") {
  const Tensor a = tensor<double>({1, 2, 3}), b = tensor<double>({3, 2, 1});
  CHECK(ints(eq(a, b)) == Ints{0, 1, 0});
  CHECK(ints(ne(a, b)) == Ints{1, 0, 1});
  CHECK(ints(a < b) == Ints{1, 0, 0});
  CHECK(ints(a > b) == Ints{0, 0, 1});
  CHECK(ints(le(a, 2)) == Ints{1, 1, 0});
  CHECK(ints(ge(a, 2)) == Ints{0, 1, 1});
  const Tensor nan = full({2}, NAN);
  CHECK(ints(eq(nan, nan)) == Ints{0, 0});
  CHECK(ints(ne(nan, nan)) == Ints{1, 1});
  CHECK(ints(isfinite(tensor<double>({1, INFINITY, -INFINITY, NAN}))) == Ints{1, 0, 0, 0});
}

TEST_CASE("tensor: prints as NumPy does") {
  CHECK(to_string(arange(3)) == "[0, 1, 2]");
  CHECK(to_string(counting({2, 3})) == "[[0, 1, 2],\n [3, 4, 5]]");
  CHECK(to_string(counting({2, 1, 2})) == "[[[0, 1]],\n\n [[2, 3]]]");
  CHECK(to_string(tensor<float>({1, -2, 10}), 4) == "[ 1., -2., 10.]");
  CHECK(to_string(tensor<double>({0.5, -12.25, 3})) == "[  0.5 , -12.25,   3.  ]");
  CHECK(to_string(tensor<double>({0.5, -12.25}), 1) == "[  0.5, -12.2]");
  CHECK(to_string(tensor<double>({0.001, 10})) == "[1.e-03, 1.e+01]");
  CHECK(to_string(tensor<double>({1.5e-8, 2})) == "[1.5e-08, 2.0e+00]");
  CHECK(to_string(tensor<float>({1e-4F, 1e-3F})) == "[0.0001, 0.001 ]");
  CHECK(to_string(zeros({3})) == "[0., 0., 0.]");
  CHECK(to_string(full({}, 7, I64)) == "7");
  CHECK(to_string(tensor<double>({NAN, INFINITY, -INFINITY, 1})) == "[ nan,  inf, -inf,   1.]");
  CHECK(to_string(zeros({0})) == "[]");
  CHECK(to_string(zeros({2, 0, 3})) == "[]");
  CHECK(to_string(arange(30)) ==
        "[ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
        " 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]");
  CHECK(to_string(reshape(arange(0, 38, 1, F64), {2, 19})) ==
        "[[ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
        "  14., 15., 16., 17., 18.],\n"
        " [19., 20., 21., 22., 23., 24., 25., 26., 27., 28., 29., 30., 31., 32.,\n"
        "  33., 34., 35., 36., 37.]]");
  CHECK(to_string(arange(2000)) == "[   0,    1,    2, ..., 1997, 1998, 1999]");
  CHECK(to_string(t(counting({2, 3}))) == "[[0, 3],\n [1, 4],\n [2, 5]]");
  std::ostringstream out;
  out << arange(2);
  CHECK(out.str() == "[0, 1]");
  CHECK(fmt::format("{}", arange(2)) == "[0, 1]");
  CHECK(Shape{}.str() == "()");
  CHECK(Shape{3}.str() == "(3,)");
}
