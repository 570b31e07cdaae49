#pragma once
// Operations on values: they check their arguments once, allocate the result and call the backend.
// Nothing here records. autograd/ops.h gives the same names with derivatives; use those unless you
// write an op, an optimizer or a data loader. Formulas and shapes are documented there.
#include <optional>
#include <utility>
#include <vector>

#include "tensor/backend.h"
#include "tensor/tensor.h"

namespace gradus {

using Dims = std::vector<int>;

/// The shape that a and b broadcast to (NumPy's rule: align at the end, 1 stretches). ShapeError.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);
/// d in [0, ndim); negative counts from the end. IndexError.
int normalize_dim(const char* op, int d, int ndim);
/// Sorted, unique, non-negative; an empty list means all. A 0-d tensor has none.
Dims normalize_dims(const char* op, const Dims& dims, int ndim);

namespace raw {

// Views, which move no data; and copies.
Tensor as_strided(const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset);
Tensor view_as(const Tensor& x, const Shape& shape);  // undefined if strides do not allow it
Tensor reshape(const Tensor& x, const Shape& shape);  // a view where possible; one size may be -1
Tensor permute(const Tensor& x, const Dims& dims);
Tensor transpose(const Tensor& x, int a, int b);
Tensor slice(const Tensor& x, int dim, int64_t start, int64_t end, int64_t step = 1);
Tensor select(const Tensor& x, int dim, int64_t index);
Tensor expand(const Tensor& x, const Shape& shape);
Tensor squeeze(const Tensor& x, int dim);
Tensor unsqueeze(const Tensor& x, int dim);
Tensor contiguous(const Tensor& x);  // x itself if it is
Tensor clone(const Tensor& x);       // always a new, contiguous buffer
Tensor to(const Tensor& x, DType dtype);
Tensor to(const Tensor& x, Device device);

// Elementwise, broadcasting.
Tensor unary(const UnaryOp& op, const Tensor& x);
Tensor binary(const BinaryOp& op, const Tensor& a, const Tensor& b);
Tensor compare(const CompareOp& op, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b);
inline Tensor add(const Tensor& a, const Tensor& b) { return binary(scalar::Add{}, a, b); }
inline Tensor mul(const Tensor& a, const Tensor& b) { return binary(scalar::Mul{}, a, b); }

// Reductions. Dims are normalized; the result keeps size-1 dimensions if keepdim.
Tensor reduce(ReduceOp op, const Tensor& x, const Dims& dims, bool keepdim);
Tensor arg_reduce(ArgOp op, const Tensor& x, int dim, bool keepdim);
Tensor cumsum(const Tensor& x, int dim);
/// The k largest (or smallest) along dim, in order; ties keep the lower index first. k = size
/// sorts.
std::pair<Tensor, Tensor> topk(const Tensor& x, int64_t k, int dim, bool largest);
/// The dimensions of `to` along which a tensor of shape `from` is repeated by broadcasting; nothing if it
/// does not broadcast.
std::optional<Dims> broadcast_dims(const Shape& from, const Shape& to);

// Products.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x w^T + bias for x (..., C), w (O, C), bias (O,) or undefined: one product for all rows.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

// Indexing. IndexError names the first index out of range and where it stands.
Tensor index_select(const Tensor& x, int dim, const Tensor& index);
Tensor gather(const Tensor& x, int dim, const Tensor& index);
Tensor embedding(const Tensor& weight, const Tensor& ids);
Tensor cat(const std::vector<Tensor>& xs, int dim);
void check_indices(const char* op, const Tensor& index, int64_t size);

// Rows, along the last dimension.
/// (…, C) as (N, C), contiguous; a 0-d tensor is one row of one.
Tensor rows(const Tensor& x);
Tensor softmax(const Tensor& x);
Tensor softmax_backward(const Tensor& g, const Tensor& y);
Tensor log_softmax(const Tensor& x);
Tensor log_softmax_backward(const Tensor& g, const Tensor& y);

// In place, for optimizers and the engine: to, out and p are changed.
void fill_(const Tensor& out, double value);
void copy_(const Tensor& to, const Tensor& from);
void add_(const Tensor& to, const Tensor& x);
void mul_(const Tensor& to, double factor);
void index_add_(const Tensor& out, int dim, const Tensor& index, const Tensor& source);
void scatter_add_(const Tensor& out, int dim, const Tensor& index, const Tensor& source);

}  // namespace raw
}  // namespace gradus
