#pragma once
// Numbers as people write them: "+1.5", " 3 ", and "1e3" for a whole number too.
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace gradus::support {

/// Reads all of `text`, except blanks around it, as a T. On failure `value` keeps what it was, and
/// the result is errc::invalid_argument if `text` is not a number (or, like "1.5", not a whole
/// one), errc::result_out_of_range if T cannot hold it.
template <class T>
std::errc parse_number(std::string_view text, T& value) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t start = text.find_first_not_of(kBlanks);
  if (start == text.npos) return std::errc::invalid_argument;
  text = text.substr(start, text.find_last_not_of(kBlanks) + 1 - start);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto whole = [&text](auto& number) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return stop != text.data() + text.size() ? std::errc::invalid_argument : error;
  };
  T exact{};
  std::errc error = whole(exact);
  if constexpr (std::is_integral_v<T>) {
    double real = 0;
    if (error == std::errc::invalid_argument && whole(real) == std::errc{} &&
        real == std::trunc(real)) {
      if (std::abs(real) > 0x1p53 || (std::is_unsigned_v<T> && real < 0))
        return std::errc::result_out_of_range;
      exact = static_cast<T>(real);
      error = {};
    }
  }
  if (error == std::errc{}) value = exact;
  return error;
}

}  // namespace gradus::support
