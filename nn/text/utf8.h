#pragma once
// UTF-8: a character is one to four bytes, and the first byte says how many:
//   0xxxxxxx | 110xxxxx 10xxxxxx | 1110xxxx 10xxxxxx 10xxxxxx | 11110xxx 10xxxxxx 10xxxxxx 10xxxxxx
// A byte-level model may produce any bytes, even half a character. These helpers tell whole
// characters from broken ones, so that regular expressions and terminals never meet invalid text.
// Well-formed means table 3-7 of the Unicode standard: no overlong forms, no surrogates, at most
// U+10FFFF.
#include <string>
#include <string_view>

namespace gradus {

/// Length (1 to 4) of the character that `text` begins with; 0 if `text` ends inside a character
/// that is correct so far (or is empty); -1 if its first byte cannot begin a character here.
int utf8_length(std::string_view text);

/// Whether all of `text` is well-formed.
bool is_utf8(std::string_view text);

/// Text from elsewhere, made safe for a terminal, which would obey its control codes: all but line
/// ends and tabs are shown as visible() shows them.
std::string printable(std::string_view bytes);

/// Any bytes, made visible: a space as "␣", the end of a line as "⏎", a control code or a byte that
/// is not part of a character as <E4>.
std::string visible(std::string_view bytes);

/// Turns a stream of pieces of bytes into well-formed text. A model emits tokens, a token may end
/// in the middle of a character, and a terminal must see whole ones only. Bytes that can never
/// become a character are replaced by U+FFFD.
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
