#include "examples/support/chat/examination.h"

#include <algorithm>

#include "examples/support/show/terminal.h"
#include "nn/file.h"
#include "nn/text/utf8.h"

namespace gradus::support {

namespace {

constexpr const char* kNames[] = {"English", "Chinese"};

bool is_ascii_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Whether `text` has `word` in it, not as a part of a longer Latin word or number.
bool contains_word(std::string_view text, std::string_view word) {
  for (size_t at = 0; (at = text.find(word, at)) != text.npos; ++at) {
    const size_t end = at + word.size();
    const bool begins = at == 0 || !is_ascii_word(word.front()) || !is_ascii_word(text[at - 1]);
    const bool ends =
        end == text.size() || !is_ascii_word(word.back()) || !is_ascii_word(text[end]);
    if (begins && ends) return true;
  }
  return false;
}

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// The last number in a text; empty if there is none.
std::string_view last_number(std::string_view text) {
  const size_t end = text.find_last_of("0123456789");
  if (end == text.npos) return {};
  size_t begin = end;
  while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9') --begin;
  if (begin > 0 && text[begin - 1] == '-') --begin;
  return text.substr(begin, end + 1 - begin);
}

/// Whether the answer is that of an intent for which `fits` holds, in any language.
template <class Fits>
bool is_answer_of(const World& world, const std::string& answer, const Fits& fits) {
  for (const Language language : kLanguages)
    for (const Intent& intent : world[language].intents)
      if (intent.answer == answer && fits(intent)) return true;
  return false;
}

/// An answer that is the same whatever is asked about: small talk, or that it does not know.
bool is_fixed(const World& world, const std::string& answer) {
  return is_answer_of(world, answer, [](const Intent&) { return true; });
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view mark) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t at = text.find(mark);
    out.push_back(text.substr(0, at));
    if (at == text.npos) return out;
    text.remove_prefix(at + mark.size());
  }
}

}  // namespace

// ---- Counting -----------------------------------------------------------------------------------

Report report(const std::vector<Asked>& asked, bool by_language) {
  Report out;
  out.all = {"all", ""};
  for (const Asked& a : asked) {
    const std::string language = by_language ? a.language : "";
    auto score = std::ranges::find_if(
        out.scores, [&](const Score& s) { return s.skill == a.skill && s.language == language; });
    if (score == out.scores.end()) score = out.scores.insert(score, {a.skill, language});
    for (Score* s : {&*score, &out.all}) {
      ++s->asked;
      s->right += a.right;
    }
  }
  return out;
}

double Report::weakest() const {
  return scores.empty() ? 1 : std::ranges::min(scores, {}, &Score::share).share();
}

std::string Report::table() const {
  Table table({"skill", "language", "right", "of", ""});
  const auto row = [&](const Score& s) {
    table.row({s.skill, s.language, std::to_string(s.right), std::to_string(s.asked),
               fmt::format("{:.1f} %", 100 * s.share())});
  };
  for (const Score& s : scores) row(s);
  row(all);
  return table.text();
}

void write_answers(const std::filesystem::path& path, const std::vector<Asked>& asked) {
  std::string lines = "right\tskill\tlanguage\tbefore\tconfidence\tquestion\tanswer\texpected\n";
  for (const Asked& a : asked)
    lines +=
        fmt::format("{}\t{}\t{}\t{}\t{:.3f}\t{}\t{}\t{}\n", a.right ? "right" : "WRONG", a.skill,
                    a.language, a.before, a.confidence, a.question, a.answer, a.expected);
  write_file(path, lines);
}

// ---- The generated one --------------------------------------------------------------------------

