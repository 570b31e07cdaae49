#pragma once
// What surrounds a language model: windows of a text to train on, the price of a text that it has not
// seen, and text that it writes.
#include <string>
#include <utility>
#include <vector>

#include "nn/models/gpt.h"
#include "nn/text/bpe.h"
#include "nn/text/sampling.h"

namespace gradus {

/// A text as tokens, and how many bytes it was.
struct TokenStream {
  std::vector<int64_t> ids;
  size_t bytes;
};

/// `batch` windows of `context` tokens beginning at random places, and for each token the one that follows it:
/// (batch, context) twice. A function of seed and step, so that a resumed run goes on as an unbroken one.
/// ValueError if the text is not longer than a window.
std::pair<Tensor, Tensor> random_windows(const TokenStream& text, int64_t batch, int64_t context,
                                         uint64_t seed, int64_t step);

/// What the first `tokens` tokens (0: all) cost, -log2 p, in bits per byte. The window moves by half of the
/// context, and only its second half counts, so that every token but the first few is predicted from at
/// least half a context. The very first has no past: it costs what a uniform guess costs.
double bits_per_byte(const Gpt& model, const TokenStream& text, int64_t tokens = 0);

/// Losses in bits per byte and the steps at which they were measured: what a plot shows, and as text what a
/// checkpoint keeps. A point's training loss is the mean of all that were added since the last point.
struct LossCurve {
  std::vector<double> steps, training, validation;
  double sum = 0;
  int64_t added = 0;
  void add(double loss) { sum += loss, ++added; }
  double recent() const { return sum / static_cast<double>(added); }
  void point(int64_t step, double validation_loss);
  std::string text() const;
  /// The lines that make sense, up to the first that does not.
  static LossCurve from_text(const std::string& text);
};

/// How `text` begins: its first words, in about a dozen bytes. To try what a model writes, let it go on.
std::string first_words(std::string_view text);
/// `prompt`, and what the model writes after it: `length` tokens, or as many as its context holds. Of a
/// longer prompt the model reads the end. ValueError for an empty prompt.
std::string write_on(const Gpt& model, const BytePairEncoder& tokenizer, const std::string& prompt,
                     int64_t length, const SamplingOptions& options, Generator& generator);

}  // namespace gradus
