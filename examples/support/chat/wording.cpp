#include "examples/support/chat/wording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nn/text/utf8.h"

namespace gradus::support {

namespace {

using Pieces = std::vector<Pattern::Piece>;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// Where words of at least `least` letters begin.
std::vector<std::pair<size_t, size_t>> words(const std::string& text, size_t least) {
  std::vector<std::pair<size_t, size_t>> out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end - at >= least) out.emplace_back(at, end - at);
    at = std::max(end, at + 1);
  }
  return out;
}

// A letter left out, doubled, swapped with the next, or its neighbour on the keyboard instead.
void mistype_english(std::string& text, SplitMix64& rng) {
  static constexpr std::array<std::string_view, 26> kNear{
      "qws", "vgn", "xvd", "sfe", "wrd", "dgr", "fht", "gjy", "uok", "hku", "jli", "ko",  "nk",
      "bm",  "ipl", "o",   "wa",  "etf", "adw", "ryg", "yij", "cbf", "qes", "zcs", "tuh", "xa"};
  const auto all = words(text, 4);
  if (all.empty()) return;
  const auto [start, length] = rng.pick(all);
  const size_t at = start + rng.below(length - 1) + (rng.percent(80) ? 1 : 0);
  if (at >= start + length) return;
  switch (rng.below(4)) {
    case 0: text.erase(at, 1); break;
    case 1: text.insert(at, 1, text[at]); break;
    case 2:
      if (at + 1 < start + length) std::swap(text[at], text[at + 1]);
      break;
    default: {
      const char c = lower(text.substr(at, 1))[0];
      const std::string_view near = kNear[static_cast<size_t>(c - 'a')];
      text[at] = near[rng.below(near.size())];
    }
  }
}

std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t n = static_cast<size_t>(std::max(1, utf8_length(text)));
    out.emplace_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

// A character left out or doubled, or one that sounds the same.
void mistype_chinese(std::string& text, SplitMix64& rng) {
  static constexpr std::array<std::string_view, 9> kAlike{
      "的地得", "在再", "他她它", "吗嘛么", "是事", "和合", "做作", "那哪", "叫较"};
  std::vector<std::string> all = characters(text);
  if (all.size() < 4) return;
  const size_t at = rng.below(all.size());
  for (const std::string_view group : kAlike)
    if (group.find(all[at]) != group.npos) {
      all[at] = rng.pick(characters(group));
      break;
    }
  if (rng.percent(30)) all.erase(all.begin() + static_cast<ptrdiff_t>(at));
  text.clear();
  for (const std::string& c : all) text += c;
}

// Mostly in the words that are the same for all rows; in a name it would change who is meant.
void mistype(Pieces& pieces, Language language, SplitMix64& rng) {
  const bool in_blank = rng.percent(15);
  for (Pattern::Piece& piece : pieces)
    if ((piece.blank && in_blank && piece.text.size() >= 6) || (!piece.blank && rng.percent(60))) {
      if (language == Language::English)
        mistype_english(piece.text, rng);
      else if (!piece.blank)
        mistype_chinese(piece.text, rng);
      return;
    }
}

void quote(Pieces& pieces, Language language, SplitMix64& rng) {
  static constexpr std::array<std::array<std::string_view, 2>, 5> kQuotes{
      {{"\"", "\""}, {"'", "'"}, {"“", "”"}, {"「", "」"}, {"《", "》"}}};
  const auto& [open, close] = kQuotes[rng.below(language == Language::English ? 3 : 5)];
  for (Pattern::Piece& piece : pieces)
    if (piece.blank) piece.text = std::string(open) + piece.text + std::string(close);
}

const std::string& around(const char* side, Frame frame, const World& world, Language language,
                          SplitMix64& rng) {
  static constexpr std::array kFrames{"question", "request", "statement", "bare"};
  static const std::string nothing;
  const auto& list =
      world.list(language, fmt::format("{} {}", side, kFrames[static_cast<size_t>(frame)]));
  return list.empty() ? nothing : rng.pick(list);
}

std::string mark(Frame frame, SplitMix64& rng) {
  const size_t kind = rng.below(100);
  if (frame == Frame::Question)
    return kind < 50   ? "?"
           : kind < 90 ? ""
           : kind < 93 ? "??"
           : kind < 95 ? " ?"
           : kind < 97 ? "."
           : kind < 98 ? "???"
                       : "?!";
  return kind < 35   ? "."
         : kind < 75 ? ""
         : kind < 92 ? "!"
         : kind < 95 ? "..."
         : kind < 97 ? "!!"
                     : "~";
}

bool is_mark(char c) { return std::string_view(".,!?~").find(c) != std::string_view::npos; }

void capitalise(std::string& text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
}

}  // namespace

std::string typed(Pieces pieces, Frame frame, const World& world, Language language,
                  SplitMix64& rng) {
  if (rng.percent(10)) mistype(pieces, language, rng);
  if (rng.percent(3)) quote(pieces, language, rng);
  const std::string blank = language == Language::English ? " " : "";
  std::string text;
  if (rng.percent(30))
    if (const std::string& opening = around("before", frame, world, language, rng);
        !opening.empty())
      text = opening + blank;
  for (const Pattern::Piece& piece : pieces) text += piece.text;
  bool marked = false;
  if (rng.percent(20))
    if (const std::string& closing = around("after", frame, world, language, rng);
        !closing.empty()) {
      marked = closing.find_first_of("?!") != closing.npos;
      text += (is_mark(closing[0]) ? "" : blank) + closing;
    }
  if (!marked && !is_mark(text.back())) text += mark(frame, rng);
  const size_t letters = rng.below(100);
  if (letters < 45)
    capitalise(text);
  else if (letters < 80)
    text = lower(text);
  else if (letters < 86)
    text = upper(text);
  if (rng.percent(3)) {
    static const std::vector<std::string> smileys =
        characters("😀😊🙂😂👍🤔🙏❤😅🎉👋😎");
    if (rng.percent(80))
      text += (rng.percent(50) ? " " : "") + rng.pick(smileys);
    else
      text = rng.pick(smileys) + " " + text;
  }
  return text;
}

std::string plain(const Pieces& pieces, Frame frame, Language language) {
  std::string text;
  for (const Pattern::Piece& piece : pieces) text += piece.text;
  capitalise(text);
  const bool english = language == Language::English;
  return text + (frame == Frame::Question ? (english ? "?" : "？") : (english ? "." : "。"));
}

}  // namespace gradus::support
