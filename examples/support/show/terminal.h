#pragma once
// Text as a terminal shows it. A string's length in bytes is not its width in columns: "é" is two
// bytes and one column, "猫" three bytes and two columns, a combining accent has no column at all.
// The progress bar and every printed table go through here, so that they line up in any language.
#include <string>
#include <string_view>
#include <vector>

namespace gradus::support {

/// The columns that `utf8` takes on a terminal. A byte that is not valid UTF-8 counts as one
/// column.
int display_width(std::string_view utf8);

/// `utf8` cut to at most `columns`; a cut text ends in "…". Never splits a character.
std::string fit(std::string_view utf8, int columns);

/// `utf8` filled with spaces to `columns`, on its left (`right_aligned`) or on its right.
std::string pad(std::string_view utf8, int columns, bool right_aligned = false);

/// True where the environment's locale (LC_ALL, LC_CTYPE, LANG) says that the terminal reads UTF-8.
bool terminal_is_utf8();

/// A table for people: the first column aligned left, all others right.
///   Table t({"class", "precision"}); t.row({"malignant", "0.98"}); fmt::print("{}", t.text());
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  /// Throws ValueError unless `cells` has as many entries as the header.
  Table& row(std::vector<std::string> cells);
  /// Ends in a newline; every line begins with two spaces.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // rows_[0] is the header
};

}  // namespace gradus::support
