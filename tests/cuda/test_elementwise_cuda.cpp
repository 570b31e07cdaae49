// Copies, conversions and every elementwise functor on Device::CUDA against the CPU's: all dtypes,
// all layouts, and what is special about floating point.
#include "tensor/random.h"
#include "tests/cuda/agree.h"

using namespace gradus;
using namespace gradus::test;

namespace {

constexpr DType kTypes[] = {F32, F64, I64};

Tensor numbers(const Shape& shape, DType dtype) {
  Generator generator(3);
  return raw::to(uniform(shape, -9, 9, F64, generator), dtype);
}

/// Every second element of a larger buffer, not from its start.
Tensor with_gaps(const Tensor& x) {
  Shape wide = x.shape();
  wide[wide.size() - 1] = 2 * wide.back() + 1;
  const Tensor view = raw::slice(full(wide, 3, x.options()), -1, 1, wide.back(), 2);
  raw::copy_(view, x);
  return view;
}

/// Zeros of both signs, ends of ranges, infinities and NaN, each met by each.
Tensor special(DType dtype) {
  const std::vector<double> all = {0.0,  -0.0, 1,    -1,   0.5,  -2.5,  3,   1e-30,
                                   80.0, -80., 1e30, -1e9, kInf, -kInf, kNaN};
  return raw::to(tensor(all), dtype);
}

std::vector<UnaryOp> unary_ops() {
  using namespace scalar;
  std::vector<UnaryOp> ops = every<UnaryOp>();
  for (const UnaryOp& op : std::vector<UnaryOp>{LeakyRelu{.1}, AddScalar{2}, MulScalar{-3},
                                                PowScalar{1.5}, Clamp{-1, 2}})
    ops.push_back(op);
  return ops;
}
std::vector<BinaryOp> binary_ops() {
  std::vector<BinaryOp> ops = every<BinaryOp>();
  ops.push_back(scalar::LeakyReluBackward{.1});
  return ops;
}

template <class Op>
bool takes(const Op& op, DType dtype) {
  return dtype != I64 || std::visit([](auto f) { return f.integers; }, op);
}

}  // namespace

TEST_CASE("cuda elementwise: fill and copy, to every dtype, in every layout") {
  for (const DType from : kTypes)
    for (const DType to : kTypes)
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{7}, Shape{3, 0, 2},
                                 Shape{33, 70}, Shape{2, 3, 5, 7}, Shape{3000}}) {
        CAPTURE(shape.str());
        agree({numbers(shape, from)}, [&](Backend& device, const Tensors& in) {
          Tensors out;
          const auto copied = [&](const Tensor& x) {
            out.push_back(full(x.shape(), -1, {to, x.device()}));
            device.copy(x.view(), out.back().view());
          };
          const Tensor& x = in[0];
          copied(x);
          out.push_back(empty(shape, {to, x.device()}));
          device.fill(2.5, out.back().view());
          if (x.dim() == 0) return out;
          copied(raw::transpose(x, 0, -1));
          copied(with_gaps(x));
          const Tensor gaps = with_gaps(full(shape, 0, {to, x.device()}));
          device.copy(x.view(), gaps.view());
          out.push_back(raw::clone(gaps));
          if (x.shape()[0] > 0) copied(raw::expand(raw::slice(x, 0, 0, 1), x.shape()));
          return out;
        });
      }
}

TEST_CASE("cuda elementwise: transposes by tiles") {
  for (const DType dtype : kTypes)
    for (const Shape& shape :
         {Shape{2, 2}, Shape{31, 33}, Shape{32, 64}, Shape{1, 100}, Shape{100, 1}, Shape{5, 300}}) {
      CAPTURE(shape.str());
      agree({numbers(shape, dtype)}, [](Backend&, const Tensors& in) -> Tensors {
        const Tensor x = raw::transpose(in[0], 0, 1);
        const Tensor part = raw::slice(raw::slice(x, 0, 1, x.shape()[0]), 1, 0, x.shape()[1] - 1);
        return {raw::clone(x), raw::clone(part)};
      });
    }
}

TEST_CASE("cuda elementwise: every functor") {
  for (const DType dtype : kTypes) {
    const Tensor x = numbers({3, 5, 7}, dtype), y = raw::transpose(numbers({7, 5, 3}, dtype), 0, 2);
    const Tensor row = numbers({7}, dtype), ends = dtype == I64 ? x : special(dtype);
    agree({x, y, row, ends}, [&](Backend&, const Tensors& in) {
      // y has arrived contiguous; the walk shall not be flat
      const Tensor strided = raw::transpose(raw::clone(raw::transpose(in[1], 0, 2)), 0, 2);
      const Tensor across = raw::unsqueeze(in[3], -1);
      Tensors out;
      for (const UnaryOp& op : unary_ops()) {
        if (!takes(op, dtype)) continue;
        for (const Tensor& v : {in[0], strided, in[3]}) out.push_back(raw::unary(op, v));
      }
      for (const BinaryOp& op : binary_ops()) {
        if (!takes(op, dtype)) continue;
        out.push_back(raw::binary(op, in[0], strided));
        out.push_back(raw::binary(op, in[0], in[2]));
        if (dtype != I64) out.push_back(raw::binary(op, in[3], across));
      }
      for (const CompareOp& op : every<CompareOp>()) {
        out.push_back(raw::compare(op, in[0], strided));
        out.push_back(raw::compare(op, in[2], in[2]));
        if (dtype != I64) out.push_back(raw::compare(op, in[3], across));
      }
      return out;
    });
  }
}

TEST_CASE("cuda elementwise: where") {
  for (const DType dtype : kTypes) {
    Generator generator(5);
    const Tensor mask = randint(0, 2, {5, 1}, generator);
    agree({mask, numbers({3, 5, 7}, dtype), numbers({7}, dtype), mask, numbers({0}, dtype)},
          [](Backend&, const Tensors& in) -> Tensors {
            return {raw::where(in[0], in[1], in[2]), raw::where(in[0], in[2], in[1]),
                    raw::where(in[0], in[4], in[4])};
          });
  }
}

TEST_CASE("cuda elementwise: more elements than one pass of the grid would like") {
  agree({numbers({70001}, F32)}, [](Backend&, const Tensors& in) -> Tensors {
    return {raw::unary(scalar::Square{}, in[0]), raw::binary(scalar::Add{}, in[0], in[0])};
  });
}
