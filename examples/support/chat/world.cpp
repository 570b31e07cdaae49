#include "examples/support/chat/world.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "examples/support/chat/sources.h"
#include "examples/support/data/csv.h"
#include "nn/file.h"
#include "nn/text/utf8.h"
#include "tensor/error.h"

namespace gradus::support {

namespace fs = std::filesystem;

// ---- Small helpers ------------------------------------------------------------------------------

uint64_t hash(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return mixed(h);
}

std::string normalised(std::string_view text) {
  static constexpr std::string_view kWide[] = {"，", "。", "！", "？", "：", "、", "《", "》"};
  std::string out;
  while (!text.empty()) {
    const auto wide =
        std::ranges::find_if(kWide, [&](auto mark) { return text.starts_with(mark); });
    const char c = text[0];
    text.remove_prefix(wide == std::end(kWide) ? 1 : wide->size());
    if (wide != std::end(kWide) || std::string_view(" .,!?:;'\"").find(c) != std::string_view::npos)
      continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

namespace {

constexpr size_t kMostHeld = 2000;  // sentences that one held-back pattern may stand for
constexpr const char* kFolders[] = {"en", "zh"};

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == text.npos ? std::string_view{} : text.substr(first, last - first + 1);
}

/// "a | b|c" -> a, b, c.
std::vector<std::string> at_bars(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const size_t bar = std::min(text.find('|'), text.size());
    out.emplace_back(trimmed(text.substr(0, bar)));
    if (bar == text.size()) return out;
    text.remove_prefix(bar + 1);
  }
}

/// The rows of a file with a column for each blank and, if it likes, a column `weight`.
Draw table(const fs::path& path) {
  const Csv csv = Csv::read(path);
  const auto& names = csv.header();
  std::vector<Values> rows;
  std::vector<size_t> bag;
  for (int64_t r = 0; r < csv.rows(); ++r) {
    Values values;
    double weight = 1;
    for (int64_t c = 0; c < csv.columns(); ++c)
      if (names[c] == "weight")
        weight = csv.number(r, c);
      else
        values[names[c]] = at_bars(csv.text(r, c));
    check<IoError>(weight >= 1 && weight <= 100, "{}: row {}: the weight is {}; use 1 to 100",
                   path.string(), r + 1, weight);
    bag.insert(bag.end(), static_cast<size_t>(weight), rows.size());
    rows.push_back(std::move(values));
  }
  check<IoError>(!rows.empty(), "{}: there are no rows", path.string());
  return [rows = std::move(rows), bag = std::move(bag)](SplitMix64& rng) {
    return rows[rng.pick(bag)];
  };
}

/// Reads one file of intents and lists.
class Reader {
 public:
  Reader(Tongue& tongue, Language language, const fs::path& path)
      : tongue_(tongue), language_(language), path_(path) {}

  void read(std::string_view text, std::vector<std::string>& skills,
            std::map<std::string, int>& shares) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    check<IoError>(is_utf8(text), "{}: not UTF-8; save it as UTF-8 text", path_.string());
    for (line_ = 1; !text.empty(); ++line_) {
      const size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      const std::string_view content = trimmed(line);
      if (content.empty() || content[0] == '#') continue;
      try {
        if (line[0] == ' ' || line[0] == '\t')
          entry(content);
        else
          key(content, skills, shares);
      } catch (const Error& e) {
        throw IoError(fmt::format("{}:{}: {}", path_.string(), line_, e.what()));
      }
    }
    finish_intent();
  }

 private:
  void key(std::string_view line, std::vector<std::string>& skills,
           std::map<std::string, int>& shares) {
    const size_t space = std::min(line.find(' '), line.size());
    const std::string word(line.substr(0, space)), rest(trimmed(line.substr(space)));
    list_ = nullptr;
    if (word == "skill") {
      finish_intent();
      skill_ = named(rest, "skill");
      if (std::ranges::find(skills, rest) == skills.end()) skills.push_back(rest);
      shares.emplace(rest, 1);
    } else if (word == "share") {
      check<ValueError>(!skill_.empty(), "share: there is no skill yet; write `skill NAME` before");
      shares[skill_] = number(rest, 0);
    } else if (word == "list") {
      finish_intent();
      list_ = &tongue_.lists[named(rest, "list")];
    } else if (word == "intent") {
      finish_intent();
      check<ValueError>(!skill_.empty(),
                        "intent {}: it belongs to no skill; write `skill NAME` "
                        "before it",
                        rest);
      check<ValueError>(
          std::ranges::none_of(tongue_.intents, [&](const Intent& i) { return i.name == rest; }),
          "intent {}: there is one of that name already", rest);
      intent_.emplace();
      intent_->skill = skill_;
      intent_->name = named(rest, "intent");
      began_ = line_;
      section_.reset();
    } else {
      intent_key(word, rest);
    }
  }

  void intent_key(const std::string& word, const std::string& rest) {
    static const std::map<std::string, Frame> frames{{"question", Frame::Question},
                                                     {"request", Frame::Request},
                                                     {"statement", Frame::Statement},
                                                     {"bare", Frame::Bare},
                                                     {"follow", Frame::Question}};
    const auto frame = frames.find(word);
    check<ValueError>(frame != frames.end() || word == "rows" || word == "answer" ||
                          word == "weight" || word == "like",
                      "\"{}\" is not a word to begin a line with: skill, share, list, intent, "
                      "rows, answer, weight, like, question, request, statement, bare or follow; "
                      "sentences are indented",
                      word);
    check<ValueError>(intent_.has_value(),
                      "{}: it belongs to no intent; write `intent NAME` "
                      "before it",
                      word);
    if (frame != frames.end()) {
      check<ValueError>(rest.empty(), "{}: sentences begin on the next line, indented", word);
      section_ = frame->second;
      follow_ = word == "follow";
    } else if (word == "answer") {
      intent_->answer = named(rest, word);
      [[maybe_unused]] const Pattern valid(rest);
    } else if (word == "like") {
      const auto other = std::ranges::find(tongue_.intents, rest, &Intent::name);
      check<ValueError>(other != tongue_.intents.end(),
                        "like {}: there is no intent of that name above", rest);
      intent_->sentences = other->sentences;
      intent_->held = other->held;
    } else if (word == "weight") {
      intent_->weight = number(rest, 1);
    } else {
      intent_->source = named(rest, word);
      intent_->rows =
          rest.ends_with(".csv") ? table(path_.parent_path() / rest) : row_source(rest, language_);
    }
  }

  void entry(std::string_view text) {
    if (list_) {
      for (std::string& item : at_bars(text))
        if (!item.empty()) list_->push_back(std::move(item));
      return;
    }
    check<ValueError>(intent_ && section_,
                      "an indented line, but no list, question, request, "
                      "statement, bare or follow before it");
    const bool held = text.starts_with('~');
    if (held) text = trimmed(text.substr(1));
    Sentence sentence{
        .pattern = Pattern(text), .frame = *section_, .follow = follow_, .held = held};
    if (held)
      for (const std::string& one : sentence.pattern.all(kMostHeld))
        intent_->held.insert(normalised(one));
    intent_->sentences.push_back(std::move(sentence));
  }

  void finish_intent() {
    if (!intent_) return;
    const auto usable = [](const Sentence& s) { return !s.held && !s.follow; };
    const std::string where =
        fmt::format("{}:{}: intent {}", path_.string(), began_, intent_->name);
    check<IoError>(!intent_->answer.empty(), "{}: it has no answer; write `answer TEXT`", where);
    check<IoError>(std::ranges::any_of(intent_->sentences, usable),
                   "{}: it has no sentence to train on", where);
    tongue_.intents.push_back(std::move(*intent_));
    intent_.reset();
  }

  static std::string named(const std::string& rest, const std::string& word) {
    check<ValueError>(!rest.empty(), "{}: there is nothing after it", word);
    return rest;
  }
  static int number(const std::string& text, int least) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    check<ValueError>(
        error == std::errc{} && end == text.data() + text.size() && value >= least && value <= 1000,
        "\"{}\" is not a whole number from {} to 1000", text, least);
    return value;
  }

