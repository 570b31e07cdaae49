#include "nn/models/language_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nn/text/utf8.h"

namespace gradus {

// ---- Model and tokenizer ------------------------------------------------------------------------

std::string LanguageModel::generate(const std::string& prompt, int64_t length,
                                    const SamplingOptions& options, Generator& generator) const {
  check<ValueError>(!prompt.empty(), "generate: the prompt is empty; give at least one character");
  Utf8Stream characters;
  std::string text = prompt;
  for (const int64_t id : gpt.generate(tokenizer.encode(prompt), length, options, generator))
    text += characters.push(tokenizer.token(id));
  return text + characters.finish();
}

Metadata to_metadata(const LanguageModel& model) {
  Metadata metadata = to_metadata(model.gpt.config);
  metadata["tokenizer"] = model.tokenizer.to_json();
  return metadata;
}

LanguageModel load_language_model(const Checkpoint& checkpoint, const std::string& source,
                                  double dropout) {
  LanguageModel model{
      BytePairEncoder::from_json(metadata_text(checkpoint.metadata, "tokenizer"), source),
      load_gpt(checkpoint, dropout)};
  check<IoError>(model.tokenizer.size() == model.gpt.config.vocabulary,
                 "{}: the tokenizer has {} tokens, but the model has {}; they do not belong "
                 "together",
                 source, model.tokenizer.size(), model.gpt.config.vocabulary);
  return model;
}

LanguageModel load_language_model(const std::string& path) {
  LanguageModel model = load_language_model(load_checkpoint(path), path, 0);
  model.gpt.eval();
  return model;
}

// ---- Training and measuring ---------------------------------------------------------------------

TokenStream tokenize(const BytePairEncoder& tokenizer, std::string_view text) {
  return {tokenizer.encode(text), text.size()};
}

TokenStream excerpts(const BytePairEncoder& tokenizer, const TokenStream& text, int64_t tokens) {
  constexpr int64_t kExcerpts = 32;
  const int64_t n = std::ssize(text.ids), length = tokens / kExcerpts;
  if (n <= tokens) return text;
  TokenStream sample;
  for (int64_t i = 0; i < kExcerpts; ++i) {
    const auto first = text.ids.begin() + i * (n - length) / (kExcerpts - 1);
    sample.ids.insert(sample.ids.end(), first, first + length);
  }
  for (const int64_t id : sample.ids) sample.bytes += tokenizer.token(id).size();
  return sample;
}

std::pair<Tensor, Tensor> random_windows(const TokenStream& text, int64_t batch, int64_t context,
                                         uint64_t seed, int64_t step) {
  const auto starts = static_cast<int64_t>(text.ids.size()) - context;
  check<ValueError>(starts > 0,
                    "random_windows: the text has {} tokens, and a window takes {}; give a longer "
                    "text or a shorter context",
                    text.ids.size(), context + 1);
  Generator generator(seed ^ (static_cast<uint64_t>(step) * 0x9E3779B97F4A7C15u));
  std::vector<int64_t> x, y;
  for (const int64_t start : randint(0, starts, {batch}, generator).to_vector<int64_t>()) {
    const auto first = text.ids.begin() + start;
    x.insert(x.end(), first, first + context);
    y.insert(y.end(), first + 1, first + context + 1);
  }
  return {tensor(x, {batch, context}), tensor(y, {batch, context})};
}

double bits_per_byte(const Gpt& model, const TokenStream& text) {
  const NoGrad guard;
  const CrossEntropyOptions sum{.reduction = Reduction::Sum};
  const int64_t end = std::ssize(text.ids), context = model.config.context;
  double nats = std::log(static_cast<double>(model.config.vocabulary));
  for (int64_t done = 1; done < end;) {
    const int64_t start = std::max<int64_t>(0, done - 1 - context / 2);
    const int64_t stop = std::min(end, start + context + 1);
    const std::vector<int64_t> ids(text.ids.begin() + start, text.ids.begin() + stop - 1);
    std::vector<int64_t> next(text.ids.begin() + start + 1, text.ids.begin() + stop);
    std::fill(next.begin(), next.begin() + (done - start - 1), sum.ignore_index);  // counted before
    const Shape one_row{1, static_cast<int64_t>(ids.size())};
    nats += cross_entropy(model(tensor(ids, one_row)), tensor(next, one_row), sum).item();
    done = stop;
  }
  return nats / std::numbers::ln2 / static_cast<double>(text.bytes);
}

}  // namespace gradus
