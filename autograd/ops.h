#pragma once
// The differentiable operations, each with its formula and its derivative. y is the output, g the
// gradient of the loss with respect to y, and dx the gradient with respect to x. Names and meanings
// are PyTorch's.
//
// Elementwise operations broadcast; all operations accept any strides. Nothing is promoted
// silently: mixed dtypes are a DTypeError (convert with to(x, F64)), and a scalar with a fraction
// beside an I64 tensor is a ValueError. Other errors are ShapeError, DeviceError and IndexError.
// NaN is not swallowed: at NaN, sign, abs and relu are NaN, as are the derivatives of the last two.
#include <limits>
#include <optional>

#include "autograd/record.h"
#include "tensor/random.h"
#include "tensor/raw.h"

namespace gradus {

// ---- Arithmetic
Tensor add(const Tensor& a, const Tensor& b);  // a + b; da = g, db = g
Tensor sub(const Tensor& a, const Tensor& b);  // a - b; da = g, db = -g
Tensor mul(const Tensor& a, const Tensor& b);  // a b; da = g b, db = g a
Tensor div(const Tensor& a, const Tensor& b);  // a / b; da = g / b, db = -g a / b^2
Tensor add(const Tensor& x, double c);         // x + c; dx = g
Tensor mul(const Tensor& x, double c);         // c x; dx = c g
Tensor div(const Tensor& x, double c);         // x / c; dx = g / c
/// a^b; da = g b a^(b-1) (0 where b = 0), db = g a^b ln a (0 where a = 0).
Tensor pow(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& x, double p);  // x^p; dx = g p x^(p-1)
Tensor pow(double a, const Tensor& x);  // a^x; dx = g y ln a (0 where a = 0)
Tensor neg(const Tensor& x);            // -x; dx = -g

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator+(const Tensor& x, double c) { return add(x, c); }
inline Tensor operator+(double c, const Tensor& x) { return add(x, c); }
inline Tensor operator-(const Tensor& x, double c) { return add(x, -c); }
inline Tensor operator-(double c, const Tensor& x) { return add(neg(x), c); }
inline Tensor operator*(const Tensor& x, double c) { return mul(x, c); }
inline Tensor operator*(double c, const Tensor& x) { return mul(x, c); }
inline Tensor operator/(const Tensor& x, double c) { return div(x, c); }
Tensor operator/(double c, const Tensor& x);
// a += b binds the name a to a new tensor; nothing changes in place.
inline Tensor& operator+=(Tensor& a, const Tensor& b) { return a = add(a, b); }
inline Tensor& operator-=(Tensor& a, const Tensor& b) { return a = sub(a, b); }
inline Tensor& operator*=(Tensor& a, const Tensor& b) { return a = mul(a, b); }
inline Tensor& operator/=(Tensor& a, const Tensor& b) { return a = div(a, b); }
inline Tensor& operator+=(Tensor& a, double c) { return a = add(a, c); }
inline Tensor& operator-=(Tensor& a, double c) { return a = add(a, -c); }
inline Tensor& operator*=(Tensor& a, double c) { return a = mul(a, c); }
inline Tensor& operator/=(Tensor& a, double c) { return a = div(a, c); }

// ---- Elementwise functions
Tensor exp(const Tensor& x);         // e^x; dx = g y
Tensor log(const Tensor& x);         // ln x; dx = g / x
Tensor sqrt(const Tensor& x);        // dx = g / (2 y)
Tensor rsqrt(const Tensor& x);       // 1 / sqrt x; dx = -g y^3 / 2
Tensor reciprocal(const Tensor& x);  // 1 / x; dx = -g y^2
Tensor square(const Tensor& x);      // x^2; dx = 2 g x
Tensor abs(const Tensor& x);         // dx = g sign x (0 at 0)
Tensor sign(const Tensor& x);        // -1, 0, 1; dx = 0
Tensor sin(const Tensor& x);         // dx = g cos x
Tensor cos(const Tensor& x);         // dx = -g sin x
Tensor erf(const Tensor& x);         // dx = g 2/sqrt(pi) e^(-x^2)
Tensor tanh(const Tensor& x);        // dx = g (1 - y^2)
Tensor sigmoid(const Tensor& x);     // 1 / (1 + e^-x); dx = g y (1 - y)
Tensor relu(const Tensor& x);        // max(x, 0); dx = g [x > 0] (0 at 0)
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);  // dx = g (slope where x <= 0)
Tensor silu(const Tensor& x);      // x s, s = sigmoid(x); dx = g (s + x s (1 - s))
Tensor softplus(const Tensor& x);  // ln(1 + e^x); dx = g sigmoid(x)
enum class GeluForm { Erf, Tanh };
/// x Phi(x), where Phi is the normal distribution function and phi its density (Hendrycks & Gimpel
/// 2016); dx = g (Phi + x phi). Tanh: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), as in GPT-2.
Tensor gelu(const Tensor& x, GeluForm form = GeluForm::Erf);
/// min(max(x, low), high); dx = g inside [low, high], 0 outside.
Tensor clamp(const Tensor& x, double low, double high = std::numeric_limits<double>::infinity());
/// The same with a bound for each element, broadcast; an undefined bound does not limit. Where a
/// bound takes effect, it receives g: dlow where x < low, dhigh where x > high or low > high.
Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high);
Tensor maximum(const Tensor& a, const Tensor& b);  // g to the larger; half to each at a tie
Tensor minimum(const Tensor& a, const Tensor& b);  // g to the smaller; half to each at a tie

