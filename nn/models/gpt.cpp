#include "nn/models/gpt.h"

#include <charconv>
#include <cmath>

namespace gradus {

Metadata to_metadata(const GptConfig& c) {
  return {{"gpt.vocabulary", std::to_string(c.vocabulary)},
          {"gpt.context", std::to_string(c.context)},
          {"gpt.layers", std::to_string(c.layers)},
          {"gpt.heads", std::to_string(c.heads)},
          {"gpt.channels", std::to_string(c.channels)},
          {"gpt.dropout", fmt::format("{}", c.dropout)}};
}

const std::string& metadata_text(const Metadata& metadata, const std::string& key) {
  const auto it = metadata.find(key);
  check<IoError>(it != metadata.end(),
                 "checkpoint: no entry {}: this file does not hold a GPT of gradus", key);
  return it->second;
}

/// All of `text` as a T, or nothing.
template <class T>
static std::optional<T> parsed(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int64_t metadata_number(const Metadata& metadata, const std::string& key, int64_t most) {
  const std::string& text = metadata_text(metadata, key);
  const auto n = parsed<int64_t>(text);
  check<IoError>(n && *n >= 0 && *n <= most, "checkpoint: {} = \"{}\" is no number from 0 to {}",
                 key, text, most);
  return *n;
}

PhiloxKey generator_state(const Checkpoint& checkpoint) {
  const auto it = checkpoint.generators.find("default");
  check<IoError>(it != checkpoint.generators.end(),
                 "checkpoint: no state of the random numbers: it cannot be gone on from");
  return it->second;
}

GptConfig gpt_config(const Metadata& metadata) {
  auto size = [&](const std::string& key, int64_t most) {
    const int64_t n = metadata_number(metadata, key, most);
    check<IoError>(n > 0, "checkpoint: {} is 0", key);
    return n;
  };
  GptConfig c{.vocabulary = size("gpt.vocabulary", 1 << 20),
              .context = size("gpt.context", 1 << 16),
              .layers = size("gpt.layers", 1 << 10),
              .heads = size("gpt.heads", 1 << 16),
              .channels = size("gpt.channels", 1 << 16)};
  const std::string& dropout = metadata_text(metadata, "gpt.dropout");
  const auto p = parsed<double>(dropout);
  check<IoError>(p && *p >= 0 && *p < 1, "checkpoint: gpt.dropout = \"{}\" is outside [0, 1)",
                 dropout);
  c.dropout = *p;
  check<IoError>(c.channels % c.heads == 0, "checkpoint: {} channels do not divide into {} heads",
                 c.channels, c.heads);
  return c;
}

int64_t num_parameters(const GptConfig& c) {
  const int64_t norm = 2 * c.channels, attention = 4 * c.channels * (c.channels + 1),
                mlp = c.channels * (8 * c.channels + 5);
  return (c.vocabulary + c.context) * c.channels + c.layers * (2 * norm + attention + mlp) + norm;
}

void check_size(const GptConfig& c, const NamedTensors& state) {
  int64_t numbers = 0;
  for (const auto& [_, tensor] : state) numbers += tensor.numel();
  check<IoError>(
      numbers == num_parameters(c),
      "checkpoint: {} layers of {} channels, {} tokens and a context of {} are a model of "
      "{} parameters, but the file holds {}; it is damaged or was made otherwise",
      c.layers, c.channels, c.vocabulary, c.context, num_parameters(c), numbers);
}

Gpt::Gpt(const GptConfig& c)
    : config(c),
      wte(add<Embedding>("wte", c.vocabulary, c.channels)),
      wpe(add<Embedding>("wpe", c.context, c.channels)),
      drop(add<Dropout>("drop", c.dropout)),
      ln_f(add<LayerNorm>("ln_f", c.channels)) {
  const TransformerOptions options{.causal = true, .dropout = c.dropout};
  for (int64_t i = 0; i < c.layers; ++i)
    blocks.push_back(
        &add<TransformerBlock>(fmt::format("blocks.{}", i), c.channels, c.heads, options));
  // GPT-2's start, N(0, 0.02^2) at its width of 768 channels, scaled with the width; and what adds to the
  // residual stream smaller by sqrt(2 L), so that the stream does not grow with depth.
  const double std = 0.02 * std::sqrt(768.0 / static_cast<double>(c.channels));
  const double residual = std / std::sqrt(2.0 * static_cast<double>(c.layers));
  for (const auto& [name, p] : named_parameters()) {
    if (p.dim() < 2) continue;
    raw::copy_(p, normal(p.shape(), 0, name.ends_with("proj.weight") ? residual : std));
  }
  for (const auto& [name, p] : named_parameters())
    if (name.ends_with(".bias")) raw::fill_(p, 0);
}

Tensor Gpt::embed(const Tensor& ids, int64_t start) const {
  check<ShapeError>(ids.dim() == 2 && ids.size(1) > 0, "gpt: ids {}; wanted (B, T)", ids.shape());
  check<ValueError>(start + ids.size(1) <= config.context,
                    "gpt: {} positions, but the context is {}", start + ids.size(1),
                    config.context);
  return wte(ids) + slice(wpe.weight, 0, start, start + ids.size(1));
}

/// (B, T, C): what the last block says of each position.
Tensor Gpt::hidden(const Tensor& ids) const {
  Tensor x = drop(embed(ids, 0));
  for (const TransformerBlock* block : blocks) x = (*block)(x);
  return x;
}

Tensor Gpt::operator()(const Tensor& ids) const { return linear(ln_f(hidden(ids)), wte.weight); }

Tensor Gpt::operator()(const Tensor& ids, const Tensor& positions) const {
  const Tensor rows = reshape(hidden(ids), {ids.numel(), config.channels});
  return linear(ln_f(index_select(rows, 0, positions)), wte.weight);
}

Tensor Gpt::operator()(const Tensor& ids, std::vector<KvCache>& caches) const {
  check<ValueError>(caches.size() == blocks.size(), "gpt: {} caches for {} layers", caches.size(),
                    blocks.size());
  Tensor x = embed(ids, caches[0].length);  // (B, T, C)
  for (size_t i = 0; i < blocks.size(); ++i) x = (*blocks[i])(x, caches[i]);
  return linear(ln_f(select(x, 1, -1)), wte.weight);  // (B, V)
}

std::vector<KvCache> Gpt::make_caches(int64_t batch) const {
  std::vector<KvCache> caches;
  for (const TransformerBlock* block : blocks)
    caches.push_back(block->attn.make_cache(batch, config.context));
  return caches;
}

Tensor Gpt::attention(const Tensor& ids, int64_t layer) const {
  check<IndexError>(layer >= 0 && layer < config.layers, "gpt: layer {} of {}", layer,
                    config.layers);
  Tensor x = embed(ids, 0);
  for (int64_t i = 0; i < layer; ++i) x = (*blocks[i])(x);
  return blocks[layer]->attn.attention_weights(blocks[layer]->ln1(x));
}

Gpt load_gpt(const Checkpoint& checkpoint) {
  const GptConfig config = gpt_config(checkpoint.metadata);
  check_size(config, checkpoint.model);
  Gpt model(config);
  model.load_state_dict(checkpoint.model);
  return model;
}

}  // namespace gradus
