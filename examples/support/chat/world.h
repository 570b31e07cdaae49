#pragma once
// What the chatbot can be asked, read from a folder of text files: intents, the sentences with
// blanks that express them, one answer each, and tables of facts that fill the blanks.
// examples/data/world/README.md describes the files.
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "examples/support/chat/pattern.h"

namespace gradus::support {

enum class Language { English, Chinese };
inline constexpr Language kLanguages[] = {Language::English, Language::Chinese};

/// What fills the blanks of a sentence: for each, one or more ways to say it; answers take the
/// first.
using Values = std::map<std::string, std::vector<std::string>>;
using Draw = std::function<Values(SplitMix64&)>;

/// What kind of sentence it is, which decides what may stand around it.
enum class Frame { Question, Request, Statement, Bare };

struct Sentence {
  Pattern pattern;
  Frame frame = Frame::Question;
  bool follow = false;  // asks the same of another row, right after the intent was asked
  bool held = false;    // for the examination only
};

struct Intent {
  std::string skill, name, answer;
  int weight = 1;
  Draw rows;           // the values of its table, one row at a time; null: it has none
  std::string source;  // the table's file or the source's name
  std::vector<Sentence> sentences;
  /// Whether the sentence, its blanks in braces, is one of those held back.
  bool holds_back(const std::string& sentence) const { return held.contains(sentence); }
  std::set<std::string> held;  // normalised
};

/// All of one language.
struct Tongue {
  std::vector<Intent> intents;
  std::map<std::string, std::vector<std::string>> lists;  // by name
};

class World {
 public:
  /// Reads DIR/en and DIR/zh, and adds what `more`, another such folder, has. IoError: a file
  /// cannot be read, or has a mistake; the message names file and line.
  explicit World(const std::filesystem::path& folder, const std::filesystem::path& more = {});

  const Tongue& operator[](Language language) const {
    return tongues_[static_cast<size_t>(language)];
  }
  /// The intent of that name. ValueError: there is none.
  const Intent& intent(Language language, std::string_view name) const;
  /// In the order of the files' names.
  const std::vector<std::string>& skills() const { return skills_; }
  /// How often a skill comes up.
  int share(const std::string& skill) const { return shares_.at(skill); }
  /// Words of a list; none if there is no such list.
  const std::vector<std::string>& list(Language language, const std::string& name) const;
  /// What the bot says if it does not know.
  const std::string& doubt(Language language) const;
  /// A number that changes with the files.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  void read_folder(const std::filesystem::path& folder);

  Tongue tongues_[2];
  std::vector<std::string> skills_;
  std::map<std::string, int> shares_;
  std::string fingerprint_;
};

/// In lower case, without white space and punctuation (except + and -, on which a sum depends). Two
/// questions that are equal in this form count as the same.
std::string normalised(std::string_view text);
/// FNV-1a, mixed.
uint64_t hash(std::string_view text);

}  // namespace gradus::support
