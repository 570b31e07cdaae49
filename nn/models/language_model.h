#pragma once
// A GPT with its tokenizer: text in, text out. And what a language model is trained and measured
// with: random windows of a text, and the price of a text that it has not seen.
//
//   LanguageModel writer = load_language_model("mini_gpt.safetensors");
//   fmt::print("{}", writer.generate("In the beginning", 100, {.temperature = 0.8}));
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/models/gpt_checkpoint.h"
#include "nn/text/bpe.h"

namespace gradus {

/// One is of no use without the other, so they are kept, saved and loaded together.
struct LanguageModel {
  BytePairEncoder tokenizer;
  Gpt gpt;

  /// `prompt`, and what the model writes after it: `length` tokens. Well-formed UTF-8 if the prompt
  /// is. ValueError: the prompt is empty; otherwise as Gpt::generate.
  std::string generate(const std::string& prompt, int64_t length,
                       const SamplingOptions& options = {},
                       Generator& generator = default_generator()) const;
};

/// Configuration and tokenizer, as a checkpoint's metadata.
Metadata to_metadata(const LanguageModel& model);
/// The model, ready to write (eval). IoError: the file cannot be read, is damaged, or the tokenizer
/// is not the model's; ValueError as load_gpt.
LanguageModel load_language_model(const std::string& path);
/// The model of a checkpoint that was read from `source`, ready to train with this dropout. Errors
/// as above.
LanguageModel load_language_model(const Checkpoint& checkpoint, const std::string& source,
                                  double dropout);

/// A text as tokens, and how many bytes it was.
struct TokenStream {
  std::vector<int64_t> ids;
  size_t bytes = 0;
};
TokenStream tokenize(const BytePairEncoder& tokenizer, std::string_view text);

/// A fair sample of a long text: `tokens` of its tokens, as 32 excerpts at equal distances from its
/// beginning to its end, joined. A text that is not longer is returned whole. Whoever measures on
/// the sample measures on the same bytes.
TokenStream excerpts(const BytePairEncoder& tokenizer, const TokenStream& text, int64_t tokens);

/// A batch to train on: `batch` windows of `context` tokens each, which begin at random places, and
/// for every token the one that follows it; (batch, context) I64 twice. The same seed and step give
/// the same windows, so a resumed run sees what an unbroken one would have seen. ValueError: the
/// text is not longer than a window.
std::pair<Tensor, Tensor> random_windows(const TokenStream& text, int64_t batch, int64_t context,
                                         uint64_t seed, int64_t step);

/// What `text` costs the model, in bits per byte:
///   -sum log2 p(token | the tokens before it) / bytes
/// The window moves by half a context, and only its new part counts, so that every token but the
/// first few is predicted from at least half a context. The very first token has no past: it costs
/// log2 V bits, as under a uniform guess. Call eval() first, so that dropout is off.
double bits_per_byte(const Gpt& model, const TokenStream& text);

}  // namespace gradus
