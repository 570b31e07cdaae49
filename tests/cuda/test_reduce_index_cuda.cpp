// Reductions, running sums, sorts and indexing on Device::CUDA against the CPU's, on awkward
// lengths of the axis, along every dimension, with ties and NaN.
#include "tensor/random.h"
#include "tests/cuda/agree.h"

using namespace gradus;
using namespace gradus::test;

namespace {

constexpr DType kTypes[] = {F32, F64, I64};

Tensor numbers(const Shape& shape, DType dtype, uint64_t seed = 3) {
  Generator generator(seed);
  return raw::to(uniform(shape, -9, 9, F64, generator), dtype);
}
/// Few different values, so that many are equal.
Tensor ties(const Shape& shape, DType dtype) {
  Generator generator(4);
  return raw::to(randint(-2, 3, shape, generator), dtype);
}
/// Some NaN and infinities among them.
Tensor with_nan(const Shape& shape, DType dtype) {
  const Tensor x = numbers(shape, dtype);
  for (int64_t i = 0; i < x.numel(); ++i)
    if (i % 5 == 3)
      raw::fill_(raw::as_strided(x, {}, {}, i), i % 10 == 3 ? kNaN : i % 4 == 0 ? kInf : -kInf);
  return x;
}

}  // namespace

TEST_CASE("cuda reduce: every length of the axis") {
  for (const DType dtype : kTypes)
    for (const int64_t n : {1, 2, 7, 8, 9, 31, 32, 33, 255, 257, 1025, 16385, 40000}) {
      CAPTURE(n);
      const int64_t rows = n > 2000 ? 2 : 3;
      agree(
          {numbers({rows, n}, dtype), numbers({n, rows}, dtype)},
          [](Backend&, const Tensors& in) {
            Tensors out;
            for (const ReduceOp& op : every<ReduceOp>())
              for (const Tensor& x :
                   {in[0], in[1], raw::transpose(in[0], 0, 1), raw::slice(in[1], 1, 0, 1)})
                for (const Dims& dims : {Dims{0}, Dims{1}, Dims{}})
                  out.push_back(raw::reduce(op, x, dims, false));
            return out;
          },
          10);
    }
}

TEST_CASE("cuda reduce: every set of dimensions") {
  for (const DType dtype : kTypes)
    agree({numbers({3, 5, 7, 4}, dtype)}, [](Backend&, const Tensors& in) {
      Tensors out;
      for (const Tensor& x : {in[0], raw::transpose(in[0], 1, 3), raw::slice(in[0], 2, 0, 7, 2),
                              raw::expand(raw::slice(in[0], 1, 0, 1), in[0].shape())})
        for (int set = 1; set < 16; ++set) {
          Dims dims;
          for (int d = 0; d < 4; ++d)
            if (set >> d & 1) dims.push_back(d);
          out.push_back(raw::reduce(scalar::Sum{}, x, dims, true));
          out.push_back(raw::reduce(scalar::Max{}, x, dims, false));
        }
      return out;
    });
}

TEST_CASE("cuda reduce: NaN, infinity, nothing at all, and a wide and high matrix") {
  for (const DType dtype : {F32, F64})
    agree({with_nan({9, 33}, dtype), full({2, 8}, kInf, dtype), full({}, 3, dtype)},
          [](Backend&, const Tensors& in) {
            Tensors out;
            for (const ReduceOp& op : every<ReduceOp>())
              for (const Tensor& x : in)
                for (const Dims& dims : {Dims{-1}, Dims{}})
                  out.push_back(raw::reduce(op, x, dims, false));
            return out;
          });
  agree({zeros({0, 3}), zeros({3, 0})}, [](Backend&, const Tensors& in) -> Tensors {
    return {raw::reduce(scalar::Sum{}, in[0], {0}, false),
            raw::reduce(scalar::Sum{}, in[1], {0}, false),
            raw::reduce(scalar::Sum{}, in[0], {}, false)};
  });
  agree(
      {numbers({700, 129}, F32)},
      [](Backend&, const Tensors& in) -> Tensors {
        return {raw::reduce(scalar::Sum{}, in[0], {0}, false),
                raw::reduce(scalar::Sum{}, in[0], {1}, false),
                raw::reduce(scalar::Sum{}, in[0], {}, false)};
      },
      10);
}

TEST_CASE("cuda reduce: a sum of many equal numbers stays near") {
  cuda::install();
  const Tensor x = full({300000}, 0.1, {F32, Device::CUDA});
  CHECK(raw::reduce(scalar::Sum{}, x, {}, false).item() == doctest::Approx(30000).epsilon(1e-6));
}

