#pragma once
// Multi-head self-attention: every position asks (q), offers (k) and carries (v) a vector, and
// takes the average of the v's, weighted by softmax(q k^T / sqrt(D)) over the positions it may see.
// One linear layer makes q, k and v of all heads at once, packed as (B, T, 3C), and the fused
// kernel reads them there. Vaswani et al., Attention Is All You Need (2017), section 3.2.
#include "nn/layers.h"

namespace gradus {

/// The keys and values of the positions seen so far, so that a new token costs one row of attention
/// and not all of them again. k and v are (B, H, capacity, D); `length` positions of them are
/// filled. Rotary keys are stored turned. Setting `length` back forgets what came after it.
struct KvCache {
  Tensor k, v;
  int64_t length = 0;
  Tensor inputs = {};  // (B, capacity, C), in a GPT's first cache: what its lookback has read
  int64_t capacity() const { return k.size(2); }
};

struct SelfAttentionOptions {
  bool causal = false;  // position t sees 0 … t
  double dropout = 0;   // on the attention weights, in training; takes a slower path
  bool bias = true;
  // RMSNorm of each head's q and k, before they turn: how sharply a head can look is then up to the
  // two gains alone (Henry et al. 2020).
  bool qk_norm = false;
  bool rotary = false;  // q and k turn with their position: rotary() in autograd/ops.h
};

struct MultiHeadSelfAttention : Module {
  /// ValueError: embed_dim is not a multiple of num_heads; with rotary, an even one.
  MultiHeadSelfAttention(int64_t embed_dim, int64_t num_heads, SelfAttentionOptions options = {});

  /// x (B, T, C) -> (B, T, C). key_mask (B, T) I64: 0 hides a position from all others (padding).
  Tensor operator()(const Tensor& x, const Tensor& key_mask = {}) const;
  /// The same for x (B, T, C) at positions length … length + T - 1: stores their keys and values in
  /// `cache`, and attends to everything stored. key_mask is (B, length + T) then. ValueError: the
  /// cache is full, or the attention is not causal. GradError while recording: what a cache holds
  /// has no history, so use it under NoGrad.
  Tensor operator()(const Tensor& x, KvCache& cache, const Tensor& key_mask = {}) const;
  /// An empty cache for `batch` sequences of up to `capacity` positions, in the weights' dtype.
  KvCache make_cache(int64_t batch, int64_t capacity) const;
  /// Who looks at whom: x (B, T, C) -> (B, H, T, T), rows summing to 1. For plots: attention itself
  /// never builds this matrix.
  Tensor attention_weights(const Tensor& x, const Tensor& key_mask = {}) const;

  int64_t heads;
  SelfAttentionOptions options;
  Linear& qkv;
  RMSNorm *q_norm, *k_norm;  // null without qk_norm
  Linear& proj;

 private:
  struct Heads {
    Tensor q, k, v;
  };
  Tensor packed(const Tensor& x, int64_t first_position) const;
  Heads split_heads(const Tensor& x, int64_t first_position) const;
  Tensor weights(const Heads& h, const Tensor& key_mask) const;
};

}  // namespace gradus
