// Widths follow Unicode Standard Annex 11 (East Asian Width), reduced to whole blocks: those that
// are wide or fullwidth, and those of combining marks.
#include "examples/support/show/terminal.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "nn/text/utf8.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

struct Range {
  uint32_t first, last;
};
constexpr Range kZeroWidth[] = {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF},
                                {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
constexpr Range kWide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},  {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},  {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

bool is_in(std::span<const Range> ranges, uint32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](Range r) { return r.first <= c && c <= r.last; });
}

int width_of(uint32_t c) {
  if (is_in(kZeroWidth, c)) return 0;
  return is_in(kWide, c) ? 2 : 1;
}

struct Character {
  size_t bytes;
  int columns;
};

/// The character that starts at `text[0]`; `text` is not empty.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const int bytes = utf8_length(text);
  if (bytes < 1) return {1, 1};
  if (bytes == 1) return {1, lead < 0x20 || lead == 0x7F ? 0 : 1};
  uint32_t c = lead & (0x7Fu >> bytes);
  for (int i = 1; i < bytes; ++i) c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  return {static_cast<size_t>(bytes), width_of(c)};
}

}  // namespace

int display_width(std::string_view utf8) {
  int columns = 0;
  while (!utf8.empty()) {
    const Character c = first_character(utf8);
    columns += c.columns;
    utf8.remove_prefix(c.bytes);
  }
  return columns;
}

std::string fit(std::string_view utf8, int columns) {
  if (display_width(utf8) <= columns) return std::string(utf8);
  if (columns <= 0) return "";
  std::string out;
  int used = 0;
  while (!utf8.empty()) {
    const Character c = first_character(utf8);
    if (used + c.columns > columns - 1) break;  // "…" needs one column
    out += utf8.substr(0, c.bytes);
    used += c.columns;
    utf8.remove_prefix(c.bytes);
  }
  return out + "…";
}

std::string pad(std::string_view utf8, int columns, bool right_aligned) {
  const std::string space(std::max(0, columns - display_width(utf8)), ' ');
  return right_aligned ? space + std::string(utf8) : std::string(utf8) + space;
}

bool terminal_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;  // the first one set decides, as in POSIX
    std::string locale(value);
    std::transform(locale.begin(), locale.end(), locale.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

Table::Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

Table& Table::row(std::vector<std::string> cells) {
  check<ValueError>(cells.size() == rows_[0].size(),
                    "Table::row: {} cells in a table of {} columns; give one per column",
                    cells.size(), rows_[0].size());
  rows_.push_back(std::move(cells));
  return *this;
}

std::string Table::text() const {
  std::vector<int> widths(rows_[0].size(), 0);
  for (const auto& row : rows_)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) line += "  " + pad(row[c], widths[c], c > 0);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace gradus::support
