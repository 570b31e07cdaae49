#include "nn/models/gpt_checkpoint.h"

#include <algorithm>
#include <charconv>

namespace gradus {

namespace {

/// The values of an enum in words, in its order. The first is the default. It is not written, so a
/// file without the entry means it.
struct Choice {
  const char* key;
  std::vector<std::string> words;

  template <class Enum>
  void write(Metadata& metadata, Enum value) const {
    if (value != Enum{}) metadata[key] = words[static_cast<size_t>(value)];
  }
  template <class Enum>
  Enum read(const Metadata& metadata) const {
    if (!metadata.contains(key)) return Enum{};
    const std::string& text = metadata_text(metadata, key);
    const auto word = std::find(words.begin(), words.end(), text);
    check<IoError>(word != words.end(),
                   "checkpoint: {} = \"{}\" means nothing to this version of gradus", key, text);
    return static_cast<Enum>(word - words.begin());
  }
};

const Choice kPositions{"gpt.positions", {"learned", "rotary"}};
const Choice kNorm{"gpt.norm", {"layer", "rms"}};
const Choice kQkNorm{"gpt.qk_norm", {"no", "yes"}};

}  // namespace

Metadata to_metadata(const GptConfig& c) {
  Metadata m = {{"gpt.vocabulary", std::to_string(c.vocabulary)},
                {"gpt.context", std::to_string(c.context)},
                {"gpt.layers", std::to_string(c.layers)},
                {"gpt.heads", std::to_string(c.heads)},
                {"gpt.channels", std::to_string(c.channels)},
                {"gpt.dropout", fmt::format("{}", c.dropout)}};
  kPositions.write(m, c.positions);
  kNorm.write(m, c.norm);
  kQkNorm.write(m, c.qk_norm);
  if (c.lookback != 0) m["gpt.lookback"] = std::to_string(c.lookback);
  return m;
}

static int64_t positive(const Metadata& metadata, const std::string& key, int64_t most) {
  const int64_t n = metadata_number(metadata, key, most);
  check<IoError>(n > 0, "checkpoint: {} is 0; it must be positive", key);
  return n;
}

static double number_below(const Metadata& metadata, const std::string& key, double limit) {
  const std::string& text = metadata_text(metadata, key);
  const char* end = text.data() + text.size();
  double x = -1;
  const auto [stop, error] = std::from_chars(text.data(), end, x);
  check<IoError>(error == std::errc{} && stop == end && x >= 0 && x < limit,
                 "checkpoint: {} = \"{}\" is not a number in [0, {})", key, text, limit);
  return x;
}

GptConfig gpt_config(const Metadata& metadata) {
  const GptConfig c{.vocabulary = positive(metadata, "gpt.vocabulary", 1 << 20),
                    .context = positive(metadata, "gpt.context", 1 << 16),
                    .layers = positive(metadata, "gpt.layers", 1 << 10),
                    .heads = positive(metadata, "gpt.heads", 1 << 16),
                    .channels = positive(metadata, "gpt.channels", 1 << 16),
                    .dropout = number_below(metadata, "gpt.dropout", 1),
                    .positions = kPositions.read<Positions>(metadata),
                    .norm = kNorm.read<NormForm>(metadata),
                    .lookback = metadata.contains("gpt.lookback")
                                    ? positive(metadata, "gpt.lookback", 1 << 10)
                                    : 0,
                    .qk_norm = kQkNorm.read<bool>(metadata)};
  check<IoError>(c.channels % c.heads == 0, "checkpoint: {} channels do not divide into {} heads",
                 c.channels, c.heads);
  check<IoError>(c.positions != Positions::Rotary || c.channels / c.heads % 2 == 0,
                 "checkpoint: rotary positions, but {} heads of {} channels are of an odd size",
                 c.heads, c.channels);
  return c;
}

int64_t num_parameters(const GptConfig& c) {
  const int64_t norm = (c.norm == NormForm::Layer ? 2 : 1) * c.channels;
  const int64_t attention =
      4 * c.channels * (c.channels + 1) + (c.qk_norm ? 2 * c.channels / c.heads : 0);
  const int64_t mlp = c.channels * (8 * c.channels + 5);
  const int64_t positions = c.positions == Positions::Learned ? c.context : 0;
  const int64_t embeddings = (c.vocabulary + positions + c.lookback) * c.channels;
  return embeddings + c.layers * (2 * norm + attention + mlp) + norm;
}

static void check_size(const GptConfig& c, const NamedTensors& state) {
  int64_t numbers = 0;
  for (const auto& [_, tensor] : state) numbers += tensor.numel();
  check<IoError>(
      numbers == num_parameters(c),
      "checkpoint: {} layers of {} channels, {} tokens and a context of {} are a model of {} "
      "parameters, but the file holds {}; it is damaged, or holds another kind of model",
      c.layers, c.channels, c.vocabulary, c.context, num_parameters(c), numbers);
}

static Gpt load(const Checkpoint& checkpoint, const GptConfig& config) {
  check_size(config, checkpoint.model);
  Gpt model(config);
  model.load_state_dict(checkpoint.model);
  return model;
}

Gpt load_gpt(const Checkpoint& checkpoint) {
  return load(checkpoint, gpt_config(checkpoint.metadata));
}

Gpt load_gpt(const Checkpoint& checkpoint, double dropout) {
  GptConfig config = gpt_config(checkpoint.metadata);
  config.dropout = dropout;
  return load(checkpoint, config);
}

}  // namespace gradus
