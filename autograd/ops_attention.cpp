// Attention as one operation. attention_weights is the definition from the textbooks. The kernel
// computes the same thing tile by tile, and never stores the (T, S) matrix.
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

/// An error unless q is (B, H, T, D), k (B, H_kv, S, D) and v (B, H_kv, S, E), where H is a
/// multiple of H_kv, and the masks fit.
void check_operands(const char* op, const Tensor& q, const Tensor& k, const Tensor& v,
                    const AttentionOptions& o) {
  check_defined(op, q, k, v);
  const bool dims = q.dim() == 4 && k.dim() == 4 && v.dim() == 4;
  check<ShapeError>(
      dims && q.size(0) == k.size(0) && k.size(0) == v.size(0) && k.size(1) == v.size(1) &&
          (k.size(1) > 0 ? q.size(1) % k.size(1) == 0 : q.size(1) == 0) && k.size(2) == v.size(2) &&
          q.size(3) == k.size(3),
      "{}: q {}, k {}, v {}; they must be (B, H, T, D), (B, H, S, D) and (B, H, S, E), or all "
      "without H; H of k and v may be a divisor of q's",
      op, q.shape(), k.shape(), v.shape());
  raw::check_floating(op, {{"q", q}, {"k", k}, {"v", v}});
  raw::check_same_device(op, {{"k", k}, {"key_mask", o.key_mask}, {"attn_mask", o.attn_mask}});
  check<ValueError>(o.dropout >= 0 && o.dropout < 1, "{}: dropout {} is outside [0, 1)", op,
                    o.dropout);
  if (o.attn_mask.defined()) {
    const Shape scores{q.size(0), q.size(1), q.size(2), k.size(2)};
    check<ShapeError>(raw::broadcast_dims(o.attn_mask.shape(), scores).has_value(),
                      "{}: attn_mask {} does not broadcast to (B, H, T, S) = {}", op,
                      o.attn_mask.shape(), scores);
    check<DTypeError>(o.attn_mask.dtype() == I64 || o.attn_mask.dtype() == q.dtype(),
                      "{}: attn_mask is {}; it must be int64, where 0 hides, or {}, which is added",
                      op, name(o.attn_mask.dtype()), name(q.dtype()));
  }
  if (!o.key_mask.defined()) return;
  check<ShapeError>(o.key_mask.shape() == Shape{k.size(0), k.size(2)},
                    "{}: key_mask {} for keys {}; it must be (B, S)", op, o.key_mask.shape(),
                    k.shape());
  check<DTypeError>(o.key_mask.dtype() == I64,
                    "{}: key_mask is {}; it must be int64, where 0 hides a key", op,
                    name(o.key_mask.dtype()));
}

double scale_of(const AttentionOptions& o, int64_t d) {
  return o.scale.value_or(1 / std::sqrt(static_cast<double>(std::max<int64_t>(d, 1))));
}

/// Repeats each head of x (B, H_kv, S, D), so that there are `heads` of them.
Tensor repeat_heads(const Tensor& x, int64_t heads) {
  const int64_t times = x.size(1) > 0 ? heads / x.size(1) : 1;
  if (times == 1) return x;
  const Tensor many = expand(unsqueeze(x, 2), {x.size(0), x.size(1), times, x.size(2), x.size(3)});
  return reshape(many, {x.size(0), heads, x.size(2), x.size(3)});
}

/// x with zeros after each row, up to `width`: no product changes.
Tensor padded(const Tensor& x, int64_t width) {
  Shape missing = x.shape();
  missing[missing.size() - 1] = width - x.size(-1);
  return missing.back() == 0 ? x : cat({x, zeros(missing, x.options())}, -1);
}

Tensor definition(const Tensor& q, const Tensor& k, const Tensor& v,
                  const AttentionOptions& options) {
  Tensor p = attention_weights(q, k, options);
  if (options.dropout > 0) p = dropout(p, options.dropout);
  return matmul(p, repeat_heads(v, q.size(1)));
}

/// Whether the kernel can do this. It has no matrix of scores, to which a mask could be added or
/// dropout applied.
bool fused(const AttentionOptions& o) { return !o.attn_mask.defined() && o.dropout == 0; }

/// What the kernels receive: the same memory, without history.
raw::Attention operands(const Tensor& q, const Tensor& k, const Tensor& v,
                        const AttentionOptions& o) {
  return {q.detach(), k.detach(), v.detach(), o.key_mask, o.causal, scale_of(o, q.size(3))};
}

