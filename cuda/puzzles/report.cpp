// Text on the terminal: paragraphs, numbers and drawings. See report.h.
#include "cuda/puzzles/report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>

namespace puzzle {
namespace {

constexpr const char* kIndent = "     ";
constexpr std::size_t kWidth = 94;                 // of a line, without the indent
constexpr int kMostDrawn = 64, kMostColumns = 16;  // numbers of an array, and in a row of it

/// Where to break a line so that it has at most `room` columns: at a space, but not within "a = 3".
std::size_t break_of(const std::string& line, std::size_t room) {
  if (line.size() <= room) return line.size();
  for (std::size_t end = room; end > 0; --end) {
    if (line[end] == ' ' && line[end - 1] != '=' && line[end + 1] != '=') return end;
  }
  return std::min(line.find(' ', room), line.size());
}

/// Breaks a line that is too long, and indents the rest by two more columns.
void say_line(std::string line) {
  std::string indent(std::min(line.find_first_not_of(' '), line.size()), ' ');
  line.erase(0, indent.size());
  const std::size_t room = kWidth - indent.size() - 2;
  for (bool first = true; !line.empty(); first = false) {
    const std::size_t end = break_of(line, room);
    std::printf("%s%s%s\n", kIndent, (first ? indent : indent + "  ").c_str(),
                line.substr(0, end).c_str());
    line.erase(0, std::min(line.find_first_not_of(' ', end), line.size()));
  }
}

}  // namespace

void say(const char* format, ...) {
  char text[4000];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (std::string rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    say_line(rest.substr(0, end));
    rest.erase(0, end + 1);
  }
}

float untouched() {  // a NaN that no computation gives
  const std::uint32_t bits = 0x7fe5eed5u;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

bool is_untouched(float value) {
  const float mark = untouched();
  return std::memcmp(&value, &mark, sizeof value) == 0;
}

std::string number(float value) {
  if (is_untouched(value)) return ".";
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", double(value));
  return text;
}

std::string element(const Array& array, int i) {
  const Shape& s = array.shape();
  const std::string row = std::to_string(i / s.columns), column = std::to_string(i % s.columns);
  return array.name() + (s.flat ? "[" + column + "]" : "(" + row + ", " + column + ")");
}

bool draw(const Array& result, const std::vector<float>& wanted, const std::vector<float>& got,
          const std::vector<bool>& wrong) {
  const auto shape = result.shape();
  const int rows = shape.rows, columns = shape.columns;
  if (result.size() > kMostDrawn || columns > kMostColumns) return false;
  int width = 3;
  for (const auto* values : {&wanted, &got}) {
    for (const float v : *values) width = std::max(width, int(number(v).size()));
  }
  using Cell = std::function<std::string(int)>;
  const auto draw_row = [&](int row, const char* label, const Cell& cell) {
    std::string line = label;
    line.resize(9, ' ');
    for (int c = 0; c < columns; ++c) {
      const std::string text = cell(row * columns + c);
      line += std::string(std::size_t(width) + 1 - text.size(), ' ') + text;
    }
    const std::size_t end = line.find_last_not_of(' ');
    if (end != line.npos) std::printf("%s  %s\n", kIndent, line.substr(0, end + 1).c_str());
  };
  for (int row = 0; row < rows; ++row) {
    draw_row(row, "expected", [&](int i) { return number(wanted[i]); });
    draw_row(row, "got", [&](int i) { return number(got[i]); });
    draw_row(row, "", [&](int i) { return wrong[i] ? "^" : ""; });
  }
  return true;
}

}  // namespace puzzle
