#pragma once
// Dialogues for the chatbot to learn from, and others to be examined on.
//
// Why generated? A model of a million weights, trained for some minutes, cannot learn a language
// from the web. But it can learn a small world completely, if we write that world down (world.h).
// And because we wrote it down, we know each right answer and can count how many the model gets.
//
// What is held out? A pupil who repeats the lesson has not shown much. So before training begins
// these are set aside, for the examination:
//   - the sentences that the world's files mark with ~, never trained with anything;
//   - one in eight sentences with their blanks filled: France was asked about, but not in these
//     words;
//   - one in eight names, pairs of numbers and invented countries: never seen in any words.
#include <string>
#include <string_view>
#include <vector>

#include "examples/support/chat/world.h"

namespace gradus::support {

struct Turn {
  std::string user, bot;
  std::string skill, intent;
  Language language;
};
using Dialogue = std::vector<Turn>;

/// A conversation without end, one turn at a time: skills mixed, mostly in one language. A name
/// that was told is asked for again, soon or much later; a question may follow up on the last one.
class Talk {
 public:
  Talk(const World& world, uint64_t seed) : world_(world), rng_(seed) { restart(); }
  /// Begins a new conversation: no name has been told.
  void restart();
  /// The next turn, for training.
  Turn next();

  /// `before` is the conversation so far, with the right answers; `asked` comes next.
  struct TestCase {
    Dialogue before;
    Turn asked;
  };
  /// A question for the examination, in a new conversation of `earlier` turns before it.
  TestCase test(const Intent& intent, Language language, size_t earlier);

 private:
  enum class Part { Training, Test };
  Turn say(const Intent& intent, Language language, Part part, bool follow);
  Turn ordinary();
  const Intent& draw_intent();

  const World& world_;
  SplitMix64 rng_;
  Language language_ = Language::English;
  size_t restless_ = 0;           // percent: how often the language changes
  std::string name_;              // told last; empty: none
  const Intent* last_ = nullptr;  // the intent of the last turn
  Language last_language_ = Language::English;
};

/// The examination: `per_skill` questions for each skill and language, skill by skill, all of them
/// held out. `earlier` exchanges come before each; -1 means none to three, at random. ValueError:
/// per_skill is less than 1.
std::vector<Talk::TestCase> held_out(const World& world, uint64_t seed, int per_skill,
                                     int earlier = -1);

/// The conversation as lines "You: …" and "Gradus: …".
std::string readable(const Dialogue& dialogue);

/// What can be asked: a line for each skill, with examples in both languages.
std::string what_to_ask(const World& world);

}  // namespace gradus::support
