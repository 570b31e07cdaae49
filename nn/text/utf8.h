#pragma once
// UTF-8: a character is one to four bytes, and the first byte says how many:
//   0xxxxxxx | 110xxxxx 10xxxxxx | 1110xxxx 10xxxxxx 10xxxxxx | 11110xxx 10xxxxxx 10xxxxxx 10xxxxxx
// A byte-level model may produce any bytes, also half a character. These helpers tell whole
// characters from broken ones, so that nothing downstream (regular expressions, terminals) meets
// invalid text. Well-formed means table 3-7 of the Unicode standard: no overlong forms, no
// surrogates, <= U+10FFFF.
#include <string>
#include <string_view>

namespace gradus {

/// Length (1 to 4) of the character that `text` begins with; 0 if `text` ends inside a character
/// that is correct so far (or is empty); -1 if its first byte cannot begin a character here.
int utf8_length(std::string_view text);

/// Whether all of `text` is well-formed.
bool is_utf8(std::string_view text);

/// Text from elsewhere on its way to a terminal, which control codes would command: all but line ends and tabs
/// are shown as visible() shows them.
std::string printable(std::string_view bytes);

/// Any bytes for people: a space as "␣", a line's end as "⏎", and a byte that is no character as <E4>.
std::string visible(std::string_view bytes);

/// Turns a stream of arbitrary pieces of bytes into printable text: a model emits tokens, a token
/// may end in the middle of a character, and a terminal must only see whole ones. Bytes that can
/// never become a character are replaced by U+FFFD, so what comes out is always well-formed.
class Utf8Stream {
 public:
  /// Takes the next bytes; returns every character that is complete by now.
  std::string push(std::string_view bytes);
  /// The stream has ended: an unfinished character becomes one U+FFFD.
  std::string finish();

 private:
  std::string pending_;
};

}  // namespace gradus