// Comparisons give I64 masks of 0 and 1, and have no gradient. With NaN, only != is true.
Tensor eq(const Tensor& a, const Tensor& b);
Tensor ne(const Tensor& a, const Tensor& b);
Tensor lt(const Tensor& a, const Tensor& b);
Tensor le(const Tensor& a, const Tensor& b);
Tensor gt(const Tensor& a, const Tensor& b);
Tensor ge(const Tensor& a, const Tensor& b);
Tensor eq(const Tensor& x, double c);
Tensor ne(const Tensor& x, double c);
Tensor lt(const Tensor& x, double c);
Tensor le(const Tensor& x, double c);
Tensor gt(const Tensor& x, double c);
Tensor ge(const Tensor& x, double c);
Tensor isfinite(const Tensor& x);
Tensor isnan(const Tensor& x);
inline Tensor operator<(const Tensor& a, const Tensor& b) { return lt(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return gt(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return le(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return ge(a, b); }
inline Tensor operator<(const Tensor& x, double c) { return lt(x, c); }
inline Tensor operator>(const Tensor& x, double c) { return gt(x, c); }
inline Tensor operator<=(const Tensor& x, double c) { return le(x, c); }
inline Tensor operator>=(const Tensor& x, double c) { return ge(x, c); }
inline Tensor operator<(double c, const Tensor& x) { return gt(x, c); }
inline Tensor operator>(double c, const Tensor& x) { return lt(x, c); }
inline Tensor operator<=(double c, const Tensor& x) { return ge(x, c); }
inline Tensor operator>=(double c, const Tensor& x) { return le(x, c); }

/// a where mask != 0, else b; da = g [mask], db = g [not mask].
Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b);
/// `value` where mask != 0, else x; dx = g [not mask].
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);

// ---- Shape
// The gradient goes the opposite way. From reshape to unsqueeze, the results are views;
// only reshape and flatten copy, if the strides do not allow a view.
Tensor reshape(const Tensor& x, const Shape& shape);  // one size may be -1
Tensor flatten(const Tensor& x, int start = 0);       // one dimension of all from `start` on
Tensor permute(const Tensor& x, const Dims& dims);    // dimension d of y is dims[d] of x
Tensor transpose(const Tensor& x, int a, int b);      // dimensions a and b swapped
Tensor t(const Tensor& x);  // the last two of any number of dimensions swapped: PyTorch's mT
/// From start up to end, both clamped to the size; negative ones count from the end.
Tensor slice(const Tensor& x, int dim, int64_t start, int64_t end, int64_t step = 1);
Tensor select(const Tensor& x, int dim, int64_t index);  // drops the dimension
Tensor expand(const Tensor& x, const Shape& shape);      // sizes of 1 repeated; dx = g summed there
Tensor squeeze(const Tensor& x, int dim);                // drops dim if its size is 1
Tensor squeeze(const Tensor& x);                         // drops every size of 1
Tensor unsqueeze(const Tensor& x, int dim);              // inserts a size of 1 at dim
Tensor contiguous(const Tensor& x);                      // x itself if it is, else a copy
Tensor clone(const Tensor& x);                           // a copy
Tensor to(const Tensor& x, DType dtype);                 // x itself, or converted
Tensor to(const Tensor& x, Device device);               // x itself, or a copy there
/// Joined along dim. All other sizes must be equal: ShapeError. ValueError for an empty list.
Tensor cat(const std::vector<Tensor>& xs, int dim);
/// Joined along a new dimension dim. All shapes must be equal.
Tensor stack(const std::vector<Tensor>& xs, int dim);
/// Pieces of `size` along dim; the last may be smaller.
std::vector<Tensor> split(const Tensor& x, int64_t size, int dim);
/// Pieces of these sizes, which must add up to the size of x along dim.
std::vector<Tensor> split_with_sizes(const Tensor& x, const std::vector<int64_t>& sizes, int dim);
/// One tensor for each index along dim, without that dimension.
std::vector<Tensor> unbind(const Tensor& x, int dim = 0);
/// x repeated repeats[d] times along each dimension d. If there are more repeats than dimensions,
/// the first ones make new dimensions.
Tensor repeat(const Tensor& x, const Shape& repeats);
/// The elements x_i,i+offset of dimensions dim1 and dim2 as the last dimension: a view.
Tensor diagonal(const Tensor& x, int64_t offset = 0, int dim1 = 0, int dim2 = 1);
/// 0 above the diagonal of the last two dimensions.
Tensor tril(const Tensor& x, int64_t diagonal = 0);
Tensor triu(const Tensor& x, int64_t diagonal = 0);  // 0 below it

// ---- Reductions
// Over `dims`, or over all dimensions if the list is empty; negative ones count from the end. They
// are dropped unless keepdim.
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);   // dx = g
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);  // dx = g / n
/// mean((x - mean)^2) n / (n - correction); dx = 2 g (x - mean) / (n - correction).
Tensor var(const Tensor& x, const Dims& dims = {}, bool keepdim = false, int64_t correction = 1);
Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false);  // g shared among ties
Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false);  // g shared among ties
/// ln sum e^x, without overflow; dx = g softmax(x).
Tensor logsumexp(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// I64: whether any element, or every one, is other than 0, as NaN is. Without elements: 0, and 1.
Tensor any(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor all(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor cumsum(const Tensor& x, int dim);  // y_i = x_0 + … + x_i; dx_i = g_i + g_i+1 + …
/// I64; the first among ties. The default is the last dimension; PyTorch's is all at once.
Tensor argmax(const Tensor& x, int dim = -1, bool keepdim = false);
Tensor argmin(const Tensor& x, int dim = -1, bool keepdim = false);
struct Sorted {
  Tensor values, indices;
};
/// The k largest (smallest) along dim, in order; g goes back to where the values came from.
Sorted topk(const Tensor& x, int64_t k, int dim = -1, bool largest = true);
/// All elements along dim, in order.
Sorted sort(const Tensor& x, int dim = -1, bool descending = false);

// ---- Products
/// (…, M, K) @ (…, K, N); batches broadcast, and 1-d operands work as in NumPy. da = g b^T,
/// db = a^T g.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x w^T + bias for x (…, C), weight (O, C), bias (O,) or undefined. dx = g w, dw = g^T x,
/// dbias = sum g. A weight (C,) with a bias () gives one number for each row: (…).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// ---- Indexing
// gather, scatter_add and index_select treat a 0-d tensor as one element.
/// x at each index (n,) along dim; dx = g added at index.
Tensor index_select(const Tensor& x, int dim, const Tensor& index);
/// y_ij = x[index_ij, j] for dim 0; dx = g added at index.
Tensor gather(const Tensor& x, int dim, const Tensor& index);
/// x with `source` added at index along dim; dx = g, dsource = gather(g).
Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source);
/// x with the rows of `source` added at index (n,) along dim; dx = g, dsource = index_select(g).
Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source);
/// Rows of weight (V, C) for ids of any shape (…): (…, C). dweight = g added at the rows.
Tensor embedding(const Tensor& weight, const Tensor& ids);
Tensor one_hot(const Tensor& ids, int64_t classes);  // I64 (…, classes): 1 at the id, else 0

// ---- Rows: softmax and friends
/// e^x_i / sum_j e^x_j along dim; dx_i = y_i (g_i - sum_j g_j y_j). A row of -inf gives NaN.
Tensor softmax(const Tensor& x, int dim = -1);
/// x_i - ln sum_j e^x_j; dx_i = g_i - e^y_i sum_j g_j.
Tensor log_softmax(const Tensor& x, int dim = -1);
/// (x - mean) / sqrt(var + eps) weight + bias. mean and var are taken over the last dimensions: as
/// many as weight and bias have, with the same sizes; over one, if both are undefined.
/// dx = r (h - mean h - z mean(h z)), r = 1 / sqrt(var + eps), h = g weight, z = (x - mean) r.
/// Ba, Kiros & Hinton 2016.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);
/// x / sqrt(mean x^2 + eps) weight, over dimensions as in layer_norm. Zhang & Sennrich 2019.
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps = 1e-6);
/// Zeroes each element with probability p in [0, 1], and scales the others by 1 / (1 - p); dx is
/// the same of g.
Tensor dropout(const Tensor& x, double p, Generator& generator = default_generator());

