#include "examples/support/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradus::support {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

int utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return -1;  // a continuation byte, an overlong form, or too large
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return 0;
    // The second byte is restricted after E0 and F0 (overlong), ED (surrogates) and F4 (too large).
    const unsigned low = i > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = i > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
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

std::string visible(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const int length = utf8_length(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    if (first == ' ') {
      out += "␣";
    } else if (first == '\n') {
      out += "⏎";
    } else if (length <= 0 || first < ' ' || first == 0x7F) {
      out += fmt::format("<{:02X}>", first);
    } else {
      out += bytes.substr(0, static_cast<size_t>(length));
    }
    bytes.remove_prefix(static_cast<size_t>(std::max(length, 1)));
  }
  return out;
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

}  // namespace gradus::support
