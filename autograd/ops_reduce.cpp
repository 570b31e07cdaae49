// Reductions. The gradient of a sum is spread over what was summed, which is the transpose of how
// the engine undoes broadcasting.
#include "autograd/ops.h"

namespace gradus {

namespace {

/// The shape of a result that keeps its reduced dimensions: size 1 at `dims`.
Shape keepdim_shape(const Tensor& x, const Dims& dims) {
  Shape shape = x.shape();
  for (int d : dims) shape[d] = 1;
  return shape;
}

int64_t count(const Tensor& x, const Dims& dims) {
  int64_t n = 1;
  for (int d : dims) n *= x.shape()[d];
  return n;
}

/// The dimensions that are reduced: `dims`, or all if it is empty.
Dims reduced_dims(const char* op, const Tensor& x, const Dims& dims) {
  check_defined(op, x);
  return normalize_dims(op, dims, x.dim());
}

/// max or min. The elements that equal the result y share the gradient equally; if y is NaN, those
/// that are NaN.
Tensor max_or_min(const char* op, ReduceOp kind, const Tensor& x, const Dims& dims_or_all,
                  bool keepdim) {
  const Dims dims = reduced_dims(op, x, dims_or_all);
  return record(op, raw::reduce(kind, x, dims, keepdim),
                {{x, [=, shape = keepdim_shape(x, dims)](const Tensor& g, const Tensor& y_) {
                    const Tensor y = reshape(y_, shape);
                    const Tensor equal = gt(eq(x, y) + ne(x, x) * ne(y, y), 0);
                    const Tensor ties = raw::reduce(scalar::Sum{}, equal, dims, true);
                    const Tensor share = reshape(g, shape) / raw::to(ties, g.dtype());
                    return masked_fill(share, eq(equal, 0), 0);
                  }}});
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims_or_all, bool keepdim) {
  const Dims dims = reduced_dims("sum", x, dims_or_all);
  return record("sum", raw::reduce(scalar::Sum{}, x, dims, keepdim),
                {{x, [shape = keepdim_shape(x, dims), full = x.shape()](const Tensor& g) {
                    return expand(reshape(g, shape), full);
                  }}});
}

Tensor mean(const Tensor& x, const Dims& dims_or_all, bool keepdim) {
  const Dims dims = reduced_dims("mean", x, dims_or_all);
  raw::check_floating("mean", {{"x", x}});
  return sum(x, dims, keepdim) / static_cast<double>(count(x, dims));
}

Tensor var(const Tensor& x, const Dims& dims_or_all, bool keepdim, int64_t correction) {
  const Dims dims = reduced_dims("var", x, dims_or_all);
  raw::check_floating("var", {{"x", x}});
  const int64_t n = count(x, dims);
  check<ValueError>(correction >= 0, "var: correction {}; it must not be negative", correction);
  check<ValueError>(n > correction,
                    "var: {} elements with correction {} leave 0 or less to divide by", n,
                    correction);
  // The mean is rounded, visibly if it is far from 0. Without rounding, the sum of d would be 0;
  // with it, the sum corrects for the error (Chan, Golub & LeVeque, The American Statistician 37,
  // 1983: the corrected two-pass algorithm).
  const Tensor d = x - mean(x, dims, true);
  const Tensor rounding = square(sum(d, dims, keepdim)) / static_cast<double>(n);
  return (sum(square(d), dims, keepdim) - rounding) / static_cast<double>(n - correction);
}

Tensor max(const Tensor& x, const Dims& dims, bool keepdim) {
  return max_or_min("max", scalar::Max{}, x, dims, keepdim);
}
Tensor min(const Tensor& x, const Dims& dims, bool keepdim) {
  return max_or_min("min", scalar::Min{}, x, dims, keepdim);
}

Tensor any(const Tensor& x, const Dims& dims_or_all, bool keepdim) {
  const Dims dims = reduced_dims("any", x, dims_or_all);
  return gt(sum(ne(x, 0), dims, keepdim), 0);
}
Tensor all(const Tensor& x, const Dims& dims_or_all, bool keepdim) {
  const Dims dims = reduced_dims("all", x, dims_or_all);
  return eq(sum(eq(x, 0), dims, keepdim), 0);
}

Tensor logsumexp(const Tensor& x, const Dims& dims_or_all, bool keepdim) {
  const Dims dims = reduced_dims("logsumexp", x, dims_or_all);
  raw::check_floating("logsumexp", {{"x", x}});
  Tensor value, m;
  {
    NoGrad guard;
    m = count(x, dims) ? raw::reduce(scalar::Max{}, x, dims, true)
                       : zeros(keepdim_shape(x, dims), x.options());  // no elements: ln 0 = -inf
    m = masked_fill(m, eq(isfinite(m), 0), 0);  // only -inf: ln 0 below, not inf - inf
    value = log(sum(exp(x - m), dims, true)) + m;
    if (!keepdim) value = raw::reduce(scalar::Sum{}, value, dims, false);
  }
  // e^(x - y) would be cheaper, but if m is large, y has lost digits.
  return record("logsumexp", std::move(value), {{x, [x, m, dims](const Tensor& g) {
                                                   const Tensor e = exp(x - m);
                                                   return reshape(g, m.shape()) * e /
                                                          sum(e, dims, true);
                                                 }}});
}

/// The last element first. (cumsum's gradient could do without, as sum g - cumsum g + g; but
/// there a large early g swallows the late ones.)
static Tensor reversed(const Tensor& x, int dim) {
  const int64_t n = x.size(dim);
  return index_select(x, dim, to(static_cast<double>(n - 1) - arange(n), x.device()));
}

Tensor cumsum(const Tensor& x, int dim) {
  return record("cumsum", raw::cumsum(x, dim), {{x, [dim](const Tensor& g) {
                                                   if (g.dim() == 0) return g;
                                                   return reversed(cumsum(reversed(g, dim), dim),
                                                                   dim);
                                                 }}});
}

Tensor argmax(const Tensor& x, int dim, bool keepdim) {
  return raw::arg_reduce(ArgOp::Max, x, dim, keepdim);
}
Tensor argmin(const Tensor& x, int dim, bool keepdim) {
  return raw::arg_reduce(ArgOp::Min, x, dim, keepdim);
}

Sorted topk(const Tensor& x, int64_t k, int dim, bool largest) {
  auto [values, indices_] = raw::topk(x, k, dim, largest);
  const Tensor indices = indices_;  // clang before 16 does not capture structured bindings
  Tensor recorded = record("topk", std::move(values),
                           {{x, [dim, indices, shape = x.shape()](const Tensor& g) {
                               if (shape.empty()) return g;
                               return scatter_add(zeros(shape, g.options()), dim, indices, g);
                             }}});
  return {recorded, indices};
}
Sorted sort(const Tensor& x, int dim, bool descending) {
  check_defined("sort", x);
  dim = normalize_dim("sort", dim, x.dim());
  return topk(x, x.dim() ? x.size(dim) : 1, dim, descending);
}

}  // namespace gradus
