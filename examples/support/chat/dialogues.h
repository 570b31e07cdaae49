#pragma once
// Dialogues for the chatbot to learn from, and others to be examined on.
//
// Why generated? A model of less than a million weights, trained for some minutes, cannot learn a
// language from the web. But it can learn a small world completely, if we write that world down.
// And because we wrote it down, we know each right answer and can count how many the model gets.
//
// What is held out? A pupil who repeats the lesson has not shown much. So a pure function of the
// phrasing and of the thing asked about (is_held_out) sets questions aside before training begins:
//   - in each intent whole phrasings, never trained with anything;
//   - one in eight pairs (phrasing, fact): "France" was asked about, but not in these words;
//   - one in eight names, number pairs and invented countries: never seen in any words.
// No question of the examination occurs in training, not even up to case and punctuation.
#include <string>
#include <string_view>
#include <vector>

#include "examples/support/chat/facts.h"
#include "examples/support/chat/intents.h"

namespace gradus::support {

struct Turn {
  std::string user, bot;
  std::string skill;
  Language language;
};
using Dialogue = std::vector<Turn>;

/// `before` is the conversation so far, with the right answers; `question` comes next.
struct TestCase {
  Dialogue before;
  std::string question, answer;
  std::string skill, intent;
  Language language;
};

/// An endless, deterministic stream of training dialogues: one to four turns, mostly in one
/// language, several skills mixed. A name that was told is asked for again after a few other turns.
class DialogueGenerator {
 public:
  explicit DialogueGenerator(uint64_t seed) : rng_(seed) {}
  Dialogue training();

 private:
  SplitMix64 rng_;
};

/// What a tokenizer learns from: the turns of `dialogues` dialogues, a line each, without names.
std::string tokenizer_text(uint64_t seed, int dialogues);

/// The examination: `per_skill` cases for each skill and language, skill by skill, all of them
/// questions for which is_held_out is true. `earlier` exchanges come before each question; 0 means
/// none to two, at random. ValueError: per_skill is less than 1.
std::vector<TestCase> held_out(uint64_t seed, int per_skill, size_t earlier = 0);

/// greeting, small talk, name, element, …
const std::vector<std::string>& skills();

/// The conversation as lines "You: …" and "Gradus: …".
std::string readable(const Dialogue& dialogue);

/// What can be asked: a line for each skill, with examples in both languages.
std::string what_to_ask();
/// What cannot be asked, in a few lines.
extern const char* const kLimits;

/// In lower case, without white space and punctuation (except + and -, on which a sum depends). Two
/// questions that are equal in this form count as the same.
std::string normalised(std::string_view text);

}  // namespace gradus::support
