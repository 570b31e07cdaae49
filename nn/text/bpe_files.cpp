// A tokenizer as a file. Ours holds the merges as pairs of ids. GPT-2's names its tokens by their
// text, in an alphabet in which each byte has a visible character: printable Latin-1 characters
// stand for themselves, and the other 68 bytes, in order, become U+0100, U+0101, … (a space is
// "Ġ").
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "nn/file.h"
#include "nn/text/bpe.h"
#include "tensor/error.h"

namespace gradus {
namespace {

using Json = nlohmann::json;

// JSON in memory takes many times the length of its text, so both bytes and values are bounded.
constexpr int64_t kLargestFile = int64_t{64} << 20,
                  kMostValues = 4 * BytePairEncoder::kLargestVocabulary;

/// Runs `body`, and reports whatever it finds wrong as an IoError about `path`.
template <class F>
auto reading(const std::string& path, F body) {
  try {
    return body();
  } catch (const IoError&) { throw; } catch (const std::exception& e) {
    throw IoError(fmt::format("'{}' is not a usable tokenizer: {}", path, e.what()));
  }
}

/// Refuses what nlohmann's parser would silently change, and what no tokenizer needs: a key that
/// occurs twice (it keeps the last), a number that is not whole (it cuts 3.9 to 3), and anything
/// deeper than lists of pairs. Every function throws, or returns true to continue.
class Watch {
 public:
  bool null() { return count(); }
  bool boolean(bool on) { return number_float(0, on ? "true" : "false"); }
  bool number_integer(int64_t) { return count(); }
  bool number_unsigned(uint64_t n) {
    check<ValueError>(n >> 63 == 0, "{} is too large a number", n);
    return count();
  }
  bool number_float(double, const std::string& text) {
    throw ValueError(fmt::format("{} is not a whole number", text));
  }
  bool string(std::string&) { return count(); }
  bool binary(Json::binary_t&) { return count(); }
  bool key(std::string& name) {
    check<ValueError>(keys_.insert(name).second, "\"{}\" occurs twice", name);
    return true;
  }
  bool start_object(size_t) {  // comes first, and is the only object: keys_ are its keys
    check<ValueError>(depth_ == 0, "it nests deeper than a tokenizer does");
    return start_array(0);
  }
  bool start_array(size_t) {
    check<ValueError>(++depth_ <= 3, "it nests deeper than a tokenizer does");
    return count();
  }
  bool end_object() { return end_array(); }
  bool end_array() {
    --depth_;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const Json::exception&) {
    throw ValueError(fmt::format("it is not JSON from byte {} on", position));
  }

