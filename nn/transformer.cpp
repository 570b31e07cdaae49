// The wiring of the block: both places of the norm, with and without a cache.
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

Tensor TransformerBlock::attend(const Tensor& x, KvCache* cache, const Tensor& key_mask) const {
  return cache ? attn(x, *cache, key_mask) : attn(x, key_mask);
}

Tensor TransformerBlock::run(const Tensor& x, KvCache* cache, const Tensor& key_mask) const {
  if (pre_norm) {
    const Tensor h = x + drop(attend(ln1(x), cache, key_mask));
    return h + drop(mlp(ln2(h)));
  }
  const Tensor h = ln1(x + drop(attend(x, cache, key_mask)));
  return ln2(h + drop(mlp(h)));
}

Tensor TransformerBlock::operator()(const Tensor& x, const Tensor& key_mask) const {
  return run(x, nullptr, key_mask);
}

Tensor TransformerBlock::operator()(const Tensor& x, KvCache& cache, const Tensor& key_mask) const {
  return run(x, &cache, key_mask);
}

}  // namespace gradus
