#pragma once
// The chatbot: a GPT, its tokenizer, and the way a conversation is written down for it:
//   <|user|>Hello!<|bot|>Hello! How can I help you?<|end|><|user|>…
// The three marks are tokens of their own, which no typed text can produce. The model answers after
// <|bot|> and says <|end|> when it is done. In training the loss looks at answers only: a bot need not
// learn to ask.
#include <functional>

#include "examples/support/bpe.h"
#include "examples/support/dialogues.h"
#include "examples/support/gpt.h"
#include "examples/support/sampling.h"

namespace gradus::support {

inline constexpr const char* kUser = "<|user|>";
inline constexpr const char* kBot = "<|bot|>";
inline constexpr const char* kEnd = "<|end|>";

/// A dialogue as the model reads it: at position i it sees ids[i] and should say targets[i], or
/// anything at all where targets[i] is kIgnore.
struct TrainingText {
  static constexpr int64_t kIgnore = -100;
  std::vector<int64_t> ids, targets;
};
TrainingText training_text(const BytePairEncoder& tokenizer, const Dialogue& dialogue);

/// Texts of different lengths as one batch: ids (B, T), short ones padded; and the N positions in it,
/// b T + t, whose next token is an answer's, with that token.
struct TrainingBatch {
  Tensor ids, positions, targets;
};
TrainingBatch pad(std::span<const TrainingText* const> texts);

/// A conversation with a model: what was said so far, as tokens and as the model's key-value cache.
class Conversation {
 public:
  /// Both must outlive it. `options` may be changed at any time.
  Conversation(const Gpt& model, const BytePairEncoder& tokenizer,
               SamplingOptions sampling = {.temperature = 0});

  /// The bot's answer. on_piece receives it as it is written, whole characters only; returning false
  /// stops the answer there. When the context is full, the oldest exchanges are forgotten.
  /// ValueError if the question alone is longer than the context.
  std::string reply(std::string_view question,
                    const std::function<bool(std::string_view piece)>& on_piece = {});
  /// Puts an exchange into the conversation as if it had happened.
  void recall(std::string_view question, std::string_view answer);
  void reset();

  /// How each token of the last answer was chosen: the five most probable, before any sampling option.
  struct Choice {
    int64_t chosen;
    std::vector<Candidate> best;
  };
  const std::vector<Choice>& why() const { return choices_; }
  /// What was said, oldest first.
  const std::vector<std::pair<std::string, std::string>>& transcript() const { return transcript_; }

  SamplingOptions options;
  Generator generator;

 private:
  void append(std::vector<int64_t> ids);
  void make_room(int64_t wanted);
  void feed();

  const Gpt& model_;
  const BytePairEncoder& tokenizer_;
  std::vector<std::vector<int64_t>> exchanges_;  // the tokens of each, the last one growing
  std::vector<std::pair<std::string, std::string>> transcript_;
  std::vector<Choice> choices_;
  std::vector<KvCache> caches_;
  std::vector<int64_t> unread_;  // said, but not yet seen by the model
  Tensor logits_;                // what the model expects next
};

/// Exact answers on the held-out questions, counted by skill and language.
struct Score {
  std::string skill;
  Language language;
  int right = 0, asked = 0;
};
/// `on_case` sees each case with the bot's answer.
std::vector<Score> examine(
    const Gpt& model, const BytePairEncoder& tokenizer, const std::vector<TestCase>& cases,
    const std::function<void(const TestCase&, const std::string& answer)>& on_case = {});

}  // namespace gradus::support