 private:
  bool count() {
    check<ValueError>(++values_ <= kMostValues, "it holds more than {} values", kMostValues);
    return true;
  }
  int depth_ = 0;
  int64_t values_ = 0;
  std::unordered_set<std::string> keys_;
};

Json parse_json(std::string_view text) {
  Watch watch;
  Json::sax_parse(text, &watch);
  return Json::parse(text);
}

bool stands_for_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/// GPT-2's character of every byte, in UTF-8, and back. All characters are below U+0800: one or two
/// bytes.
struct Gpt2Alphabet {
  std::unordered_map<std::string, uint8_t> byte_of;
  Gpt2Alphabet() {
    int hidden = 0;
    for (int byte = 0; byte < 256; ++byte) {
      const int code = stands_for_itself(byte) ? byte : 256 + hidden++;
      std::string utf8;
      if (code < 0x80) {
        utf8 = {static_cast<char>(code)};
      } else {
        utf8 = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
      }
      byte_of[utf8] = static_cast<uint8_t>(byte);
    }
  }
};

/// The lines of merges.txt as pairs of token names. The first line may be a comment, like
/// "#version: 0.2".
std::vector<std::pair<std::string, std::string>> merge_lines(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> lines;
  size_t number = 0;
  for (size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    ++number;
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const size_t space = line.find(' ');
    check<ValueError>(space != std::string::npos && space > 0 && space + 1 < line.size() &&
                          line.find(' ', space + 1) == std::string::npos,
                      "line {}: expected two tokens with one space between them", number);
    lines.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return lines;
}

}  // namespace

std::string BytePairEncoder::to_json() const {
  std::array<int, 256> bytes{};
  for (size_t i = 0; i < 256; ++i) bytes[i] = static_cast<uint8_t>(tokens_[i][0]);
  const Json json = {{"format", "gradus-bpe"},
                     {"version", 1},
                     {"split", split_ == WordSplit::Gpt2 ? "gpt2" : "gradus"},
                     {"bytes", bytes},
                     {"merges", merges_},
                     {"special", special_}};
  return json.dump();
}

void BytePairEncoder::save(const std::string& path) const { write_file(path, to_json() + "\n"); }

BytePairEncoder BytePairEncoder::load(const std::string& path) {
  return from_json(read_file(path, kLargestFile), path);
}

BytePairEncoder BytePairEncoder::from_json(std::string_view text, const std::string& path) {
  return reading(path, [&] {
    const Json json = parse_json(text);
    check<IoError>(json.at("format") == "gradus-bpe" && json.at("version") == 1,
                   "'{}' is not a gradus-bpe tokenizer of version 1", path);
    const auto split = json.at("split").get<std::string>();
    check<IoError>(split == "gradus" || split == "gpt2", "'{}': unknown split '{}'", path, split);

    const auto values = json.at("bytes").get<std::vector<int64_t>>();
    std::array<uint8_t, 256> bytes{};
    std::array<bool, 256> seen{};
    check<IoError>(values.size() == 256, "'{}': {} bytes where 256 are expected", path,
                   values.size());
    for (size_t i = 0; i < 256; ++i) {
      const int64_t value = values[i];
      check<IoError>(value >= 0 && value < 256 && !seen[static_cast<size_t>(value)],
                     "'{}': bytes[{}] = {} is out of range or occurs twice", path, i, value);
      seen[static_cast<size_t>(value)] = true;
      bytes[i] = static_cast<uint8_t>(value);
    }

    BytePairEncoder bpe(split == "gpt2" ? WordSplit::Gpt2 : WordSplit::Gradus, bytes);
    for (const Json& merge : json.at("merges")) {
      const auto pair = merge.get<std::array<int64_t, 2>>();
      check<IoError>(merge.size() == 2 && std::min(pair[0], pair[1]) >= 0 &&
                         std::max(pair[0], pair[1]) < bpe.size(),
                     "'{}': merges[{}] = {} names a token that does not exist yet", path,
                     bpe.merges_.size(), merge.dump());
      bpe.add_merge({static_cast<std::int32_t>(pair[0]), static_cast<std::int32_t>(pair[1])});
    }
    bpe.add_special(json.at("special").get<std::vector<std::string>>());
    return bpe;
  });
}

BytePairEncoder BytePairEncoder::load_gpt2(const std::string& vocab_path,
                                           const std::string& merges_path) {
  const auto [names, ids] = reading(vocab_path, [&] {
    const auto vocab = parse_json(read_file(vocab_path, kLargestFile))
                           .get<std::unordered_map<std::string, int64_t>>();
    std::vector<std::string> by_id(vocab.size());
    for (const auto& [name, id] : vocab) {
      check<IoError>(id >= 0 && id < static_cast<int64_t>(vocab.size()) && !name.empty() &&
                         by_id[static_cast<size_t>(id)].empty(),
                     "'{}': token '{}' has id {}; {} tokens must have the ids 0 to {}, each once",
                     vocab_path, name, id, vocab.size(), vocab.size() - 1);
      by_id[static_cast<size_t>(id)] = name;
    }
    check<IoError>(by_id.size() >= 256, "'{}': {} tokens, fewer than there are bytes", vocab_path,
                   by_id.size());
    return std::pair(by_id, vocab);
  });
  BytePairEncoder bpe = reading(vocab_path, [&, &names = names] {
    const Gpt2Alphabet alphabet;
    std::array<uint8_t, 256> bytes{};
    for (size_t i = 0; i < 256; ++i) {
      const auto it = alphabet.byte_of.find(names[i]);
      check<IoError>(it != alphabet.byte_of.end(),
                     "'{}': token {}, '{}', is not one of the 256 bytes", vocab_path, i, names[i]);
      bytes[i] = it->second;
    }
    return BytePairEncoder(WordSplit::Gpt2, bytes);
  });
  reading(merges_path, [&, &names = names, &ids = ids] {
    for (const auto& [left, right] : merge_lines(read_file(merges_path, kLargestFile))) {
      const auto a = ids.find(left), b = ids.find(right);
      const auto next = static_cast<size_t>(bpe.size());
      check<IoError>(
          a != ids.end() && b != ids.end() && next < names.size() && names[next] == left + right,
          "'{}': merge {}, '{} {}', does not make token {} of '{}'; do the two files belong "
          "together?",
          merges_path, bpe.merges_.size(), left, right, next, vocab_path);
      bpe.add_merge({static_cast<std::int32_t>(a->second), static_cast<std::int32_t>(b->second)});
    }
    bpe.add_special({names.begin() + static_cast<ptrdiff_t>(bpe.size()), names.end()});
    return 0;
  });
  return bpe;
}

}  // namespace gradus
