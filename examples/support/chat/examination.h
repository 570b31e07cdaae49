#pragma once
// The examination of a chatbot: it is asked only what was held out of its training, and an answer
// counts if it is right to the letter.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "examples/support/chat/chatbot.h"

namespace gradus::support {

/// Exact answers, counted by skill and language.
struct Score {
  std::string skill;
  Language language;
  int right = 0, asked = 0;
  double share() const { return static_cast<double>(right) / asked; }
};
/// Asks all `cases`, each in a conversation of its own. `on_case` sees each one with the bot's
/// answer.
std::vector<Score> examine(
    const Gpt& model, const BytePairEncoder& tokenizer, const std::vector<TestCase>& cases,
    const std::function<void(const TestCase&, const std::string& answer)>& on_case = {});
/// All of them counted together.
Score total(const std::vector<Score>& scores);

/// What an examination found.
struct Report {
  std::vector<Score> scores;  // by skill and language
  Score all, late;            // of all questions; of those at the end of long conversations
  double weakest() const;     // the least share of a skill in a language

  /// A row for each score.
  std::string table() const;
};
/// Asks `cases` held-out questions per skill and language, and a quarter as many at the end of
/// conversations that nearly fill the context. Shows its progress, and writes every question and
/// answer to `log`.
Report hold_examination(const Gpt& model, const BytePairEncoder& tokenizer, int cases,
                        const std::filesystem::path& log);

}  // namespace gradus::support
