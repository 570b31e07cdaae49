#pragma once
// Text as a terminal shows it. A string's length in bytes is not its width in columns: "é" has two
// bytes and one column, "猫" has three bytes and two columns, and a combining accent has no column
// at all. The progress bar and every printed table use these functions, so that they line up in any
// language.
#include <string>
#include <string_view>
#include <vector>

namespace gradus::support {

/// How many columns `utf8` takes on a terminal. A byte that is not valid UTF-8 counts as one
/// column.
int display_width(std::string_view utf8);

/// `utf8` cut to at most `columns`. A text that was cut ends in "…"; no character is ever split.
std::string fit(std::string_view utf8, int columns);

/// `utf8` padded with spaces to `columns`, on the left if `right_aligned`, otherwise on the right.
std::string pad(std::string_view utf8, int columns, bool right_aligned = false);

/// Whether the locale (LC_ALL, LC_CTYPE, LANG) says that the terminal reads UTF-8.
bool terminal_is_utf8();

/// A table for people: the first column is aligned left, all others right.
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
