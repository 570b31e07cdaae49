#include "nn/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradus {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

/// The range of a character's second byte, which its first restricts.
static std::pair<unsigned, unsigned> second_byte(unsigned lead) {
  switch (lead) {
    case 0xE0: return {0xA0, 0xBF};  // below is an overlong form
    case 0xED: return {0x80, 0x9F};  // above is a surrogate
    case 0xF0: return {0x90, 0xBF};  // below is an overlong form
    case 0xF4: return {0x80, 0x8F};  // above is more than U+10FFFF
    default: return {0x80, 0xBF};
  }
}

int utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) -> unsigned { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return -1;  // a continuation byte, an overlong form, or too large
  const size_t length = 2 + (lead >= 0xE0) + (lead >= 0xF0);
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return 0;
    const auto [low, high] = second_byte(i == 1 ? lead : 0);
    if (byte(i) < low || byte(i) > high) return -1;
  }
  return static_cast<int>(length);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const int length = utf8_length(text);
    if (length <= 0) return false;
    text.remove_prefix(static_cast<size_t>(length));
  }
  return true;
}

namespace {
/// Each character as `show` gives it; if that is nothing, as itself, but control codes and bytes
/// that are not part of a character as <1B>.
template <class Show>
std::string escaped(std::string_view bytes, const Show& show) {
  std::string out;
  while (!bytes.empty()) {
    const auto length = static_cast<size_t>(std::max(utf8_length(bytes), 1));
    const std::string_view character = bytes.substr(0, length);
    const auto first = static_cast<unsigned char>(bytes[0]);
    // U+0080 to U+009F (C2 80 to C2 9F) are control codes too.
    const bool control = first < ' ' || first == 0x7F || utf8_length(bytes) <= 0 ||
                         (first == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0);
    if (const std::string shown = show(character); !shown.empty())
      out += shown;
    else if (control)
      for (const char c : character) out += fmt::format("<{:02X}>", static_cast<unsigned char>(c));
    else
      out += character;
    bytes.remove_prefix(length);
  }
  return out;
}
}  // namespace

std::string visible(std::string_view bytes) {
  return escaped(bytes, [](std::string_view c) -> std::string {
    if (c == " ") return "␣";
    return c == "\n" ? "⏎" : "";
  });
}

std::string printable(std::string_view bytes) {
  return escaped(bytes, [](std::string_view c) {
    return c == "\n" || c == "\t" ? std::string(c) : std::string();
  });
}

std::string Utf8Stream::push(std::string_view bytes) {
  pending_ += bytes;
  std::string_view rest = pending_;
  std::string out;
  while (!rest.empty()) {
    const int length = utf8_length(rest);
    if (length == 0) break;
    if (length > 0)
      out += rest.substr(0, static_cast<size_t>(length));
    else
      out += kReplacement;
    rest.remove_prefix(length > 0 ? static_cast<size_t>(length) : 1);
  }
  pending_ = std::string(rest);
  return out;
}

std::string Utf8Stream::finish() {
  const bool unfinished = !pending_.empty();
  pending_.clear();
  return unfinished ? std::string(kReplacement) : std::string();
}

}  // namespace gradus
