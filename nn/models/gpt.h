#pragma once
// A GPT: embeddings of tokens and positions, a stack of blocks, and one linear layer that gives
// every token of the vocabulary a score (its logit) for being the next one.
//
//   x      = wte[ids] + wpe[0 … T-1]                       (B, T, C); no wpe if rotary
//   x      = x + attention(LN(x));  x = x + mlp(LN(x))     in each block
//   logits = LN(x) wte^T                                   (B, T, V)
//
// The output layer is the token embedding once more (tied weights, Press & Wolf 2017). Radford et
// al., Language Models are Unsupervised Multitask Learners (2019), which is GPT-2. The layout and
// its names (wte: token embedding, wpe: position embedding, ln_f: final norm) are nanoGPT's.
//
//   Gpt model({.vocabulary = 256, .context = 64, .layers = 4, .heads = 4, .channels = 128});
//   Tensor loss = cross_entropy(model(ids), next_ids);
//   model.eval();
//   std::vector<int64_t> ids = model.generate({72, 105}, 50, {.temperature = 0.8});
//
// gpt_checkpoint.h saves and loads it; language_model.h puts a tokenizer beside it.
#include <functional>
#include <vector>

#include "nn/attention.h"
#include "nn/text/sampling.h"
#include "nn/transformer.h"

namespace gradus {

/// How the model knows where a token stands: by a vector that is learned for each position and is
/// added to the token's, or by turning each head's q and k (rotary() in autograd/ops.h).
enum class Positions { Learned, Rotary };

/// What the norms of the model are: LayerNorm, or RMSNorm, which subtracts no mean and has no bias.
enum class NormForm { Layer, Rms };

struct Norm : Module {
  Norm(int64_t dim, NormForm form);
  Tensor operator()(const Tensor& x) const {
    return bias.defined() ? layer_norm(x, weight, bias) : rms_norm(x, weight);
  }
  const Tensor weight, bias;
};

struct GptConfig {
  int64_t vocabulary = 0;  // V: different tokens
  int64_t context = 0;     // the most tokens that are read at once
  int64_t layers = 0;      // blocks
  int64_t heads = 0;       // attention heads; they must divide the channels
  int64_t channels = 0;    // C: numbers per position
  double dropout = 0;      // in training, on the embeddings and on what each block adds
  Positions positions = Positions::Learned;
  NormForm norm = NormForm::Layer;
  // To each token's vector those of so many tokens before it are added, each channel with a weight
  // of its own: a short causal convolution. Attention can then look for a token by what stood
  // before it, which is what copying takes, in one layer instead of two.
  int64_t lookback = 0;
  bool qk_norm = false;  // SelfAttentionOptions::qk_norm
};

/// One layer: attention mixes the positions, the MLP works on each by itself, and both add to what
/// flows past them.
struct GptBlock : Module {
  explicit GptBlock(const GptConfig& c);
  /// x (B, T, C) -> (B, T, C). With a cache, x continues the positions that it holds.
  Tensor operator()(const Tensor& x, KvCache* cache = nullptr) const;

  Norm& ln1;
  MultiHeadSelfAttention& attn;
  Norm& ln2;
  Mlp& mlp;
  Dropout& drop;
};

struct Gpt : Module {
  /// Weights begin as GPT-2's do, drawn from default_generator(). ValueError: the heads do not
  /// divide the channels, a size is not positive, the lookback is negative, or rotary positions
  /// meet heads of an odd size.
  explicit Gpt(const GptConfig& c);

  /// ids (B, T) I64 -> logits (B, T, V). ShapeError: ids is not 2-d, or empty. ValueError: T is
  /// more than the context. IndexError: an id is outside [0, V).
  Tensor operator()(const Tensor& ids) const;
  /// The logits (N, V) at N positions only, for a loss that looks at no others. positions (N,) I64
  /// count through the batch: b T + t. Errors as above.
  Tensor operator()(const Tensor& ids, const Tensor& positions) const;
  /// The logits (B, V) that follow the last of ids (B, T), which continue what `caches` hold.
  /// Errors as above, where T counts the cached positions too. GradError outside of NoGrad.
  Tensor operator()(const Tensor& ids, std::vector<KvCache>& caches) const;
  /// Empty caches, one per block, for `batch` sequences of up to a context.
  std::vector<KvCache> make_caches(int64_t batch) const;

  /// Continues `prompt` by `length` tokens, one at a time, and returns these. Where prompt and
  /// answer are longer than the context, it reads the last half context again and goes on from
  /// there. `on_token` sees each token as it comes; if it returns false, that token is the last.
  /// Call eval() before, so that dropout is off. ValueError: the prompt is empty, or an option is
  /// out of range (sampling.h).
  std::vector<int64_t> generate(const std::vector<int64_t>& prompt, int64_t length,
                                const SamplingOptions& options = {},
                                Generator& generator = default_generator(),
                                const std::function<bool(int64_t)>& on_token = {}) const;

  /// Who looks at whom in one layer: ids (B, T) -> (B, H, T, T), rows summing to 1. IndexError:
  /// there is no such layer.
  Tensor attention(const Tensor& ids, int64_t layer) const;

  GptConfig config;
  Embedding& wte;
  Embedding* wpe;  // null if positions are rotary
  Tensor shift;    // (lookback, C): weights of the vectors 1, 2, … tokens before
  Dropout& drop;
  std::vector<GptBlock*> blocks;
  Norm& ln_f;

 private:
  void initialise() const;
  Tensor embed(const Tensor& ids, int64_t first = 0, const Tensor& past = {}) const;
  Tensor hidden(const Tensor& ids) const;
  Tensor logits(const Tensor& x) const;
};

}  // namespace gradus