/// Part `i` of x (B, T, parts H D) as (B, H, T, D): a view. Packed q, k, v have three parts.
Tensor head_view(const Tensor& x, int64_t heads, int64_t parts, int64_t i) {
  const int64_t c = x.size(-1) / parts;
  const Tensor part = raw::slice(x, -1, i * c, (i + 1) * c);
  return raw::transpose(raw::reshape(part, {x.size(0), x.size(1), heads, c / heads}), 1, 2);
}

}  // namespace

Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options) {
  check_operands("attention_weights", q, k, k, options);
  Tensor scores = matmul(q, t(repeat_heads(k, q.size(1)))) * scale_of(options, q.size(3));
  if (k.size(2) == 0) return scores;  // no keys, no probabilities
  const Tensor& mask = options.attn_mask;
  const double hidden = -std::numeric_limits<double>::infinity();
  if (options.causal)
    scores = masked_fill(scores, future(q.size(2), k.size(2), q.device()), hidden);
  if (options.key_mask.defined())
    scores = masked_fill(scores, eq(unsqueeze(unsqueeze(options.key_mask, 1), 1), 0), hidden);
  if (mask.defined())
    scores = mask.dtype() == I64 ? masked_fill(scores, eq(mask, 0), hidden) : scores + mask;
  if (!options.key_mask.defined() && !mask.defined() && q.size(2) <= k.size(2))
    return softmax(scores);  // every query sees a key
  // A query that sees no key has weights 0, not NaN.
  const Tensor blind = eq(max(scores.detach(), {-1}, true), hidden);
  return masked_fill(softmax(masked_fill(scores, blind, 0), -1), blind, 0);
}

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  check_defined("scaled_dot_product_attention", q, k, v);
  if (q.dim() == 3 && k.dim() == 3 && v.dim() == 3) {
    AttentionOptions o = options;
    if (o.attn_mask.defined() && o.attn_mask.dim() == 3) o.attn_mask = unsqueeze(o.attn_mask, 1);
    return squeeze(
        scaled_dot_product_attention(unsqueeze(q, 1), unsqueeze(k, 1), unsqueeze(v, 1), o), 1);
  }
  check_operands("scaled_dot_product_attention", q, k, v, options);
  if (!fused(options)) return definition(q, k, v, options);
  if (k.size(1) != q.size(1))
    return scaled_dot_product_attention(q, repeat_heads(k, q.size(1)), repeat_heads(v, q.size(1)),
                                        options);
  if (v.size(3) != k.size(3)) {
    AttentionOptions o = options;
    o.scale = scale_of(options, q.size(3));
    const int64_t width = std::max(k.size(3), v.size(3));
    return slice(
        scaled_dot_product_attention(padded(q, width), padded(k, width), padded(v, width), o), -1,
        0, v.size(3));
  }
  const raw::Attention call = operands(q, k, v, options);
  Tensor out = empty(q.shape(), q.options());
  const Tensor stats = raw::attention_(call, out);
  auto joint = [call, stats](const Tensor& g, const Tensor& y) {
    Tensor dq = empty(call.q.shape(), y.options()), dk = empty(call.k.shape(), y.options()),
           dv = empty(call.k.shape(), y.options());
    raw::attention_backward_(call, g, y, stats, dq, dk, dv);
    return std::vector{dq, dk, dv};
  };
  return record_fused(
      "attention", std::move(out), {q, k, v}, joint,
      [options](std::span<const Tensor> in) { return definition(in[0], in[1], in[2], options); });
}

/// packed_attention in differentiable operations.
static Tensor packed_definition(const Tensor& x, int64_t heads, const AttentionOptions& options) {
  const int64_t b = x.size(0), n = x.size(1), c = x.size(2) / 3;
  auto part = [&](int64_t i) {
    return transpose(reshape(slice(x, 2, i * c, (i + 1) * c), {b, n, heads, c / heads}), 1, 2);
  };
  return reshape(transpose(definition(part(0), part(1), part(2), options), 1, 2), {b, n, c});
}

Tensor packed_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& options) {
  check_defined("packed_attention", qkv);
  check<ShapeError>(
      qkv.dim() == 3 && heads > 0 && qkv.size(2) % 3 == 0 && qkv.size(2) / 3 % heads == 0,
      "packed_attention: {} with {} heads; it must be (B, T, 3 H D)", qkv.shape(), heads);
  const Tensor packed = raw::contiguous(qkv).detach();
  const Tensor q = head_view(packed, heads, 3, 0), k = head_view(packed, heads, 3, 1),
               v = head_view(packed, heads, 3, 2);
  check_operands("packed_attention", q, k, v, options);
  if (!fused(options)) return packed_definition(qkv, heads, options);
  const raw::Attention call = operands(q, k, v, options);
  Tensor out = empty({qkv.size(0), qkv.size(1), qkv.size(2) / 3}, qkv.options());
  const Tensor stats = raw::attention_(call, head_view(out, heads, 1, 0));
  auto joint = [call, stats, heads, shape = qkv.shape()](const Tensor& g, const Tensor& y) {
    Tensor dqkv = empty(shape, y.options());
    raw::attention_backward_(call, head_view(raw::contiguous(g), heads, 1, 0),
                             head_view(y, heads, 1, 0), stats, head_view(dqkv, heads, 3, 0),
                             head_view(dqkv, heads, 3, 1), head_view(dqkv, heads, 3, 2));
    return std::vector{dqkv};
  };
  return record_fused("packed_attention", std::move(out), {qkv}, joint,
                      [heads, options](std::span<const Tensor> in) {
                        return packed_definition(in[0], heads, options);
                      });
}

static Tensor turn(const Tensor& qkv, const raw::Rotary& r) {
  raw::Rotary back = r;
  back.direction = -r.direction;
  return record("rotary", raw::rotary(qkv, r),
                {{qkv, [back](const Tensor& g) { return turn(g, back); }}});
}

Tensor rotary(const Tensor& qkv, int64_t heads, int64_t first_position, double base) {
  return turn(qkv, {heads, first_position, base, 1});
}

}  // namespace gradus
