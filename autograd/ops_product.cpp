// Matrix products. For Y = A B: dA = g B^T and dB = A^T g; everything else is bookkeeping about
// batches.
#include "autograd/ops.h"

namespace gradus {

Tensor matmul(const Tensor& a, const Tensor& b) {
  // a vector is a matrix of one row (or column) for the duration of the product
  if (a.dim() == 1 && b.dim() >= 1)
    return squeeze(matmul(unsqueeze(a, 0), b), b.dim() == 1 ? 0 : -2);
  if (b.dim() == 1 && a.dim() >= 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  return record(
      "matmul", raw::matmul(a, b),
      {{a, [b](const Tensor& g) { return matmul(g, t(b)); }},
       {b, [a, batched = b.dim() > 2](const Tensor& g) {
          if (batched) return matmul(t(a), g);
          const Tensor rows = reshape(a, {-1, a.size(-1)});  // one matrix for the whole batch
          return matmul(t(rows), reshape(g, {-1, g.size(-1)}));
        }}});
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return record("linear", raw::linear(x, weight, bias),
                {{x, [weight](const Tensor& g) { return matmul(g, weight); }},
                 {weight,
                  [x](const Tensor& g) {
                    return matmul(t(reshape(g, {-1, g.size(-1)})), reshape(x, {-1, x.size(-1)}));
                  }},
                 {bias, [](const Tensor& g) { return g; }}});
}

}  // namespace gradus
