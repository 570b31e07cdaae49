#pragma once
// A GPT is an ordinary module: token and position embeddings, a stack of pre-norm Transformer
// blocks, a last layer norm, and the token embedding once more as the output layer (tied weights).
//   logits = LN(blocks(wte[ids] + wpe[positions])) wte^T
// Radford et al. 2019 (GPT-2); the layout is nanoGPT's. Press & Wolf 2017 for the tied embedding.
#include <limits>
#include <string>
#include <vector>

#include "nn/nn.h"

namespace gradus {

struct GptConfig {
  int64_t vocabulary = 0, context = 0, layers = 0, heads = 0, channels = 0;
  double dropout = 0;
};

/// To and from a checkpoint's metadata ("gpt.layers" …). IoError if an entry is missing or no
/// sensible number.
Metadata to_metadata(const GptConfig& config);
GptConfig gpt_config(const Metadata& metadata);
int64_t num_parameters(const GptConfig& config);
/// IoError unless `state`, read from a checkpoint, holds as many numbers as a GPT of this configuration:
/// to be asked before one is built, because a configuration is a few digits, and its model may be gigabytes.
void check_size(const GptConfig& config, const NamedTensors& state);
/// What a checkpoint's metadata holds under `key`. IoError if there is nothing.
const std::string& metadata_text(const Metadata& metadata, const std::string& key);
/// Where the checkpoint's random numbers "default" were. IoError if it does not say.
PhiloxKey generator_state(const Checkpoint& checkpoint);
/// The whole number, from 0 to most, that a checkpoint's metadata holds under `key`. IoError if there is none.
int64_t metadata_number(const Metadata& metadata, const std::string& key,
                        int64_t most = std::numeric_limits<int64_t>::max());

struct Gpt : Module {
  explicit Gpt(const GptConfig& c);

  /// ids (B, T) I64, T at most the context -> logits (B, T, V).
  Tensor operator()(const Tensor& ids) const;
  /// The logits (N, V) at some positions only, counted through the batch: b T + t, I64 (N). A loss that
  /// looks at no others need not compute them.
  Tensor operator()(const Tensor& ids, const Tensor& positions) const;
  /// The last position's logits (B, V) for ids (B, T) that continue what `caches` holds; see
  /// nn/attention.h.
  Tensor operator()(const Tensor& ids, std::vector<KvCache>& caches) const;
  std::vector<KvCache> make_caches(int64_t batch) const;
  /// Who looks at whom in one layer: ids (B, T) -> (B, H, T, T), rows summing to 1.
  Tensor attention(const Tensor& ids, int64_t layer) const;

  GptConfig config;
  Embedding &wte, &wpe;
  Dropout& drop;
  std::vector<TransformerBlock*> blocks;
  LayerNorm& ln_f;

 private:
  Tensor embed(const Tensor& ids, int64_t start) const;
  Tensor hidden(const Tensor& ids) const;
};

/// The model that a checkpoint holds. IoError if its configuration is not that of its tensors in number,
/// ValueError if it is not by name and shape.
Gpt load_gpt(const Checkpoint& checkpoint);

}  // namespace gradus
