#pragma once
// Operations on values. Each checks its arguments, allocates the result and calls a kernel. There
// is no other way to a kernel: only the files tensor/raw_*.cpp call backend(). Nothing here
// records a graph. autograd/ops.h has the same operations with derivatives, and documents
// formulas and shapes. Use those, unless you write an op, an optimizer or a data loader.
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "tensor/backend.h"
#include "tensor/tensor.h"

namespace gradus {

using Dims = std::vector<int>;

/// The shape that a and b broadcast to (NumPy's rule: align at the end, 1 stretches). ShapeError if
/// they do not.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);
/// d as a number in [0, ndim): a negative one counts from the end. IndexError outside that range.
int normalize_dim(const char* op, int d, int ndim);
/// The same for a list: sorted, without duplicates; an empty one means all dimensions. A 0-d tensor
/// has none. IndexError if a dimension is named twice.
Dims normalize_dims(const char* op, const Dims& dims, int ndim);

namespace raw {

/// A tensor and what a message calls it: {"weight", weight}.
struct Operand {
  const char* name;
  const Tensor& tensor;
};
// The first operand must be defined; other undefined ones are left out.
/// DeviceError unless all are on one device.
void check_same_device(const char* op, std::initializer_list<Operand> operands);
/// DTypeError unless all have one dtype, DeviceError unless they are on one device.
void check_same_options(const char* op, std::initializer_list<Operand> operands);
/// The same, and DTypeError unless that dtype is a floating one.
void check_floating(const char* op, std::initializer_list<Operand> operands);
/// ShapeError unless the operand has this shape; ValueError unless it is contiguous.
void check_shape(const char* op, const Operand& operand, const Shape& shape);
void check_contiguous(const char* op, const Operand& operand);
/// For a number that becomes an element of x, or is compared with one: ValueError if x is int64,
/// but c is not a whole number.
void check_scalar(const char* op, double c, const Tensor& x);

// Views, which move no data; and copies. as_strided: IndexError outside of the storage.
Tensor as_strided(const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset);
Tensor view_as(const Tensor& x, const Shape& shape);  // undefined if the strides do not allow it
Tensor reshape(const Tensor& x, const Shape& shape);  // a view where possible; one size may be -1
Tensor permute(const Tensor& x, const Dims& dims);
Tensor transpose(const Tensor& x, int a, int b);
Tensor slice(const Tensor& x, int dim, int64_t start, int64_t end, int64_t step = 1);
Tensor select(const Tensor& x, int dim, int64_t index);
Tensor expand(const Tensor& x, const Shape& shape);
Tensor squeeze(const Tensor& x, int dim);
Tensor unsqueeze(const Tensor& x, int dim);
Tensor contiguous(const Tensor& x);  // x itself if it is contiguous
Tensor clone(const Tensor& x);       // always a new, contiguous buffer
Tensor to(const Tensor& x, DType dtype);
Tensor to(const Tensor& x, Device device);

// Elementwise, with broadcasting. `op_name` is what errors call the operation.
Tensor unary(const UnaryOp& op, const Tensor& x);
Tensor binary(const BinaryOp& op, const Tensor& a, const Tensor& b);
Tensor compare(const CompareOp& op, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b, const char* op_name = "where");
inline Tensor add(const Tensor& a, const Tensor& b) { return binary(scalar::Add{}, a, b); }
inline Tensor mul(const Tensor& a, const Tensor& b) { return binary(scalar::Mul{}, a, b); }

// Reductions. If keepdim, the reduced dimensions stay, with size 1.
Tensor reduce(const ReduceOp& op, const Tensor& x, const Dims& dims, bool keepdim);
Tensor arg_reduce(ArgOp op, const Tensor& x, int dim, bool keepdim);
Tensor cumsum(const Tensor& x, int dim);
/// The k largest (or smallest) along dim, in order, and their indices. Among ties, the lower index
/// comes first. With k = the size of dim, this sorts.
std::pair<Tensor, Tensor> topk(const Tensor& x, int64_t k, int dim, bool largest);
/// The dimensions of `to` along which broadcasting repeats a tensor of shape `from`; nullopt if it
/// does not broadcast to that shape.
std::optional<Dims> broadcast_dims(const Shape& from, const Shape& to);

// Products.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x w^T + bias for x (…, C), w (O, C), bias (O,) or undefined: one product for all rows.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

// Indexing. IndexError names the first index out of range and its position. With a GPU, it is
// thrown later (check_indices).
Tensor index_select(const Tensor& x, int dim, const Tensor& index);
Tensor gather(const Tensor& x, int dim, const Tensor& index);
Tensor embedding(const Tensor& weight, const Tensor& ids);
Tensor cat(const std::vector<Tensor>& xs, int dim);
/// IndexError unless every index is in [0, size) or is ignore_index. On the CPU it is thrown at
/// once. A GPU is not waited for: it notes the error, and the next copy to the host (item,
/// to_vector, printing) or synchronize() throws it, once; of several, the first. A program that
/// ends without either never sees the error. `op` must be a string literal.
void check_indices(const char* op, const Tensor& index, int64_t size,
                   std::optional<int64_t> ignore_index = std::nullopt);

// Along the last dimension.
Tensor softmax(const Tensor& x);
Tensor softmax_backward(const Tensor& g, const Tensor& y);
Tensor log_softmax(const Tensor& x);
Tensor log_softmax_backward(const Tensor& g, const Tensor& y);

/// The sizes that a norm is taken over: x's last ones, as many as `parameter` has; one, if it is
/// undefined. ShapeError if x has fewer, or if they differ from parameter's.
Shape normalized_shape(const char* op, const Tensor& x, const Tensor& parameter);
struct Normalized {
  Tensor out, mean, rstd;  // mean and rstd have one number per row; rms_norm leaves mean unused
};
Normalized layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
/// {dx, dweight, dbias}
std::vector<Tensor> layer_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight,
                                        const Tensor& mean, const Tensor& rstd);
Normalized rms_norm(const Tensor& x, const Tensor& weight, double eps);
/// {dx, dweight}
std::vector<Tensor> rms_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight,
                                      const Tensor& rstd);

