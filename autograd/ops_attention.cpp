// Attention as one operation. attention_weights is the definition that every textbook prints; the
// kernel computes the same tile by tile and never stores the (T, S) matrix.
#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops.h"

namespace gradus {

namespace {

/// I64 (T, S): 1 where query t must not see key s.
Tensor future(int64_t queries, int64_t keys, Device device) {
  const Tensor last = unsqueeze(arange(queries), 1) + static_cast<double>(keys - queries);
  return to(gt(unsqueeze(arange(keys), 0), last), device);
}

void check_operands(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  check<ShapeError>(q.dim() == 4 && k.dim() == 4 && v.shape() == k.shape() &&
                        q.size(0) == k.size(0) && q.size(1) == k.size(1) && q.size(3) == k.size(3),
                    "attention: q {}, k {}, v {}; wanted (B, H, T, D) and twice (B, H, S, D)",
                    q.shape(), k.shape(), v.shape());
  check<DTypeError>(q.is_floating_point() && q.dtype() == k.dtype() && q.dtype() == v.dtype(),
                    "attention: q {}, k {}, v {}", name(q.dtype()), name(k.dtype()),
                    name(v.dtype()));
  check<DeviceError>(q.device() == k.device() && q.device() == v.device(),
                     "attention: q on {}, k on {}, v on {}", name(q.device()), name(k.device()),
                     name(v.device()));
  if (!o.key_mask.defined()) return;
  check<ShapeError>(o.key_mask.shape() == Shape{k.size(0), k.size(2)},
                    "attention: key mask {} for keys {}; wanted (B, S)", o.key_mask.shape(),
                    k.shape());
  check<DTypeError>(o.key_mask.dtype() == I64,
                    "attention: the key mask must be int64, 0 hides a key");
  check<DeviceError>(o.key_mask.device() == k.device(), "attention: keys on {}, their mask on {}",
                     name(k.device()), name(o.key_mask.device()));
}

double scale_of(const AttentionOptions& o, int64_t d) {
  return o.scale.value_or(1 / std::sqrt(static_cast<double>(std::max<int64_t>(d, 1))));
}

Tensor definition(const Tensor& q, const Tensor& k, const Tensor& v,
                  const AttentionOptions& options) {
  return matmul(attention_weights(q, k, options), v);
}

/// x (B, H, T, D) with rows as a matrix product reads them: contiguous, and as far apart as they are
/// long. Rows repeated by expand (the gradient of a sum over T is one) lie on top of each other.
Tensor separate_rows(const Tensor& x) {
  const int64_t d = x.size(3);
  const bool separate =
      x.strides()[2] >= std::max<int64_t>(d, 1) && (x.strides()[3] == 1 || d <= 1);
  return separate ? x : raw::clone(x);
}

/// The checked, kernel-ready operands of one call.
struct Call {
  Tensor q, k, v;
  std::optional<View> mask;
  AttentionOptions options;
  double scale;

  Call(const Tensor& q_, const Tensor& k_, const Tensor& v_, const AttentionOptions& o)
      : options(o) {
    check_operands(q_, k_, v_, o);
    q = separate_rows(q_.detach()), k = separate_rows(k_.detach()), v = separate_rows(v_.detach());
    if (o.key_mask.defined()) mask = o.key_mask.view();
    scale = scale_of(o, q.size(3));
  }
  Tensor forward(const Tensor& out) const {
    Tensor lse = empty({q.size(0), q.size(1), q.size(2)}, q.options());
    backend(q.device())
        .attention(q.view(), k.view(), v.view(), mask, options.causal, scale, out.view(),
                   lse.view());
    return lse;
  }
  void backward(const Tensor& g, const Tensor& out, const Tensor& lse, const Tensor& dq,
                const Tensor& dk, const Tensor& dv) const {
    backend(q.device())
        .attention_backward(separate_rows(g).view(), q.view(), k.view(), v.view(), mask,
                            options.causal, scale, out.view(), lse.view(), dq.view(), dk.view(),
                            dv.view());
  }
};

/// Part `i` of packed (B, T, 3 H D), or of (B, T, H D) with parts = 1, as (B, H, T, D): a view.
Tensor head_view(const Tensor& x, int64_t heads, int64_t parts, int64_t i) {
  const int64_t c = x.size(-1) / parts;
  const Tensor part = raw::slice(x, -1, i * c, (i + 1) * c);
  return raw::transpose(raw::reshape(part, {x.size(0), x.size(1), heads, c / heads}), 1, 2);
}

}  // namespace

Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options) {
  check_operands(q, k, k, options);
  Tensor scores = matmul(q, t(k)) * scale_of(options, q.size(3));
  const double hidden = -std::numeric_limits<double>::infinity();
  if (options.causal)
    scores = masked_fill(scores, future(q.size(2), k.size(2), q.device()), hidden);
  if (options.key_mask.defined())
    scores = masked_fill(scores, eq(unsqueeze(unsqueeze(options.key_mask, 1), 1), 0), hidden);
  if (!options.key_mask.defined() && q.size(2) <= k.size(2)) return softmax(scores);  // all see one
  const Tensor blind = eq(max(scores.detach(), {-1}, true), hidden);  // sees nothing: 0, not NaN
  return masked_fill(softmax(masked_fill(scores, blind, 0), -1), blind, 0);
}

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  const Call call(q, k, v, options);
  Tensor out = empty(q.shape(), q.options());
  const Tensor lse = call.forward(out);
  auto joint = [call, lse](const Tensor& g, const Tensor& y) {
    Tensor dq = empty(call.q.shape(), y.options()), dk = empty(call.k.shape(), y.options()),
           dv = empty(call.k.shape(), y.options());
    call.backward(g, y, lse, dq, dk, dv);
    return std::vector{dq, dk, dv};
  };
  return record_fused(
      "attention", std::move(out), {q, k, v}, joint,
      [options](std::span<const Tensor> in) { return definition(in[0], in[1], in[2], options); });
}

Tensor packed_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& options) {
  check<ShapeError>(qkv.dim() == 3 && heads > 0 && qkv.size(2) % (3 * heads) == 0,
                    "attention: packed {} with {} heads; wanted (B, T, 3 H D)", qkv.shape(), heads);
  const Tensor packed = raw::contiguous(qkv).detach();
  const Call call(head_view(packed, heads, 3, 0), head_view(packed, heads, 3, 1),
                  head_view(packed, heads, 3, 2), options);
  Tensor out = empty({qkv.size(0), qkv.size(1), qkv.size(2) / 3}, qkv.options());
  const Tensor lse = call.forward(head_view(out, heads, 1, 0));
  auto joint = [call, lse, heads, shape = qkv.shape()](const Tensor& g, const Tensor& y) {
    Tensor dqkv = empty(shape, y.options());
    call.backward(head_view(raw::contiguous(g), heads, 1, 0), head_view(y, heads, 1, 0), lse,
                  head_view(dqkv, heads, 3, 0), head_view(dqkv, heads, 3, 1),
                  head_view(dqkv, heads, 3, 2));
    return std::vector{dqkv};
  };
  return record_fused(
      "packed_attention", std::move(out), {qkv}, joint,
      [heads, options](std::span<const Tensor> in) {
        const Tensor& x = in[0];
        const int64_t b = x.size(0), n = x.size(1), c = x.size(2) / 3;
        auto part = [&](int64_t i) {
          return transpose(reshape(slice(x, 2, i * c, (i + 1) * c), {b, n, heads, c / heads}), 1,
                           2);
        };
        return reshape(transpose(definition(part(0), part(1), part(2), options), 1, 2), {b, n, c});
      });
}

}  // namespace gradus
