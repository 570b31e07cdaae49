#pragma once
// One layer of a Transformer. Attention mixes the positions, and the MLP works on each by itself.
// Both only add to what flows past them (the residual stream), so gradients reach the first layer
// undiminished. There are two families, by the place of the norm:
//   pre-norm    x + attn(norm(x)), then x + mlp(norm(x))      GPT-2; trains without warm-up
//   post-norm   norm(x + attn(x)), then norm(x + mlp(x))      Vaswani et al. 2017, BERT
// Xiong et al., On Layer Normalization in the Transformer Architecture (2020).
#include "nn/attention.h"

namespace gradus {

struct TransformerOptions {
  bool causal = false;
  bool pre_norm = true;
  double dropout = 0;            // on what attention and MLP add
  double attention_dropout = 0;  // on the attention weights
  bool bias = true;              // in the linear layers
  int64_t mlp_ratio = 4;         // hidden channels of the MLP over C
};

/// fc, gelu in its tanh form, proj: (…, C) -> (…, C) through `hidden` channels.
struct Mlp : Module {
  Mlp(int64_t channels, int64_t hidden, bool bias = true)
      : fc(add<Linear>("fc", channels, hidden, bias)),
        proj(add<Linear>("proj", hidden, channels, bias)) {}
  Tensor operator()(const Tensor& x) const { return proj(gelu(fc(x), GeluForm::Tanh)); }
  Linear &fc, &proj;
};

struct TransformerBlock : Module {
  TransformerBlock(int64_t channels, int64_t heads, TransformerOptions options = {});
  /// x (B, T, C) -> (B, T, C); key_mask (B, T) I64 hides padding.
  Tensor operator()(const Tensor& x, const Tensor& key_mask = {}) const;
  /// The same for the next positions of a sequence whose past is in `cache`; see attention.h.
  Tensor operator()(const Tensor& x, KvCache& cache, const Tensor& key_mask = {}) const;

  bool pre_norm;
  LayerNorm& ln1;
  MultiHeadSelfAttention& attn;
  LayerNorm& ln2;
  Mlp& mlp;
  Dropout& drop;

 private:
  Tensor attend(const Tensor& x, KvCache* cache, const Tensor& key_mask) const;
  Tensor run(const Tensor& x, KvCache* cache, const Tensor& key_mask) const;
};

}  // namespace gradus