TEST_CASE("cuda arg_reduce, cumsum: every length, every dimension, ties and NaN") {
  for (const DType dtype : kTypes)
    for (const int64_t n : {1, 7, 8, 9, 31, 33, 300, 1025}) {
      CAPTURE(n);
      Tensors inputs = {numbers({2, n, 3}, dtype), ties({3, n}, dtype), full({}, 2, dtype),
                        full({0, n}, 1, dtype)};
      if (dtype != I64) inputs.push_back(with_nan({2, n}, dtype));
      agree(
          inputs,
          [](Backend&, const Tensors& in) {
            Tensors out;
            for (const Tensor& x : in)
              for (int d = 0; d < std::max(1, x.dim()); ++d) {
                if (x.dim() == 0 || x.size(d) > 0) {
                  out.push_back(raw::arg_reduce(ArgOp::Max, x, d, false));
                  out.push_back(raw::arg_reduce(ArgOp::Min, x, d, true));
                }
                out.push_back(raw::cumsum(x, d));
              }
            return out;
          },
          10);
    }
}

TEST_CASE("cuda topk: sorts of every length, stable, NaN as the largest") {
  for (const DType dtype : kTypes)
    for (const int64_t n : {1, 2, 3, 7, 33, 511, 512, 513, 1025, 3000}) {
      CAPTURE(n);
      Tensors inputs = {numbers({2, n}, dtype), ties({3, n}, dtype)};
      if (dtype != I64) inputs.push_back(with_nan({n}, dtype));
      agree(inputs, [n](Backend&, const Tensors& in) {
        Tensors out;
        for (const Tensor& x : in)
          for (const bool largest : {false, true})
            for (const int64_t k : {n, (n + 1) / 2, int64_t{0}}) {
              const auto [values, indices] = raw::topk(x, k, -1, largest);
              out.push_back(values);
              out.push_back(indices);
            }
        return out;
      });
    }
  for (const DType dtype : kTypes)
    agree({ties({4, 9, 5}, dtype), full({}, 4, dtype), full({0, 3}, 4, dtype)},
          [](Backend&, const Tensors& in) {
            Tensors out;
            for (const Tensor& x : in)
              for (int d = 0; d < std::max(1, x.dim()); ++d) {
                const auto [values, indices] =
                    raw::topk(x, x.dim() ? std::min<int64_t>(x.size(d), 2) : 1, d, true);
                out.push_back(raw::clone(values));
                out.push_back(raw::clone(indices));
              }
            return out;
          });
}

TEST_CASE("cuda index: the CPU's bits, with repeated indices, along every dimension") {
  for (const DType dtype : kTypes)
    for (int dim = 0; dim < 3; ++dim)
      for (const int64_t n : {0, 1, 3, 200, 600}) {
        CAPTURE(dim);
        CAPTURE(n);
        const Tensor x = numbers({5, 6, 7}, dtype);
        Generator generator(6);
        Shape many = x.shape(), fewer{4, 5, 6};
        many[dim] = n;
        fewer[dim] = n;
        const Tensor index = randint(0, x.size(dim), {n}, generator);
        const Tensor each = randint(0, x.size(dim), fewer, generator);
        agree(
            {x, index, numbers(many, dtype, 7), each, numbers(fewer, dtype, 8)},
            [dim, dtype](Backend&, const Tensors& in) {
              const Tensor strided = raw::transpose(raw::clone(raw::transpose(in[0], 0, 2)), 0, 2);
              Tensors out;
              for (const Tensor& from : {in[0], strided}) {
                out.push_back(raw::index_select(from, dim, in[1]));
                out.push_back(raw::gather(from, dim, in[3]));
              }
              out.push_back(raw::clone(in[0]));
              raw::index_add_(out.back(), dim, in[1], in[2]);
              out.push_back(raw::clone(in[0]));
              raw::scatter_add_(out.back(), dim, in[3], in[4]);
              // into a strided tensor, from expanded ones
              out.push_back(raw::transpose(raw::clone(raw::transpose(in[0], 0, 2)), 0, 2));
              const Tensor same = full({}, dtype == I64 ? 3 : 0.1, {dtype, in[0].device()});
              raw::index_add_(out.back(), dim, in[1], raw::expand(same, in[2].shape()));
              raw::scatter_add_(out.back(), dim, in[3], raw::expand(same, in[3].shape()));
              return out;
            },
            0);
      }
}
