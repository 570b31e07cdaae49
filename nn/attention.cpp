// Self-attention in three ways: fused, on the packed projection (training); over a cache
// (generation); and with the whole matrix of weights (plots, dropout on the weights).
#include "nn/attention.h"

#include <limits>

namespace gradus {

/// The number of heads, if it divides the channels.
static int64_t checked_heads(int64_t embed_dim, int64_t num_heads) {
  check<ValueError>(num_heads > 0 && embed_dim > 0 && embed_dim % num_heads == 0,
                    "attention: {} channels do not divide into {} heads", embed_dim, num_heads);
  check<ValueError>(embed_dim <= std::numeric_limits<int64_t>::max() / 3,
                    "attention: {} channels are more than any memory holds", embed_dim);
  return num_heads;
}

MultiHeadSelfAttention::MultiHeadSelfAttention(int64_t embed_dim, int64_t num_heads,
                                               SelfAttentionOptions opts)
    : heads(checked_heads(embed_dim, num_heads)),
      options(opts),
      qkv(add<Linear>("qkv", embed_dim, 3 * embed_dim, opts.bias)),
      q_norm(opts.qk_norm ? &add<RMSNorm>("q_norm", embed_dim / heads) : nullptr),
      k_norm(opts.qk_norm ? &add<RMSNorm>("k_norm", embed_dim / heads) : nullptr),
      proj(add<Linear>("proj", embed_dim, embed_dim, opts.bias)) {
  check<ValueError>(opts.dropout >= 0 && opts.dropout < 1,
                    "attention: the dropout {} is outside [0, 1)", opts.dropout);
  check<ValueError>(!opts.rotary || embed_dim / heads % 2 == 0,
                    "attention: rotary turns pairs of channels, but a head has {}",
                    embed_dim / heads);
}

/// (B, H, T, D) -> (B, T, H D)
static Tensor join_heads(const Tensor& y) {
  const Tensor z = transpose(y, 1, 2);
  return reshape(z, {z.size(0), z.size(1), z.size(2) * z.size(3)});
}

/// q, k and v of positions first_position … as (B, T, 3C).
Tensor MultiHeadSelfAttention::packed(const Tensor& x, int64_t first_position) const {
  Tensor y = qkv(x);
  if (q_norm) {
    const int64_t channels = y.size(2) / 3;
    const std::vector<Tensor> parts = split_with_sizes(y, {channels, channels, channels}, 2);
    const auto by_heads = [&](const RMSNorm& norm, const Tensor& part) {
      return reshape(norm(reshape(part, {y.size(0), y.size(1), heads, channels / heads})),
                     part.shape());
    };
    y = cat({by_heads(*q_norm, parts[0]), by_heads(*k_norm, parts[1]), parts[2]}, 2);
  }
  return options.rotary ? rotary(y, heads, first_position) : y;
}

MultiHeadSelfAttention::Heads MultiHeadSelfAttention::split_heads(const Tensor& x,
                                                                  int64_t first_position) const {
  check<ShapeError>(x.dim() == 3 && x.size(2) == proj.weight.size(0),
                    "attention: x is {}; it must be (B, T, {})", x.shape(), proj.weight.size(0));
  const int64_t d = x.size(2) / heads;
  const Tensor parts =
      permute(reshape(packed(x, first_position), {x.size(0), x.size(1), 3, heads, d}),
              {2, 0, 3, 1, 4});  // (3, B, H, T, D)
  return {select(parts, 0, 0), select(parts, 0, 1), select(parts, 0, 2)};
}

Tensor MultiHeadSelfAttention::operator()(const Tensor& x, const Tensor& key_mask) const {
  return proj(packed_attention(packed(x, 0), heads,
                               {.causal = options.causal,
                                .key_mask = key_mask,
                                .dropout = training() ? options.dropout : 0}));
}

KvCache MultiHeadSelfAttention::make_cache(int64_t batch, int64_t capacity) const {
  const Shape shape{batch, heads, capacity, proj.weight.size(0) / heads};
  const Options like = proj.weight.options();
  return {zeros(shape, like), zeros(shape, like), 0};
}

Tensor MultiHeadSelfAttention::operator()(const Tensor& x, KvCache& cache,
                                          const Tensor& key_mask) const {
  check<GradError>(!grad_enabled(),
                   "attention: a cache keeps no history, so gradients through it would be wrong: "
                   "generate under `NoGrad guard;`");
  check<ValueError>(options.causal,
                    "attention: a cache needs causal attention: without it, positions seen earlier "
                    "would have to look at the new ones");
  const int64_t start = cache.length;
  check<ValueError>(start >= 0,
                    "attention: the cache has a length of {}; it counts positions from 0", start);
  const Heads h = split_heads(x, start);
  check<ShapeError>(
      x.size(0) == cache.k.size(0) && heads == cache.k.size(1) && h.k.size(3) == cache.k.size(3),
      "attention: {} heads for x {}, but the cache was made for {}: (B, heads, capacity, C / "
      "heads)",
      heads, x.shape(), cache.k.shape());
  const int64_t end = start + x.size(1);
  check<ValueError>(end <= cache.capacity(),
                    "attention: the cache is full: {} of {} positions are used and {} more came; "
                    "make a larger one, or start again with a shorter text",
                    start, cache.capacity(), x.size(1));
  raw::copy_(raw::slice(cache.k, 2, start, end), h.k);
  raw::copy_(raw::slice(cache.v, 2, start, end), h.v);
  const Tensor y = proj(join_heads(scaled_dot_product_attention(
      h.q, raw::slice(cache.k, 2, 0, end), raw::slice(cache.v, 2, 0, end),
      {.causal = true, .key_mask = key_mask})));
  cache.length = end;  // only now, so that a call that fails adds nothing
  return y;
}

Tensor MultiHeadSelfAttention::weights(const Heads& h, const Tensor& key_mask) const {
  return gradus::attention_weights(h.q, h.k, {.causal = options.causal, .key_mask = key_mask});
}

Tensor MultiHeadSelfAttention::attention_weights(const Tensor& x, const Tensor& key_mask) const {
  return weights(split_heads(x, 0), key_mask);
}

}  // namespace gradus
