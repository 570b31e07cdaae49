#pragma once
// Two examinations of a chatbot. The generated one asks what was held out of its training, and an
// answer counts if it is right to the letter: has it learned its world? The written one has
// whole conversations, written by hand without a look at its sentences: does it understand
// strangers? tests/examination.txt says how it is written down.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "examples/support/chat/chatbot.h"

namespace gradus::support {

/// Answers of one kind, counted.
struct Score {
  std::string skill, language;  // language: "" where both are counted together
  int right = 0, asked = 0;
  double share() const { return asked == 0 ? 1 : static_cast<double>(right) / asked; }
};

/// One question with its answer.
struct Asked {
  std::string skill, language, question, answer, expected;
  size_t before;  // exchanges in the conversation so far
  double confidence;
  bool right;
};

struct Report {
  std::vector<Score> scores;  // by skill
  Score all;
  double weakest() const;  // the least share of a skill
  std::string table() const;
};
Report report(const std::vector<Asked>& asked, bool by_language);

/// Asks each of these at the end of its conversation. `on_answer` is called after each.
std::vector<Asked> examine(Conversation& conversation, const std::vector<Talk::TestCase>& cases,
                           const std::function<void()>& on_answer = {});

// ---- Confidence ---------------------------------------------------------------------------------

/// If the bot only says what it is at least this confident of: which share of all questions it
/// answers, which share of them rightly, and which share of its answers states a wrong fact or
/// name.
struct Coverage {
  double confidence, answered, right, untrue;
};
/// For every confidence that occurs, highest first.
std::vector<Coverage> coverage(std::vector<Asked> asked, const World& world);
/// The least confidence that is worth an answer, if one that is not true does as much harm as
/// `harm` right ones do good.
double least_confidence(const std::vector<Coverage>& curve, double harm);

// ---- The written one ----------------------------------------------------------------------------

struct WrittenQuestion {
  std::string skill, question;
  std::string expected;  // "Cairo", "?", "@hello", with alternatives at " / "
};
struct WrittenConversation {
  std::string title;  // "en: a tourist waits for a train"
  std::vector<WrittenQuestion> questions;
};
/// IoError: the file cannot be read, or a line is not as it should be; names the line.
std::vector<WrittenConversation> read_examination(const std::filesystem::path& path);

/// Whether the answer is one of those expected: a text contains the expected words (as whole words,
/// or as its last number), "?" means that it does not know, "@kind" that it is the answer of the
/// intent of that name, in either language.
bool meets(std::string_view expected, const std::string& answer, const World& world);

/// Holds every conversation from its beginning, with the bot's own answers.
std::vector<Asked> examine(Conversation& conversation,
                           const std::vector<WrittenConversation>& written, const World& world,
                           const std::function<void()>& on_answer = {});

/// What is worse than not to know: answers that state a wrong fact, and names that were not copied
/// letter by letter.
bool is_wrong_fact(const Asked& asked, const World& world);
bool is_mangled_name(const Asked& asked, const World& world);

/// Writes a line for each, tab-separated.
void write_answers(const std::filesystem::path& path, const std::vector<Asked>& asked);

}  // namespace gradus::support
