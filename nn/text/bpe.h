#pragma once
// Byte-level byte pair encoding: text -> token ids -> the same text.
//   start:    every byte is a token, ids 0 … 255
//   training: merge the most frequent pair of neighbouring tokens into a new token; repeat
//   encoding: apply the merges to new text in the order in which they were learned
// Merging stops at the borders of "words" (see split), so a token never spans two of them. Bytes
// are the alphabet, so any file can be encoded and comes back unchanged: there is no unknown token.
// Sources: Sennrich, Haddow and Birch 2016 (BPE for words); Radford et al. 2019 (for bytes: GPT-2).
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gradus {

/// How text is split into words before pairs are counted.
enum class WordSplit {
  /// English words with the space before them; each digit and each Chinese character on its own. So
  /// 7 is the same token in "7", "17" and "+ 7", and sums can be learned. Chinese has no spaces:
  /// with runs of characters as words, whole template sentences would become tokens, and pieces
  /// like "叫李" (half a verb phrase, half a name). A chatbot could then neither copy a name that it
  /// has never seen nor recombine phrases. It can learn from one character, one token.
  Gradus,
  /// What GPT-2 did: runs of letters or digits with the space before them.
  Gpt2,
};

class BytePairEncoder {
 public:
  using Id = std::int64_t;
  using Pair = std::pair<std::int32_t, std::int32_t>;
  struct PairHash {
    size_t operator()(const Pair& p) const {
      const auto a = static_cast<uint64_t>(p.first), b = static_cast<uint64_t>(p.second);
      return static_cast<size_t>(((a << 32) ^ b) * 0x9E3779B97F4A7C15u >> 16);
    }
  };

  /// Longer tokens are never made. This bounds what a damaged file can make load() allocate.
  static constexpr size_t kLongestToken = 256;
  static constexpr int64_t kLargestVocabulary = 1 << 20;

  /// No merges: a token is a byte.
  BytePairEncoder();

  /// Learns merges until the vocabulary (256 bytes, merges, special tokens, in this order of ids)
  /// has `vocab_size` entries or no pair occurs twice (then it stays smaller). Of equally frequent
  /// pairs the smaller (a, b) wins, so the merges are the same on every machine. Cost: O(n log n)
  /// of the text's distinct words, because only the pairs around a merge are counted again.
  /// ValueError if vocab_size has no room for 256 bytes and the special tokens, or if a special
  /// token is empty, repeated or not UTF-8.
  static BytePairEncoder train(std::string_view text, int64_t vocab_size,
                               std::vector<std::string> special_tokens = {},
                               WordSplit split = WordSplit::Gradus);

  /// The ids of any bytes. Never a special token: "<|user|>" in a text is eight ordinary
  /// characters. For the token itself call special("<|user|>").
  std::vector<Id> encode(std::string_view text) const;
  /// The bytes of the ids, special tokens by name. IndexError for an id outside [0, size()).
  std::string decode(std::span<const Id> ids) const;
  /// The bytes of one token, which may be half a character (see Utf8Stream).
  const std::string& token(Id id) const;

  /// The words that merging never crosses, in order; together they are `text`. A byte that is not
  /// part of well-formed UTF-8 is a word of its own.
  std::vector<std::string_view> split(std::string_view text) const;

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  /// merges()[k] is the pair that became id 256 + k.
  const std::vector<Pair>& merges() const { return merges_; }
  const std::vector<std::string>& special_tokens() const { return special_; }
  /// The id of a special token. ValueError if there is none of that name.
  Id special(std::string_view name) const;
  bool is_special(Id id) const {
    return id >= size() - static_cast<Id>(special_.size()) && id < size();
  }

  /// As JSON: {"format": "gradus-bpe", "version": 1, "split", "bytes", "merges", "special"}.
  /// Reading trusts nothing: damaged or hostile text is an IoError about `source`.
  std::string to_json() const;
  static BytePairEncoder from_json(std::string_view json, const std::string& source);
  /// The same in a file, written atomically.
  void save(const std::string& path) const;
  static BytePairEncoder load(const std::string& path);
  /// GPT-2's own pair of files, vocab.json and merges.txt. IoError if one is damaged or
  /// they do not belong together.
  static BytePairEncoder load_gpt2(const std::string& vocab_path, const std::string& merges_path);

 private:
  struct Regex;  // the compiled rule of a WordSplit

  BytePairEncoder(WordSplit split, const std::array<uint8_t, 256>& bytes);
  /// The next id becomes the pair. ValueError for a pair that no training can have produced.
  void add_merge(Pair pair);
  void add_special(std::vector<std::string> names);
  void encode_word(std::string_view word, std::vector<Id>& ids) const;

  WordSplit split_;
  std::shared_ptr<const Regex> regex_;
  std::array<std::int32_t, 256> id_of_byte_{};  // GPT-2 numbers the bytes in an order of its own
  std::vector<Pair> merges_;
  std::unordered_map<Pair, std::int32_t, PairHash>
      merged_;                       // pair -> its id; smaller = learned earlier
  std::vector<std::string> tokens_;  // id -> bytes
  std::vector<std::string> special_;
};

}  // namespace gradus
