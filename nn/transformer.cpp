// The block's wiring, written once for both places of the norm, with and without a cache.
#include "nn/transformer.h"

#include <limits>

namespace gradus {

static int64_t hidden_channels(int64_t channels, int64_t ratio) {
  check<ValueError>(ratio >= 1 && channels <= std::numeric_limits<int64_t>::max() / ratio,
                    "transformer: an MLP of {} times {} channels", ratio, channels);
  return ratio * channels;
}

TransformerBlock::TransformerBlock(int64_t channels, int64_t heads, TransformerOptions options)
    : pre_norm(options.pre_norm),
      ln1(add<LayerNorm>("ln1", channels)),
      attn(add<MultiHeadSelfAttention>("attn", channels, heads,
                                       SelfAttentionOptions{.causal = options.causal,
                                                            .dropout = options.attention_dropout,
                                                            .bias = options.bias})),
      ln2(add<LayerNorm>("ln2", channels)),
      mlp(add<Mlp>("mlp", channels, hidden_channels(channels, options.mlp_ratio), options.bias)),
      drop(add<Dropout>("drop", options.dropout)) {}

template <class Attend>
static Tensor wire(const TransformerBlock& b, const Tensor& x, const Attend& attend) {
  if (b.pre_norm) {
    const Tensor h = x + b.drop(attend(b.ln1(x)));
    return h + b.drop(b.mlp(b.ln2(h)));
  }
  const Tensor h = b.ln1(x + b.drop(attend(x)));
  return b.ln2(h + b.drop(b.mlp(h)));
}

Tensor TransformerBlock::operator()(const Tensor& x, const Tensor& key_mask) const {
  return wire(*this, x, [&](const Tensor& y) { return attn(y, key_mask); });
}

Tensor TransformerBlock::operator()(const Tensor& x, KvCache& cache, const Tensor& key_mask) const {
  return wire(*this, x, [&](const Tensor& y) { return attn(y, cache, key_mask); });
}

}  // namespace gradus