  Tongue& tongue_;
  Language language_;
  fs::path path_;
  int line_ = 0, began_ = 0;
  std::string skill_;
  std::optional<Intent> intent_;
  std::optional<Frame> section_;
  bool follow_ = false;
  std::vector<std::string>* list_ = nullptr;
};

}  // namespace

// ---- The world ----------------------------------------------------------------------------------

World::World(const fs::path& folder, const fs::path& more) {
  read_folder(folder);
  if (!more.empty()) read_folder(more);
  for (const Language language : kLanguages) {
    const Tongue& tongue = (*this)[language];
    for (const Intent& intent : tongue.intents) {
      SplitMix64 rng(1);
      const Values row = intent.rows ? intent.rows(rng) : Values{};
      const auto known = [&](const std::string& blank) {
        return row.contains(blank) || tongue.lists.contains(blank) || is_blank_source(blank);
      };
      for (const Sentence& sentence : intent.sentences)
        for (const std::string& blank : sentence.pattern.blanks())
          check<IoError>(known(blank),
                         "{}: intent {}: the blank {{{}}} is no column of its rows, no list and no "
                         "built-in source",
                         folder.string(), intent.name, blank);
      const Pattern answer(intent.answer);
      for (const std::string& blank : answer.blanks())
        check<IoError>(row.contains(blank) || blank == "name",
                       "{}: intent {}: the answer's blank {{{}}} is no column of its rows",
                       folder.string(), intent.name, blank);
    }
  }
}

void World::read_folder(const fs::path& folder) {
  bool any = false;
  std::string contents = fingerprint_;
  for (const Language language : kLanguages) {
    const fs::path half = folder / kFolders[static_cast<size_t>(language)];
    if (!fs::is_directory(half)) continue;
    any = true;
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(half))
      if (file.path().extension() == ".txt" || file.path().extension() == ".csv")
        files.push_back(file.path());
    std::ranges::sort(files);
    for (const fs::path& file : files) {
      const std::string text = read_file(file, 1 << 22);
      contents += fmt::format("{:016x}", hash(text));
      if (file.extension() == ".txt")
        Reader(tongues_[static_cast<size_t>(language)], language, file)
            .read(text, skills_, shares_);
    }
  }
  check<IoError>(any, "{}: no world is there: it has neither a folder en nor a folder zh",
                 folder.string());
  fingerprint_ = fmt::format("{:016x}", hash(contents));
}

const Intent& World::intent(Language language, std::string_view name) const {
  const auto& intents = (*this)[language].intents;
  const auto found = std::ranges::find(intents, name, &Intent::name);
  check<ValueError>(found != intents.end(), "world: there is no intent \"{}\"", name);
  return *found;
}

const std::vector<std::string>& World::list(Language language, const std::string& name) const {
  static const std::vector<std::string> none;
  const auto& lists = (*this)[language].lists;
  const auto found = lists.find(name);
  return found == lists.end() ? none : found->second;
}

const std::string& World::doubt(Language language) const {
  const auto& intents = (*this)[language].intents;
  const auto found = std::ranges::find_if(
      intents, [](const Intent& i) { return i.skill == "unknown" && i.name != "untold"; });
  check<ValueError>(found != intents.end(), "world: there is no intent of the skill \"unknown\"");
  return found->answer;
}

}  // namespace gradus::support