/// BatchMean divides the sum by the first size. It is for kl_div; see nn/loss.h.
enum class Reduction { None, Mean, Sum, BatchMean };
struct CrossEntropyOptions {
  int64_t ignore_index = -100;  // rows with this target do not count
  double label_smoothing = 0;   // s: the target is (1 - s) one_hot + s / C
  Reduction reduction = Reduction::Mean;
  Tensor weight = {};  // (C,): how much each class counts
};
/// -ln softmax(logits)[target] for logits (…, C) and I64 targets (…). The mean is over the
/// rows that are not ignored; with weights, it divides by the sum of the weights of their
/// targets. dlogits = g (softmax(logits) - target distribution) / rows. IndexError for a target
/// outside [0, C). ValueError if there is no row, or if every row is ignored; a GPU is not waited
/// for, so there the mean is NaN, and an IndexError comes later (raw::check_indices). The classes
/// come last; the error for PyTorch's order (N, C, L) says so, but if C = L the two cannot be told
/// apart. Floating targets (…, C) are probabilities, such as a teacher's: the loss is then
/// -sum_c target_c ln softmax(logits)_c.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const CrossEntropyOptions& options = {});
/// -log_probabilities[target]: what remains of cross_entropy after a log_softmax. Shapes, errors
/// and options are the same, but for label_smoothing. dlog_probabilities = -g / rows at targets.
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& targets,
                const CrossEntropyOptions& options = {});

