// Reductions and sorting on values. Kernels that work along one dimension want it last; views move
// it there and back.
#include "tensor/raw.h"

namespace gradus::raw {

namespace {

/// x with dimension d and the last one exchanged; doing it again undoes it.
Tensor swap_last(const Tensor& x, int d) { return x.dim() < 2 ? x : transpose(x, d, -1); }

Tensor without_dims(const Tensor& x, const Dims& dims) {
  Shape shape = x.shape();
  for (auto d = dims.rbegin(); d != dims.rend(); ++d) shape.erase(*d);
  return view_as(x, shape);
}

}  // namespace

Tensor reduce(const ReduceOp& op, const Tensor& x, const Dims& dims_or_all, bool keepdim) {
  const char* op_name = std::visit([](auto f) { return f.name; }, op);
  check_defined(op_name, x);
  const Dims dims = normalize_dims(op_name, dims_or_all, x.dim());
  Shape shape = x.shape();
  for (int d : dims) {
    check<ShapeError>(std::holds_alternative<scalar::Sum>(op) || shape[d] > 0,
                      "{}: dimension {} of {} is empty, so it has no {}", op_name, d, x.shape(),
                      op_name);
    shape[d] = 1;
  }
  Tensor out = empty(shape, x.options());
  backend(x.device()).reduce(op, x.view(), out.view());
  return keepdim ? out : without_dims(out, dims);
}

Tensor arg_reduce(ArgOp op, const Tensor& x, int dim, bool keepdim) {
  const char* op_name = op == ArgOp::Max ? "argmax" : "argmin";
  check_defined(op_name, x);
  dim = normalize_dim(op_name, dim, x.dim());
  const Tensor last = x.dim() ? swap_last(x, dim) : reshape(x, {1});
  check<ShapeError>(last.size(-1) > 0, "{}: dimension {} of {} is empty", op_name, dim, x.shape());
  Shape shape = last.shape();
  shape.erase(shape.size() - 1);
  Tensor out = empty(shape, {I64, x.device()});
  backend(x.device()).arg_reduce(op, last.view(), out.view());
  if (x.dim() == 0) return out;
  out = swap_last(unsqueeze(out, -1), dim);
  return keepdim ? out : squeeze(out, dim);
}

Tensor cumsum(const Tensor& x, int dim) {
  check_defined("cumsum", x);
  dim = normalize_dim("cumsum", dim, x.dim());
  if (x.dim() == 0) return clone(x);
  Tensor out = empty(x.shape(), x.options());
  backend(x.device()).cumsum(swap_last(x, dim).view(), swap_last(out, dim).view());
  return out;
}

std::pair<Tensor, Tensor> topk(const Tensor& x, int64_t k, int dim, bool largest) {
  check_defined("topk", x);
  dim = normalize_dim("topk", dim, x.dim());
  const Tensor last = x.dim() ? swap_last(x, dim) : reshape(x, {1});
  check<ValueError>(k >= 0 && k <= last.size(-1), "topk: k = {} of a dimension of size {}", k,
                    last.size(-1));
  Shape shape = last.shape();
  shape[shape.size() - 1] = k;
  Tensor values = empty(shape, x.options()), indices = empty(shape, {I64, x.device()});
  backend(x.device()).topk(last.view(), largest, values.view(), indices.view());
  if (x.dim() == 0 && k == 1) return {reshape(values, {}), reshape(indices, {})};
  if (x.dim() == 0) return {values, indices};
  return {swap_last(values, dim), swap_last(indices, dim)};
}

std::optional<Dims> broadcast_dims(const Shape& from, const Shape& to) {
  const int extra = to.size() - from.size();
  if (extra < 0) return {};
  Dims dims;
  for (int d = 0; d < to.size(); ++d) {
    const int64_t n = d < extra ? 1 : from[d - extra];
    if (n != to[d] && n != 1) return {};
    if (d < extra || n != to[d]) dims.push_back(d);
  }
  return dims;
}

}  // namespace gradus::raw
