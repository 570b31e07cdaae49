#include "examples/support/chat/examination.h"

#include <algorithm>

#include "examples/support/show/progress.h"
#include "examples/support/show/terminal.h"
#include "nn/file.h"

namespace gradus::support {

namespace {

constexpr size_t kLateExchanges = 5;  // before a late question; the context holds about eight

const char* name(Language language) {
  return language == Language::English ? "English" : "Chinese";
}

}  // namespace

std::vector<Score> examine(
    const Gpt& model, const BytePairEncoder& tokenizer, const std::vector<TestCase>& cases,
    const std::function<void(const TestCase&, const std::string&)>& on_case) {
  std::vector<Score> scores;
  Conversation conversation(model, tokenizer);
  for (const TestCase& test : cases) {
    conversation.reset();
    for (const Turn& turn : test.before) conversation.recall(turn.user, turn.bot);
    const std::string answer = conversation.reply(test.question);
    auto score = std::find_if(scores.begin(), scores.end(), [&](const Score& s) {
      return s.skill == test.skill && s.language == test.language;
    });
    if (score == scores.end()) score = scores.insert(score, {test.skill, test.language});
    ++score->asked;
    score->right += answer == test.answer;
    if (on_case) on_case(test, answer);
  }
  return scores;
}

Score total(const std::vector<Score>& scores) {
  Score sum{};
  for (const Score& s : scores) {
    sum.right += s.right;
    sum.asked += s.asked;
  }
  return sum;
}

double Report::weakest() const {
  return std::ranges::min(scores, {}, [](const Score& s) { return s.share(); }).share();
}

std::string Report::table() const {
  Table table({"skill", "language", "right", "of", ""});
  const auto row = [&](const std::string& skill, const char* language, const Score& s) {
    table.row({skill, language, std::to_string(s.right), std::to_string(s.asked),
               fmt::format("{:.1f} %", 100 * s.share())});
  };
  for (const Score& s : scores) row(s.skill, name(s.language), s);
  row("all", "", all);
  row(fmt::format("all, after {} exchanges", kLateExchanges), "", late);
  return table.text();
}

Report hold_examination(const Gpt& model, const BytePairEncoder& tokenizer, int cases,
                        const std::filesystem::path& log) {
  const std::vector<TestCase> asked = held_out(2024, cases);
  const std::vector<TestCase> late = held_out(2025, std::max(1, cases / 4), kLateExchanges);
  std::string lines;
  Progress bar("examination", std::ssize(asked) + std::ssize(late));
  const auto note = [&](const TestCase& c, const std::string& answer) {
    lines += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", answer == c.answer ? "right" : "WRONG",
                         c.skill, name(c.language), c.before.size(), c.question, answer, c.answer);
    bar.step();
  };
  Report report{.scores = examine(model, tokenizer, asked, note), .all = {}, .late = {}};
  report.all = total(report.scores);
  report.late = total(examine(model, tokenizer, late, note));
  write_file(log, lines);
  return report;
}

}  // namespace gradus::support