/// An error unless x is (…, C) and floating, the targets are (…), I64 and on the same device,
/// and each is in [0, C) or equals ignore_index.
void check_targets(const char* op, const Tensor& x, const Tensor& targets, int64_t ignore_index);
struct CrossEntropy {
  Tensor losses, lse;  // (…); and (N, 2), which the backward kernel uses again
};
CrossEntropy cross_entropy(const Tensor& logits, const Tensor& targets, int64_t ignore_index,
                           double smoothing);
Tensor cross_entropy_backward(const Tensor& g, const Tensor& logits, const Tensor& targets,
                              const Tensor& lse, int64_t ignore_index, double smoothing);

/// q (B, H, T, D), k and v (B, H, S, D), key_mask (B, S) or undefined.
struct Attention {
  Tensor q, k, v, key_mask;
  bool causal;
  double scale;
};
/// Writes into out (B, H, T, D), of any strides, and returns the statistics of the rows.
Tensor attention_(const Attention& in, const Tensor& out);
void attention_backward_(const Attention& in, const Tensor& g, const Tensor& out,
                         const Tensor& stats, const Tensor& dq, const Tensor& dk, const Tensor& dv);

/// q and k of packed qkv (B, T, 3 H D), turned by their positions. direction is 1, or -1 for back.
struct Rotary {
  int64_t heads, first_position;
  double base, direction;
};
Tensor rotary(const Tensor& qkv, const Rotary& r);

// Random numbers: the same key gives the same numbers.
void uniform_(const Tensor& out, PhiloxKey key, double low, double high);
void normal_(const Tensor& out, PhiloxKey key, double mean, double std);
Tensor dropout(const Tensor& x, PhiloxKey key, double p);

// In place, for optimizers and the engine: `to` and `out` are changed.
/// Fills out, row by row, from the host's memory.
void from_host_(const Tensor& out, const void* values);
void fill_(const Tensor& out, double value);
void copy_(const Tensor& to, const Tensor& from);
void add_(const Tensor& to, const Tensor& x);
void mul_(const Tensor& to, double factor);
void index_add_(const Tensor& out, int dim, const Tensor& index, const Tensor& source);
void scatter_add_(const Tensor& out, int dim, const Tensor& index, const Tensor& source);

// In place, for optimizers: many tensors in few launches. Dtypes and devices may be mixed; no two
// tensors may share memory.

/// A parameter, its gradient, and what an optimizer remembers about it (ParameterViews).
struct Parameter {
  Tensor value, gradient;
  std::vector<Tensor> state;
};
/// One step for every parameter. ShapeError, DTypeError or DeviceError if a gradient or a state
/// does not match its parameter; ValueError if a parameter or a state is not contiguous.
void sgd_(const SgdStep& s, std::span<const Parameter> parameters);
void adam_(const AdamStep& s, std::span<const Parameter> parameters);
void rmsprop_(const RmspropStep& s, std::span<const Parameter> parameters);
/// The sum of the squares of each tensor, in double; waits for each device only once.
std::vector<double> sum_squares(std::span<const Tensor> xs);
/// x *= factor for every tensor.
void scale_(std::span<const Tensor> xs, double factor);
/// Clamps every element to [-limit, limit].
void clamp_(std::span<const Tensor> xs, double limit);

}  // namespace raw
}  // namespace gradus
