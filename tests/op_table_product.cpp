// Rows of the products: three nested loops, batches broadcast.
#include "tests/op_table.h"

namespace gradus::test {

namespace {

/// sum_k a[…, m, k] b[…, k, n]. A 1-d a counts as a row, a 1-d b as a column; the result
/// drops it.
Tensor product(const Tensor& a_, const Tensor& b_) {
  const Tensor a = a_.dim() == 1 ? raw::unsqueeze(a_, 0) : a_;
  const Tensor b = b_.dim() == 1 ? raw::unsqueeze(b_, 1) : b_;
  const auto batch = [](const Tensor& x) {
    return Shape(std::span(x.shape().begin(), static_cast<size_t>(x.dim() - 2)));
  };
  Shape shape = broadcast_shape("product", batch(a), batch(b));
  shape.push_back(a.size(-2));
  shape.push_back(b.size(-1));
  Tensor y = build(shape, [&](const Index& i) {
    Index ia = i, ib = i;
    double s = 0;
    for (int64_t k = 0; k < a.size(-1); ++k) {
      ia.back() = k, ib[ib.size() - 2] = k;
      s += at(a, ia) * at(b, ib);
    }
    return s;
  });
  if (b_.dim() == 1) y = raw::squeeze(y, -1);
  if (a_.dim() == 1) y = raw::squeeze(y, b_.dim() == 1 ? 0 : -2);
  return y;
}

OpRow matmul_row(std::string name, const Shape& a, const Shape& b, std::vector<Shapes> also) {
  return {.name = std::move(name),
          .inputs = {{a}, {b}},
          .f = [](const Tensors& in) { return matmul(in[0], in[1]); },
          .reference = [](const Tensors& in) { return product(in[0], in[1]); },
          .also = std::move(also)};
}

}  // namespace

std::vector<OpRow> product_rows() {
  return {
      matmul_row("matmul", {2, 3}, {3, 5},
                 {{{3}, {3}}, {{2, 3}, {3}}, {{3}, {3, 5}}, {{2, 0}, {0, 3}}, {{0, 2}, {2, 3}}}),
      matmul_row("matmul/batched", {2, 3, 5}, {2, 5, 7},
                 {{{2, 3, 5}, {5, 7}}, {{2, 3, 5}, {5}}, {{5}, {2, 5, 7}}, {{3, 5}, {2, 5, 7}}}),
      matmul_row("matmul/broadcast", {2, 1, 3, 5}, {7, 5, 2}, {{{3, 2, 5}, {1, 5, 2}}}),
      {.name = "linear",
       .inputs = {{{2, 3, 5}}, {{7, 5}}, {{7}}},
       .f = [](const Tensors& in) { return linear(in[0], in[1], in[2]); },
       .reference =
           [](const Tensors& in) {
             return combine(product(in[0], raw::transpose(in[1], 0, 1)), in[2],
                            [](double a, double b) { return a + b; });
           },
       .also = {{{5}, {7, 5}, {7}},
                {{3, 5}, {7, 5}, {7}},
                {{2, 3, 7, 5}, {3, 5}, {3}},
                {{0, 5}, {7, 5}, {7}}}},
      {.name = "linear/one output",
       .inputs = {{{2, 3, 5}}, {{5}}, {{}}},
       .f = [](const Tensors& in) { return linear(in[0], in[1], in[2]); },
       .reference =
           [](const Tensors& in) {
             return combine(product(in[0], in[1]), in[2], [](double a, double b) { return a + b; });
           },
       .also = {{{5}, {5}, {}}}},
      {.name = "linear/no bias",
       .inputs = {{{2, 3, 5}}, {{7, 5}}},
       .f = [](const Tensors& in) { return linear(in[0], in[1]); },
       .reference = [](const Tensors& in) { return product(in[0], raw::transpose(in[1], 0, 1)); }},
  };
}

}  // namespace gradus::test
