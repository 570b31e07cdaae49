// Counting all pairs again after each merge takes O(text) per merge: minutes for a book. But a
// merge of (a, b) changes only the pairs next to it. So we keep, for every pair, its count and the
// words it occurs in, and touch only those words. A heap gives the most frequent pair. The heap is
// lazy: an entry may be older than its pair's count. A count that grew is pushed again; one that
// shrank is noticed when it comes up, and goes back with its true count.
#include "nn/text/bpe_trainer.h"

#include <algorithm>
#include <queue>

namespace gradus {
namespace {

using Pair = BytePairEncoder::Pair;

struct Word {
  std::vector<std::int32_t> ids;
  int64_t count;
};

struct PairInfo {
  int64_t count = 0;
  std::vector<std::uint32_t> words;  // in which it occurs, or once occurred
};

struct Entry {
  int64_t count;
  Pair pair;
  /// The top of the heap is the largest: the highest count and, of equals, the smaller pair.
  bool operator<(const Entry& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Trainer {
 public:
  explicit Trainer(const std::unordered_map<std::string_view, int64_t>& word_counts);
  std::vector<Pair> learn(int64_t n);

 private:
  void change(Pair pair, int64_t delta, std::uint32_t word);
  void merge(Pair pair, std::int32_t id);
  void merge_in_word(Pair pair, std::int32_t id, std::uint32_t w);

  std::vector<Word> words_;
  std::unordered_map<Pair, PairInfo, BytePairEncoder::PairHash> pairs_;
  std::priority_queue<Entry> heap_;
  std::vector<Pair> grown_;  // pairs that the present merge has made more frequent
};

Trainer::Trainer(const std::unordered_map<std::string_view, int64_t>& word_counts) {
  for (const auto& [text, count] : word_counts) {
    if (text.size() < 2) continue;
    Word word{{}, count};
    for (const char c : text) word.ids.push_back(static_cast<uint8_t>(c));
    const auto w = static_cast<std::uint32_t>(words_.size());
    for (size_t i = 0; i + 1 < word.ids.size(); ++i)
      change({word.ids[i], word.ids[i + 1]}, count, w);
    words_.push_back(std::move(word));
  }
  grown_.clear();
  for (const auto& [pair, info] : pairs_) heap_.push({info.count, pair});
}

std::vector<Pair> Trainer::learn(int64_t n) {
  std::vector<Pair> merges;
  std::vector<size_t> length(256, 1);
  while (static_cast<int64_t>(merges.size()) < n && !heap_.empty()) {
    const Entry top = heap_.top();
    heap_.pop();
    const auto it = pairs_.find(top.pair);
    if (it == pairs_.end()) continue;
    if (const int64_t now = it->second.count; now != top.count) {
      if (now > 0) heap_.push({now, top.pair});
      continue;
    }
    if (top.count < 2) break;  // a pair that occurs once saves nothing
    const size_t bytes =
        length[static_cast<size_t>(top.pair.first)] + length[static_cast<size_t>(top.pair.second)];
    if (bytes > BytePairEncoder::kLongestToken) continue;
    merge(top.pair, static_cast<std::int32_t>(length.size()));
    merges.push_back(top.pair);
    length.push_back(bytes);
  }
  return merges;
}

void Trainer::change(Pair pair, int64_t delta, std::uint32_t word) {
  PairInfo& info = pairs_[pair];
  info.count += delta;
  if (delta < 0) return;
  if (info.words.empty() || info.words.back() != word) info.words.push_back(word);
  grown_.push_back(pair);
}

void Trainer::merge(Pair pair, std::int32_t id) {
  const auto taken = pairs_.extract(pair);  // the pair disappears: no word has it afterwards
  for (const std::uint32_t w : taken.mapped().words) merge_in_word(pair, id, w);
  std::sort(grown_.begin(), grown_.end());
  grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
  for (const Pair& grown : grown_) heap_.push({pairs_[grown].count, grown});
  grown_.clear();
}

void Trainer::merge_in_word(Pair pair, std::int32_t id, std::uint32_t w) {
  auto& [ids, count] = words_[w];
  const auto [a, b] = pair;
  const auto forget = [&, n = count](std::int32_t x, std::int32_t y) {
    if (Pair{x, y} != pair)
      change({x, y}, -n, w);  // x = y = a = b: in "aaa" the pair overlaps itself
  };
  size_t write = 0;
  for (size_t read = 0; read < ids.size();) {
    if (read + 1 == ids.size() || ids[read] != a || ids[read + 1] != b) {
      ids[write++] = ids[read++];
      continue;
    }
    if (write > 0) {
      forget(ids[write - 1], a);
      change({ids[write - 1], id}, count, w);
    }
    if (read + 2 < ids.size()) {
      forget(b, ids[read + 2]);
      change({id, ids[read + 2]}, count, w);
    }
    ids[write++] = id;
    read += 2;
  }
  ids.resize(write);
}

}  // namespace

std::vector<Pair> learn_merges(const std::unordered_map<std::string_view, int64_t>& word_counts,
                               int64_t n) {
  return Trainer(word_counts).learn(n);
}

}  // namespace gradus
