#include "cuda/emulator/ptx_tokens.h"

#include <cctype>
#include <charconv>
#include <cstdint>

namespace simt::ptx {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' ||
         c == '.';
}

size_t after_word(std::string_view text, size_t i) {
  while (i < text.size()) {
    if (in_word(text[i]))
      ++i;
    else if (text.substr(i, 2) == "::")  // ld.global.L1::evict_last
      i += 2;
    else
      break;
  }
  return i;
}

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    size_t end = i + 1;
    if (c == '\n') {
      ++line;
    } else if (text.substr(i, 2) == "//") {
      end = text.find('\n', i);
    } else if (text.substr(i, 2) == "/*") {
      end = text.find("*/", i);
      end = end == text.npos ? end : end + 2;
    } else if (!std::isspace(static_cast<unsigned char>(c))) {
      const bool negative = c == '-' && i + 1 < text.size() && is_digit(text[i + 1]);
      if (c == '"')
        end = text.find('"', i + 1) + 1;
      else if (in_word(c) || negative)
        end = after_word(text, i + 1);
      if (end > text.size() || end <= i) end = text.size();
      tokens.push_back({text.substr(i, end - i), line, i});
    }
    if (end > text.size()) end = text.size();
    for (size_t k = i; c != '\n' && k < end; ++k) line += text[k] == '\n';
    i = end;
  }
  tokens.push_back({{}, line, text.size()});
  return tokens;
}

bool is_number(std::string_view word) {
  if (word.starts_with('-')) word.remove_prefix(1);
  return !word.empty() && is_digit(word[0]);
}

uint64_t number(std::string_view word) {
  const bool negative = word.starts_with('-');
  if (negative) word.remove_prefix(1);
  int base = 10;
  if (word.size() > 2 && word[0] == '0' && std::string_view("xXfFdD").find(word[1]) != word.npos) {
    base = 16;
    word.remove_prefix(2);
  }
  uint64_t value = 0;
  const auto [_, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  if (error == std::errc::result_out_of_range) value = UINT64_MAX;
  return negative ? 0 - value : value;
}

}  // namespace simt::ptx
