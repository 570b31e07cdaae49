#define PCRE2_CODE_UNIT_WIDTH 8
#include "nn/text/bpe.h"

#include <pcre2.h>

#include <algorithm>
#include <numeric>
#include <queue>
#include <unordered_set>

#include "nn/text/bpe_trainer.h"
#include "nn/text/utf8.h"
#include "tensor/error.h"

namespace gradus {
namespace {

// Every character matches exactly one alternative, so the words cover the text. [^\P{L}\p{Han}]
// reads "a letter, but not a Chinese one". ++ never gives characters back, so long words need no
// memory.
constexpr const char* kGradusPattern =
    R"('(?:[sdmt]|ll|ve|re)| ?[^\P{L}\p{Han}]++|\p{Han}|\p{N}| ?[^\s\p{L}\p{N}\p{Han}]++)"
    R"(|\s+(?!\S)|\s+)";
constexpr const char* kGpt2Pattern =
    R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s+(?!\S)|\s+)";

/// Length of the longest well-formed beginning of `text`.
size_t valid_prefix(std::string_view text) {
  size_t at = 0;
  while (true) {
    const int length = utf8_length(text.substr(at));
    if (length <= 0) return at;
    at += static_cast<size_t>(length);
  }
}

std::array<uint8_t, 256> all_bytes() {
  std::array<uint8_t, 256> bytes{};
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  return bytes;
}

}  // namespace

struct BytePairEncoder::Regex {
  pcre2_code* code = nullptr;

  explicit Regex(WordSplit split) {
    const char* pattern = split == WordSplit::Gpt2 ? kGpt2Pattern : kGradusPattern;
    int error = 0;
    size_t at = 0;
    code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern), PCRE2_ZERO_TERMINATED,
                         PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED, &error, &at, nullptr);
    check(code != nullptr, "BytePairEncoder: PCRE2 cannot compile the word rule: error {} at {}",
          error, at);
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without a JIT, the interpreter matches
  }
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex() { pcre2_code_free(code); }

  /// Appends the words of `text`, which must be well-formed UTF-8.
  void words(std::string_view text, std::vector<std::string_view>& out) const {
    const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match(
        pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
    for (size_t at = 0; at < text.size();) {
      const int rc = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                                 PCRE2_NO_UTF_CHECK, match.get(), nullptr);
      check(rc > 0, "BytePairEncoder: PCRE2 found no word at byte {}: error {}", at, rc);
      const size_t end = pcre2_get_ovector_pointer(match.get())[1];
      out.push_back(text.substr(at, end - at));
      at = end;
    }
  }
};

BytePairEncoder::BytePairEncoder() : BytePairEncoder(WordSplit::Gradus, all_bytes()) {}

BytePairEncoder::BytePairEncoder(WordSplit split, const std::array<uint8_t, 256>& bytes)
    : split_(split), regex_(std::make_shared<Regex>(split)) {
  for (const uint8_t byte : bytes) {
    id_of_byte_[byte] = static_cast<std::int32_t>(tokens_.size());
    tokens_.emplace_back(1, static_cast<char>(byte));
  }
}

BytePairEncoder BytePairEncoder::train(std::string_view text, int64_t vocab_size,
                                       std::vector<std::string> special_tokens, WordSplit split) {
  const auto reserved = 256 + static_cast<int64_t>(special_tokens.size());
  check<ValueError>(
      vocab_size >= reserved && vocab_size <= kLargestVocabulary,
      "BytePairEncoder::train: vocab_size {} is out of range: 256 bytes and {} special "
      "tokens need at least {}, and at most {} are allowed",
      vocab_size, special_tokens.size(), reserved, kLargestVocabulary);
  BytePairEncoder bpe(split, all_bytes());
  std::unordered_map<std::string_view, int64_t> counts;
  for (const std::string_view word : bpe.split(text)) ++counts[word];
  for (const Pair& pair : learn_merges(counts, vocab_size - reserved)) bpe.add_merge(pair);
  bpe.add_special(std::move(special_tokens));
  return bpe;
}

void BytePairEncoder::add_merge(Pair pair) {
  const auto [a, b] = pair;
  const auto next = static_cast<std::int32_t>(tokens_.size());
  check<ValueError>(a >= 0 && b >= 0 && a < next && b < next,
                    "merge {}: the pair ({}, {}) names a token that does not exist yet",
                    merges_.size(), a, b);
  std::string bytes = token(a) + token(b);
  check<ValueError>(bytes.size() <= kLongestToken && next < kLargestVocabulary,
                    "merge {}: a token of {} bytes or a vocabulary of {} is more than allowed",
                    merges_.size(), bytes.size(), next + 1);
  check<ValueError>(merged_.emplace(pair, next).second, "merge {}: the pair ({}, {}) occurs twice",
                    merges_.size(), a, b);
  merges_.push_back(pair);
  tokens_.push_back(std::move(bytes));
}

