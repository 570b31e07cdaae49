#pragma once
// The chatbot: a GPT, its words, and the way a conversation is written down for it:
//   <|user|>Hello!<|bot|>Hello! How can I help you?<|end|><|user|>…
// The marks are tokens of their own, which no typed text can produce. The model answers after
// <|bot|> and says <|end|> when it is done. In training the loss looks at answers only, because a
// bot need not learn to ask.
#include <array>
#include <functional>

#include "examples/support/chat/dialogues.h"
#include "examples/support/chat/words.h"
#include "nn/models/gpt_checkpoint.h"
#include "nn/text/sampling.h"

namespace gradus::support {

/// One is of no use without the other.
struct Chatbot {
  Words words;
  Gpt gpt;
};
/// Configuration and words, as a checkpoint's metadata.
Metadata to_metadata(const Chatbot& bot);
/// IoError: the checkpoint, read from `source`, is damaged or holds something else.
Chatbot load_chatbot(const Checkpoint& checkpoint, const std::string& source);

/// A turn as the model reads it: at position i it sees ids[i] and should say targets[i]. If that is
/// kIgnore, it may say anything.
struct TrainingText {
  static constexpr int64_t kIgnore = -100;
  std::vector<int64_t> ids, targets;
};
TrainingText training_text(const Words& words, const Turn& turn);

struct TrainingBatch {
  Tensor ids;        // (B, T) I64
  Tensor positions;  // (N,) I64: b T + t for each position whose next token is part of an answer
  Tensor targets;    // (N,) I64: that next token
};

/// Training batches as a function of the step alone, so that a resumed run sees what an unbroken
/// one would have seen. Each row is a conversation of its own, cut off where the row ends, so that
/// nothing is padding. All batches have the same number of tokens: many short conversations, or a
/// few long ones.
class DialogueBatches {
 public:
  struct Plan {
    int64_t steps, tokens;  // of the training; of a batch
    int64_t context;        // a row is no longer
  };
  /// World and words must outlive it.
  DialogueBatches(const World& world, const Words& words, const Plan& plan, uint64_t seed);
  TrainingBatch operator()(int64_t step) const;

 private:
  int64_t row_length(int64_t step, SplitMix64& rng) const;

  const World& world_;
  const Words& words_;
  Plan plan_;
  uint64_t seed_;
};

/// The words of a world: those of its tables and of its list `words`, and the most frequent ones of
/// many conversations; but no names.
Words learn_words(const World& world, uint64_t seed, int64_t size);

struct ChatOptions {
  SamplingOptions sampling = {.temperature = 0};
  double least_confidence = 0;            // below it the bot says that it does not know
  std::array<std::string, 2> doubt = {};  // in these words, by language
};

/// A conversation with a model: what has been said, as tokens and in the model's key-value caches.
class Conversation {
 public:
  /// Both must outlive it. `options` may be changed at any time.
  Conversation(const Gpt& model, const Words& words, ChatOptions options = {});

  /// The bot's answer. `go_on` is asked before each token; if it returns false, the answer stops
  /// there. When the context is full, the oldest exchanges are forgotten. ValueError: the question
  /// is not UTF-8, is empty, or leaves no room for an answer in the context.
  std::string reply(std::string_view question, const std::function<bool()>& go_on = {});
  /// Puts an exchange into the conversation as if it had happened.
  void recall(std::string_view question, std::string_view answer);
  void reset();

  /// How each token of the last answer was chosen, and the five most probable ones before any
  /// sampling option. Where the bot said that it does not know, this is what it did not say.
  struct Choice {
    int64_t chosen;
    std::vector<Candidate> best;
  };
  const std::vector<Choice>& why() const { return choices_; }
  /// The probability of the last answer: the product of its tokens'.
  double confidence() const { return confidence_; }
  /// Whether it was below least_confidence.
  bool doubted() const { return confidence_ < options.least_confidence; }
  /// What was said, oldest first.
  const std::vector<std::pair<std::string, std::string>>& transcript() const { return transcript_; }

  ChatOptions options;
  Generator generator;

 private:
  void append(const std::vector<int64_t>& ids);
  void make_room(int64_t wanted);
  void feed();

  const Gpt& model_;
  const Words& words_;
  std::vector<std::vector<int64_t>> exchanges_;  // the tokens of each, the last one growing
  std::vector<std::pair<std::string, std::string>> transcript_;
  std::vector<Choice> choices_;
  double confidence_ = 1;
  std::vector<KvCache> caches_;
  std::vector<int64_t> unread_;  // said, but not yet seen by the model
  Tensor logits_;                // what the model expects next
};

}  // namespace gradus::support
