#include "examples/support/chat/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "nn/text/bpe.h"
#include "nn/text/utf8.h"
#include "tensor/error.h"

namespace gradus::support {

namespace {

constexpr const char* kMarkNames[] = {"<|user|>",    "<|bot|>",      "<|end|>",
                                      "<|Capital|>", "<|CAPITALS|>", "<|joined|>"};
constexpr size_t kLongestWord = 64;
constexpr int64_t kBytes = 256;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

/// Words of letters have a blank before them, unless it is said that they have none.
bool takes_blank(std::string_view word) { return is_lower(word[0]); }

/// The pieces that may become tokens, with the blank before them, if there is one: 11's words.
std::vector<std::string_view> split(std::string_view text) {
  static const BytePairEncoder bytes;
  return bytes.split(text);
}

/// Whether the piece is a Chinese character: one of three bytes or more from U+3400 on.
bool is_chinese(std::string_view piece) {
  return piece.size() >= 3 && piece >= "\xE3\x90\x80" &&
         utf8_length(piece) == static_cast<int>(piece.size());
}

int64_t byte_id(char c) { return Words::kMarks + static_cast<unsigned char>(c); }

}  // namespace

// ---- The vocabulary -----------------------------------------------------------------------------

Words::Words(std::vector<std::string> words) : words_(std::move(words)) {
  for (size_t i = 0; i < words_.size(); ++i)
    ids_.emplace(words_[i], kMarks + kBytes + static_cast<int64_t>(i));
}

Words Words::learn(std::string_view text, int64_t size, std::vector<std::string> compounds) {
  check<ValueError>(size >= kMarks + kBytes, "words: a vocabulary of {}; marks and bytes are {}",
                    size, kMarks + kBytes);
  std::unordered_map<std::string, int64_t> counts;
  for (std::string_view piece : split(text)) {
    if (piece.starts_with(' ')) piece.remove_prefix(1);
    std::string word = lower(piece);
    const bool one_byte = word.size() == 1 && !takes_blank(word);
    if (!word.empty() && !one_byte && word.size() <= kLongestWord) ++counts[std::move(word)];
  }
  std::vector<std::pair<std::string, int64_t>> ranked(counts.begin(), counts.end());
  std::ranges::sort(ranked, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> words = std::move(compounds);
  std::erase_if(words, [](const std::string& word) {
    return word.size() > kLongestWord || split(word).size() < 2 ||
           !std::ranges::all_of(split(word), is_chinese);
  });
  std::ranges::sort(words);
  const auto again = std::ranges::unique(words);
  words.erase(again.begin(), again.end());
  for (const auto& [word, count] : ranked)
    if (std::ssize(words) < size - kMarks - kBytes) words.push_back(word);
  return Words(std::move(words));
}

std::string Words::to_json() const {
  return nlohmann::json{{"format", "gradus-words"}, {"version", 1}, {"words", words_}}.dump();
}

Words Words::from_json(std::string_view json, const std::string& source) {
  const nlohmann::json all = nlohmann::json::parse(json, nullptr, false);
  bool valid = all.is_object() && all.value("format", "") == "gradus-words" &&
               all.value("version", 0) == 1 && all.contains("words") && all["words"].is_array();
  std::vector<std::string> words;
  for (size_t i = 0; valid && i < all["words"].size(); ++i) {
    const nlohmann::json& word = all["words"][i];
    valid = word.is_string() && !word.get_ref<const std::string&>().empty() &&
            word.get_ref<const std::string&>().size() <= kLongestWord;
    if (valid) words.push_back(word.get<std::string>());
  }
  Words out(std::move(words));
  check<IoError>(valid && out.ids_.size() == out.words_.size(),
                 "{}: its list of words is damaged, or of another version", source);
  return out;
}

std::string Words::name(int64_t id) const {
  check<IndexError>(id >= 0 && id < size(), "words: there is no token {} of {}", id, size());
  if (id < kMarks) return kMarkNames[id];
  if (id < kMarks + kBytes) return visible(std::string(1, static_cast<char>(id - kMarks)));
  return words_[static_cast<size_t>(id - kMarks - kBytes)];
}

// ---- Reading ------------------------------------------------------------------------------------

std::vector<int64_t> Words::encode(std::string_view text) const {
  std::vector<int64_t> ids;
  const std::vector<std::string_view> pieces = split(text);
  for (size_t i = 0; i < pieces.size();) {
    std::string_view piece = pieces[i];
    // Chinese: the longest word that begins here.
    size_t end = i, longest = 1;
    for (size_t length = 0; end < pieces.size() && is_chinese(pieces[end]); ++end) {
      length += pieces[end].size();
      if (length > kLongestWord) break;
      if (ids_.contains(std::string(piece.data(), length))) longest = end - i + 1;
    }
    if (longest > 1)
      piece = {piece.data(), static_cast<size_t>(pieces[i + longest - 1].end() - piece.begin())};
    i += longest;
    const bool blank = piece.size() > 1 && piece.starts_with(' ');
    if (blank) piece.remove_prefix(1);
    encode_word(piece, blank, ids);
  }
  return ids;
}

/// "France", "NaCl", "?", with a blank before it or none.
void Words::encode_word(std::string_view word, bool blank, std::vector<int64_t>& ids) const {
  const auto capitals = std::ranges::count_if(word, is_upper);
  const bool shouted = capitals > 1 && std::ranges::none_of(word, is_lower);
  if (capitals > 0 && !shouted) {
    // "McDonald" is "Mc" and "Donald".
    const size_t next = word.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1);
    if (next != word.npos) {
      encode_word(word.substr(0, next), blank, ids);
      encode_word(word.substr(next), false, ids);
      return;
    }
  }
  const std::string small = lower(word);
  const auto known = ids_.find(small);
  const bool begins = ids.empty();
  const bool understood = known != ids_.end() && takes_blank(small);
  if (understood && !blank && !begins) ids.push_back(Joined);
  if (blank && begins) ids.push_back(byte_id(' '));
  if (blank && begins && understood) ids.push_back(Joined);
  if (capitals > 0) ids.push_back(shouted ? Capitals : Capital);
  if (blank && !begins && !understood) ids.push_back(byte_id(' '));
  if (known != ids_.end()) {
    ids.push_back(known->second);
    return;
  }
  for (std::string_view rest = small; !rest.empty();) {
    const size_t length = static_cast<size_t>(std::max(1, utf8_length(rest)));
    const auto character = ids_.find(std::string(rest.substr(0, length)));
    if (length > 1 && character != ids_.end())
      ids.push_back(character->second);
    else
      for (const char byte : rest.substr(0, length)) ids.push_back(byte_id(byte));
    rest.remove_prefix(length);
  }
}

// ---- Writing ------------------------------------------------------------------------------------

std::string Writer::push(int64_t id) {
  if (id < Words::kMarks) {
    if (id == Words::Joined) joined_ = true;
    if (id == Words::Capital || id == Words::Capitals) {
      first_ = true;
      all_ = id == Words::Capitals;
    }
    return "";
  }
  const bool is_byte = id < Words::kMarks + kBytes;
  std::string text = is_byte ? std::string(1, static_cast<char>(id - Words::kMarks))
                             : words_.words_[static_cast<size_t>(id - Words::kMarks - kBytes)];
  const bool blank = !is_byte && takes_blank(text) && began_ && !joined_;
  if (blank && !first_) all_ = false;  // another word
  for (char& c : text) {
    if (is_lower(c)) {
      if (first_ || all_) c = to_upper(c);
      first_ = false;
    } else if (!first_) {
      all_ = false;
    }
  }
  began_ = true;
  joined_ = false;
  return blank ? " " + text : text;
}

std::string Words::decode(std::span<const int64_t> ids) const {
  Writer writer(*this);
  std::string out;
  for (const int64_t id : ids) out += writer.push(id);
  return out;
}

// ---- Tidying ------------------------------------------------------------------------------------

std::string tidied(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_sign = [](char c) {
    return std::string_view("+-*/=").find(c) != std::string_view::npos;
  };
  std::string out;
  const auto add = [&](char c) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) return;
    if (out.size() > 1 && out.back() == ' ') {  // "7 + 8" is "7+8"
      const char before = out[out.size() - 2];
      if ((is_digit(before) && is_sign(c)) || (is_sign(before) && is_digit(c))) out.pop_back();
    }
    out += c;
  };
  while (!text.empty()) {
    const int length = std::max(1, utf8_length(text));
    const std::string_view character = text.substr(0, static_cast<size_t>(length));
    text.remove_prefix(character.size());
    if (length == 1) {
      const auto c = static_cast<unsigned char>(character[0]);
      if (c >= 0x20 && c != 0x7F)
        add(character[0]);
      else if (std::isspace(c))
        add(' ');
      continue;
    }
    uint32_t code = static_cast<unsigned char>(character[0]) & (0xFF >> (length + 1));
    for (const char c : character.substr(1)) code = code << 6 | (c & 0x3F);
    if (code >= 0xFF01 && code <= 0xFF5E)
      add(static_cast<char>(code - 0xFEE0));
    else if (code == 0x3000 || code == 0xA0)
      add(' ');
    else if (code == 0xD7)
      add('*');  // ×
    else if (code == 0xF7)
      add('/');  // ÷
    else if (code == 0x2212)
      add('-');  // −
    else if (code == 0x3001)
      add(',');  // 、
    else if (code == 0x3002)
      add('.');  // 。
    else if (code == 0x2018 || code == 0x2019)
      add('\'');
    else if (code == 0x201C || code == 0x201D || (code >= 0x300A && code <= 0x300F))
      add('"');
    else if (code == 0xFEFF || (code >= 0x200B && code <= 0x200F) || code == 0xFE0F)
      continue;
    else
      out += character;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace gradus::support