// ---- Attention
struct AttentionOptions {
  bool causal = false;                         // query t sees keys 0 … t + S - T
  Tensor key_mask = {};                        // (B, S) I64; 0 hides a key
  std::optional<double> scale = std::nullopt;  // 1/sqrt(D) unless given
  Tensor attn_mask = {};  // broadcast to (B, H, T, S); I64: 0 hides; floating: added to the scores
  double dropout = 0;     // of the probabilities, drawn from default_generator()
};
/// softmax(q k^T scale + mask) v for q (B, H, T, D), k and v (B, H, S, D): (B, H, T, D). Vaswani et
/// al. 2017, section 3.2.1; computed tile by tile without the (T, S) matrix, Dao et al. 2022. A
/// query that sees no key gives 0. Operands without H, (B, T, D), count as one head. k and v may
/// have fewer heads, H_kv: each then serves H / H_kv consecutive heads of q (GQA, Ainslie et al.
/// 2023). v may have another width than k, which is then the width of the output. attn_mask and
/// dropout take a slower path, which keeps the (T, S) matrix.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});
/// The same for packed qkv (B, T, 3 H D), as one linear layer makes it: (B, T, H D).
Tensor packed_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& options = {});
/// Only the probabilities softmax(q k^T scale + mask), (B, H, T, S), without dropout: to look at.
Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options = {});
/// Rotary position embedding: q and k of packed qkv (B, T, 3 H D), by heads, turned by angles that
/// grow with the position, so that q·k depends on how far apart the two are. v stays. Channels i
/// and i + D/2 of a head are a pair (a, b); at position p = first_position + t it becomes
///   (a cos φ - b sin φ, b cos φ + a sin φ),  φ = p base^(-2 i / D)
/// dqkv = g, turned back. Su et al., RoFormer (2021), section 3.2.2; there, neighbours are a pair,
/// which is the same but for the order of the channels. ShapeError: D is odd. ValueError: a
/// position is negative, or base is not positive.
Tensor rotary(const Tensor& qkv, int64_t heads, int64_t first_position = 0, double base = 10000);

}  // namespace gradus