std::vector<Asked> examine(Conversation& conversation, const std::vector<Talk::TestCase>& cases,
                           const std::function<void()>& on_answer) {
  std::vector<Asked> out;
  for (const Talk::TestCase& test : cases) {
    conversation.reset();
    for (const Turn& turn : test.before) conversation.recall(turn.user, turn.bot);
    const std::string answer = conversation.reply(test.asked.user);
    out.push_back({test.asked.skill, kNames[static_cast<size_t>(test.asked.language)],
                   test.asked.user, answer, test.asked.bot, test.before.size(),
                   conversation.confidence(), answer == test.asked.bot});
    if (on_answer) on_answer();
  }
  return out;
}

// ---- Confidence ---------------------------------------------------------------------------------

std::vector<Coverage> coverage(std::vector<Asked> asked, const World& world) {
  std::ranges::stable_sort(asked, std::greater{}, &Asked::confidence);
  const auto all = static_cast<double>(asked.size());
  std::vector<Coverage> curve;
  double answered = 0, right = 0, untrue = 0;
  for (const Asked& a : asked) {
    ++answered;
    right += a.right;
    untrue += is_wrong_fact(a, world) || is_mangled_name(a, world);
    curve.push_back({a.confidence, answered / all, right / all, untrue / answered});
  }
  return curve;
}

double least_confidence(const std::vector<Coverage>& curve, double harm) {
  const auto worth = [&](const Coverage& c) { return c.right - harm * c.untrue * c.answered; };
  const auto best = std::ranges::max_element(curve, {}, worth);
  return best == curve.end() || worth(*best) <= 0 ? 1 : best->confidence;
}

// ---- The written one ----------------------------------------------------------------------------

std::vector<WrittenConversation> read_examination(const std::filesystem::path& path) {
  const std::string text = read_file(path, 1 << 22);
  std::vector<WrittenConversation> out;
  int number = 0;
  for (std::string_view line : split_at(text, "\n")) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("== ")) {
      out.push_back({std::string(line.substr(3)), {}});
      continue;
    }
    const size_t close = line.find("] "), arrow = line.rfind(" -> ");
    check<IoError>(!out.empty() && line.starts_with('[') && close != line.npos &&
                       arrow != line.npos && close + 2 < arrow && arrow + 4 < line.size(),
                   "{}:{}: \"{}\"; a line is \"== a new conversation\", or \"[skill] question -> "
                   "what is expected\"",
                   path.string(), number, printable(line));
    out.back().questions.push_back({std::string(line.substr(1, close - 1)),
                                    std::string(line.substr(close + 2, arrow - close - 2)),
                                    std::string(line.substr(arrow + 4))});
  }
  return out;
}

bool meets(std::string_view expected, const std::string& answer, const World& world) {
  return std::ranges::any_of(split_at(expected, " / "), [&](std::string_view one) {
    if (one == "?")
      return is_answer_of(world, answer, [](const Intent& i) { return i.skill == "unknown"; });
    if (one.starts_with('@'))
      return is_answer_of(world, answer, [&](const Intent& i) { return i.name == one.substr(1); });
    return is_number(one) ? last_number(answer) == one : contains_word(answer, one);
  });
}

std::vector<Asked> examine(Conversation& conversation,
                           const std::vector<WrittenConversation>& written, const World& world,
                           const std::function<void()>& on_answer) {
  std::vector<Asked> out;
  for (const WrittenConversation& person : written) {
    conversation.reset();
    for (const WrittenQuestion& q : person.questions) {
      const size_t before = conversation.transcript().size();
      const std::string answer = conversation.reply(q.question);
      out.push_back({q.skill, person.title.substr(0, person.title.find(':')), q.question, answer,
                     q.expected, before, conversation.confidence(),
                     meets(q.expected, answer, world)});
      if (on_answer) on_answer();
    }
  }
  return out;
}

bool is_mangled_name(const Asked& asked, const World& world) {
  return !asked.right && (asked.skill == "name" || asked.skill == "memory") &&
         !is_fixed(world, asked.answer);
}

bool is_wrong_fact(const Asked& asked, const World& world) {
  return !asked.right && asked.skill != "name" && asked.skill != "memory" &&
         !is_fixed(world, asked.answer);
}

}  // namespace gradus::support
