#include "examples/support/chat/pattern.h"

#include <algorithm>

#include "tensor/error.h"

namespace gradus::support {

Pattern::Pattern(std::string_view text) {
  std::string_view rest = text;
  sequence_ = parse(rest, false);
}

/// Reads up to the end, or to the bar or parenthesis that ends a choice.
Pattern::Sequence Pattern::parse(std::string_view& rest, bool nested) {
  Sequence out;
  const auto plain = [&](size_t n) {
    if (n > 0) out.push_back({{std::string(rest.substr(0, n)), false}, {}});
    rest.remove_prefix(n);
  };
  while (true) {
    plain(std::min(rest.find_first_of("()|{}"), rest.size()));
    const char c = rest.empty() ? '\0' : rest[0];
    if (c == '(') {
      Part part;
      do {
        rest.remove_prefix(1);
        part.choices.push_back(parse(rest, true));
      } while (rest.starts_with('|'));
      check<ValueError>(rest.starts_with(')'), "\"(\" without \")\"");
      rest.remove_prefix(1);
      out.push_back(std::move(part));
    } else if (c == '{') {
      const size_t end = rest.find('}');
      check<ValueError>(end != rest.npos && end > 1, "\"{{\" without a name and \"}}\"");
      const std::string name(rest.substr(1, end - 1));
      blanks_.insert(name);
      out.push_back({{name, true}, {}});
      rest.remove_prefix(end + 1);
    } else {
      check<ValueError>(c == '\0' || (nested && (c == '|' || c == ')')),
                        "a \"{}\" that nothing before it opens", c);
      return out;
    }
  }
}

template <class Choose>
void Pattern::collect(const Sequence& sequence, const Choose& choose, std::vector<Piece>& out) {
  for (const Part& part : sequence)
    if (part.choices.empty())
      out.push_back(part.piece);
    else
      collect(part.choices[choose(part.choices.size())], choose, out);
}

std::vector<Pattern::Piece> Pattern::draw(SplitMix64& rng) const {
  std::vector<Piece> out;
  collect(
      sequence_, [&](size_t n) { return rng.below(n); }, out);
  return out;
}

std::vector<Pattern::Piece> Pattern::first() const {
  std::vector<Piece> out;
  collect(
      sequence_, [](size_t) { return size_t{0}; }, out);
  return out;
}

std::vector<std::string> Pattern::expand(const Sequence& sequence, size_t most) {
  std::vector<std::string> all{""};
  for (const Part& part : sequence) {
    std::vector<std::string> ends;
    for (const Sequence& choice : part.choices)
      for (std::string& text : expand(choice, most)) ends.push_back(std::move(text));
    if (part.choices.empty())
      ends.push_back(part.piece.blank ? "{" + part.piece.text + "}" : part.piece.text);
    check<ValueError>(all.size() * ends.size() <= most,
                      "a sentence that is held back stands for more than {} sentences", most);
    std::vector<std::string> longer;
    for (const std::string& begin : all)
      for (const std::string& end : ends) longer.push_back(begin + end);
    all = std::move(longer);
  }
  return all;
}

std::vector<std::string> Pattern::all(size_t most) const { return expand(sequence_, most); }

}  // namespace gradus::support