void BytePairEncoder::add_special(std::vector<std::string> names) {
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < names.size(); ++i) {
    check<ValueError>(!names[i].empty() && is_utf8(names[i]),
                      "special token {} is empty or not UTF-8; give it a name like <|end|>", i);
    check<ValueError>(seen.insert(names[i]).second,
                      "special token '{}' occurs twice; names must differ", names[i]);
    tokens_.push_back(names[i]);
  }
  special_ = std::move(names);
}

std::vector<std::string_view> BytePairEncoder::split(std::string_view text) const {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t valid = valid_prefix(text);
    if (valid > 0)
      regex_->words(text.substr(0, valid), words);
    else
      words.push_back(text.substr(0, 1));
    text.remove_prefix(std::max<size_t>(valid, 1));
  }
  return words;
}

std::vector<BytePairEncoder::Id> BytePairEncoder::encode(std::string_view text) const {
  std::vector<Id> ids;
  struct Range {
    size_t begin, end;
  };
  std::unordered_map<std::string_view, Range> seen;  // word -> where its ids are in `ids`
  for (const std::string_view word : split(text)) {
    const auto [it, first_time] = seen.try_emplace(word, Range{ids.size(), 0});
    if (first_time) {
      encode_word(word, ids);
      it->second.end = ids.size();
    } else {
      for (size_t i = it->second.begin; i < it->second.end; ++i) {
        const Id id = ids[i];
        ids.push_back(id);
      }
    }
  }
  return ids;
}

/// Applies the merges to one word: always the earliest learned pair that occurs, leftmost first.
/// Tokens form a linked list, and a heap offers the next merge. So a word of n bytes costs
/// O(n log n), even if it is a megabyte without a space.
void BytePairEncoder::encode_word(std::string_view word, std::vector<Id>& ids) const {
  struct Link {
    std::int32_t id;  // -1: merged into its left neighbour
    std::ptrdiff_t previous, next;
  };
  using Candidate =
      std::pair<std::int32_t, std::ptrdiff_t>;  // the merged id, and where its left half is
  const auto n = static_cast<std::ptrdiff_t>(word.size());
  std::vector<Link> links(word.size());
  const auto at = [&](std::ptrdiff_t i) -> Link& { return links[static_cast<size_t>(i)]; };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap;
  const auto merge_at = [&](std::ptrdiff_t i) -> std::int32_t {
    if (i < 0 || at(i).id < 0 || at(i).next >= n) return -1;
    const auto it = merged_.find({at(i).id, at(at(i).next).id});
    return it == merged_.end() ? -1 : it->second;
  };
  const auto offer = [&](std::ptrdiff_t i) {
    if (const std::int32_t id = merge_at(i); id >= 0) heap.emplace(id, i);
  };
  for (std::ptrdiff_t i = 0; i < n; ++i)
    at(i) = {id_of_byte_[static_cast<uint8_t>(word[static_cast<size_t>(i)])], i - 1, i + 1};
  for (std::ptrdiff_t i = 0; i + 1 < n; ++i) offer(i);
  while (!heap.empty()) {
    const auto [id, i] = heap.top();
    heap.pop();
    if (merge_at(i) != id) continue;  // a merge next to it took one of the two
    Link& right = at(at(i).next);
    at(i).id = id;
    right.id = -1;
    at(i).next = right.next;
    if (right.next < n) at(right.next).previous = i;
    offer(at(i).previous);
    offer(i);
  }
  for (std::ptrdiff_t i = 0; i < n; i = at(i).next) ids.push_back(at(i).id);
}

std::string BytePairEncoder::decode(std::span<const Id> ids) const {
  std::string bytes;
  for (const Id id : ids) bytes += token(id);
  return bytes;
}

const std::string& BytePairEncoder::token(Id id) const {
  check<IndexError>(
      id >= 0 && id < size(),
      "BytePairEncoder: token id {} is out of range: the vocabulary has {} tokens; is "
      "this the tokenizer that the model was trained with?",
      id, size());
  return tokens_[static_cast<size_t>(id)];
}

BytePairEncoder::Id BytePairEncoder::special(std::string_view name) const {
  const auto it = std::find(special_.begin(), special_.end(), name);
  check<ValueError>(
      it != special_.end(),
      "BytePairEncoder: no special token is named '{}': the vocabulary has {} others; "
      "name it when training",
      name, special_.size());
  return size() - static_cast<Id>(special_.end() - it);
}

}  // namespace gradus
