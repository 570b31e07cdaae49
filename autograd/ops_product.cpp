// Matrix products. For Y = A B, dA = g B^T and dB = A^T g. The rest is bookkeeping for batches.
#include "autograd/ops.h"

namespace gradus {

namespace {
/// (…, C) as one matrix (N, C). N is counted, because -1 would be ambiguous if C = 0.
Tensor as_matrix(const Tensor& x) {
  int64_t n = 1;
  for (int d = 0; d < x.dim() - 1; ++d) n *= x.shape()[d];
  return reshape(x, {n, x.size(-1)});
}
}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  check_defined("matmul", a, b);
  // A vector counts as a matrix of one row or column.
  if (a.dim() == 1 && b.dim() >= 1)
    return squeeze(matmul(unsqueeze(a, 0), b), b.dim() == 1 ? 0 : -2);
  if (b.dim() == 1 && a.dim() >= 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  return record("matmul", raw::matmul(a, b),
                {{a, [b](const Tensor& g) { return matmul(g, t(b)); }},
                 {b, [a, batched = b.dim() > 2](const Tensor& g) {
                    if (batched) return matmul(t(a), g);
                    return matmul(t(as_matrix(a)), as_matrix(g));  // one b for the whole batch
                  }}});
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_defined("linear", x, weight);
  if (weight.dim() == 1)
    return squeeze(linear(x, unsqueeze(weight, 0), bias.defined() ? unsqueeze(bias, 0) : bias), -1);
  return record("linear", raw::linear(x, weight, bias),
                {{x, [weight](const Tensor& g) { return matmul(g, weight); }},
                 {weight, [x](const Tensor& g) { return matmul(t(as_matrix(g)), as_matrix(x)); }},
                 {bias, [](const Tensor& g) { return g; }}});
}

}  // namespace gradus
