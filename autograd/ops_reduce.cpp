// Reductions. The gradient of a sum is spread over what was summed; the engine's own
// un-broadcasting is the transpose of that.
#include "autograd/ops.h"

namespace gradus {

namespace {

/// The shape with size 1 where `dims` are: what a reduced result looks like before its dimensions
/// go.
Shape kept(const Tensor& x, const Dims& dims) {
  Shape shape = x.shape();
  for (int d : dims) shape[d] = 1;
  return shape;
}

int64_t count(const Tensor& x, const Dims& dims) {
  int64_t n = 1;
  for (int d : dims) n *= x.shape()[d];
  return n;
}

/// max or min: the gradient is shared equally among the elements that reach the extreme; if that is
/// NaN, among those that are NaN.
Tensor extreme(const char* op, ReduceOp kind, const Tensor& x, const Dims& wanted, bool keepdim) {
  const Dims dims = normalize_dims(op, wanted, x.dim());
  return record(op, raw::reduce(kind, x, dims, keepdim),
                {{x, [=, shape = kept(x, dims)](const Tensor& g, const Tensor& y) {
                    const Tensor top = reshape(y, shape);
                    const Tensor reached = gt(eq(x, top) + ne(x, x) * ne(top, top), 0);
                    const Tensor ties = raw::reduce(scalar::Sum{}, reached, dims, true);
                    const Tensor part = reshape(g, shape) / raw::to(ties, g.dtype());
                    return masked_fill(part, eq(reached, 0), 0);
                  }}});
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& wanted, bool keepdim) {
  const Dims dims = normalize_dims("sum", wanted, x.dim());
  return record("sum", raw::reduce(scalar::Sum{}, x, dims, keepdim),
                {{x, [shape = kept(x, dims), full = x.shape()](const Tensor& g) {
                    return expand(reshape(g, shape), full);
                  }}});
}

Tensor mean(const Tensor& x, const Dims& wanted, bool keepdim) {
  const Dims dims = normalize_dims("mean", wanted, x.dim());
  check<DTypeError>(x.is_floating_point(), "mean: not defined for int64; convert with to(x, F32)");
  return sum(x, dims, keepdim) / static_cast<double>(count(x, dims));
}

Tensor var(const Tensor& x, const Dims& wanted, bool keepdim, int64_t correction) {
  check<DTypeError>(x.is_floating_point(), "var: not of {}; convert with to(x, F32)",
                    name(x.dtype()));
  const Dims dims = normalize_dims("var", wanted, x.dim());
  const int64_t n = count(x, dims);
  check<ValueError>(correction >= 0, "var: correction {}; it must not be negative", correction);
  check<ValueError>(n > correction,
                    "var: {} elements with correction {} leave nothing to divide by", n,
                    correction);
  // The mean is rounded; where it is far from 0, by enough to see. The sum of d, 0 but for that, takes it back
  // out (Chan, Golub & LeVeque, The American Statistician 37, 1983, the corrected two-pass algorithm).
  const Tensor d = x - mean(x, dims, true);
  const Tensor rest = square(sum(d, dims, keepdim)) / static_cast<double>(n);
  return (sum(square(d), dims, keepdim) - rest) / static_cast<double>(n - correction);
}

Tensor max(const Tensor& x, const Dims& dims, bool keepdim) {
  return extreme("max", scalar::Max{}, x, dims, keepdim);
}
Tensor min(const Tensor& x, const Dims& dims, bool keepdim) {
  return extreme("min", scalar::Min{}, x, dims, keepdim);
}

Tensor any(const Tensor& x, const Dims& dims, bool keepdim) {
  return gt(sum(ne(x, 0), dims, keepdim), 0);
}
Tensor all(const Tensor& x, const Dims& dims, bool keepdim) {
  return eq(sum(eq(x, 0), dims, keepdim), 0);
}

Tensor logsumexp(const Tensor& x, const Dims& wanted, bool keepdim) {
  const Dims dims = normalize_dims("logsumexp", wanted, x.dim());
  Tensor value, m;
  {
    NoGrad guard;
    m = count(x, dims) ? raw::reduce(scalar::Max{}, x, dims, true)
                       : zeros(kept(x, dims), x.options());  // nothing: ln 0 = -inf
    m = masked_fill(m, eq(isfinite(m), 0), 0);  // a row of -inf: ln 0 below, without inf - inf
    value = log(sum(exp(x - m), dims, true)) + m;
    if (!keepdim) value = raw::reduce(scalar::Sum{}, value, dims, false);
  }
  // e^(x - y) would be cheaper, but y has lost the digits that a large m leaves no room for.
  return record("logsumexp", std::move(value), {{x, [x, m, dims](const Tensor& g) {
                                                   const Tensor e = exp(x - m);
                                                   return reshape(g, m.shape()) * e /
                                                          sum(e, dims, true);
                                                 }}});
}

/// Last element first. (sum g - cumsum g + g would need no turning, but a large early g swallows the late
/// ones.)
static Tensor turned(const Tensor& x, int dim) {
  const int64_t n = x.size(dim);
  return index_select(x, dim, to(static_cast<double>(n - 1) - arange(n), x.device()));
}

Tensor cumsum(const Tensor& x, int dim) {
  return record("cumsum", raw::cumsum(x, dim), {{x, [dim](const Tensor& g) {
                                                   if (g.dim() == 0) return g;
                                                   return turned(cumsum(turned(g, dim), dim), dim);
                                                 }}});
}

Tensor argmax(const Tensor& x, int dim, bool keepdim) {
  return raw::arg_reduce(ArgOp::Max, x, dim, keepdim);
}
Tensor argmin(const Tensor& x, int dim, bool keepdim) {
  return raw::arg_reduce(ArgOp::Min, x, dim, keepdim);
}

Sorted topk(const Tensor& x, int64_t k, int dim, bool largest) {
  auto [values, where_from] = raw::topk(x, k, dim, largest);
  const Tensor indices = where_from;  // clang before 16 captures no structured binding
  Tensor recorded = record("topk", std::move(values),
                           {{x, [dim, indices, shape = x.shape()](const Tensor& g) {
                               if (shape.empty()) return g;
                               return scatter_add(zeros(shape, g.options()), dim, indices, g);
                             }}});
  return {recorded, indices};
}
Sorted sort(const Tensor& x, int dim, bool descending) {
  return topk(x, x.dim() ? x.size(dim) : 1, dim, descending);
}

}  // namespace gradus
