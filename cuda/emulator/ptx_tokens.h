#pragma once
// Turns PTX text into words: names (with their dots), numbers, and single punctuation marks.
// Comments and white space only separate them.
#include <string_view>
#include <vector>

namespace simt::ptx {

struct Token {
  std::string_view text;
  int line = 0;
  size_t begin = 0;  // in the file
};

/// The last token is empty.
std::vector<Token> tokenize(std::string_view text);

bool is_number(std::string_view word);
/// Reads 7, -7, 0x1F, 7U, 0f3F800000 (the bits of a float) or 0d… (of a double). Any number above
/// 2^64 - 1 becomes that.
uint64_t number(std::string_view word);

}  // namespace simt::ptx
