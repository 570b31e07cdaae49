#include "nn/text/ngram.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace gradus {
namespace {

uint64_t edge(uint32_t node, int64_t token) {
  return uint64_t{node} << 32 | static_cast<uint64_t>(token);
}

}  // namespace

NGramModel::NGramModel(std::span<const int64_t> tokens, int64_t vocab_size, int n)
    : n_(n), vocab_size_(vocab_size), nodes_(1), depth_(1, 0) {
  check<ValueError>(n >= 1 && n <= 16,
                    "NGramModel: n = {} is out of range; 1 to 16 is possible, 3 to 5 useful", n);
  check<ValueError>(vocab_size >= 1 && vocab_size <= UINT32_MAX,
                    "NGramModel: a vocabulary of {} tokens is not possible", vocab_size);
  for (const int64_t token : tokens) check_token(token);
  count(tokens);
  estimate_discounts();
}

void NGramModel::check_token(int64_t token) const {
  check<IndexError>(token >= 0 && token < vocab_size_,
                    "NGramModel: token {} is out of range: the vocabulary has {} tokens", token,
                    vocab_size_);
}

uint32_t NGramModel::find(uint32_t node, int64_t token) const {
  const auto it = child_.find(edge(node, token));
  return it == child_.end() ? kNone : it->second;
}

void NGramModel::count(std::span<const int64_t> tokens) {
  // suffix[k] is the node of the last k tokens, for every k that has been read so far.
  std::vector<uint32_t> suffix{0};
  for (const int64_t token : tokens) {
    std::vector<uint32_t> longer{0};
    for (const uint32_t context : suffix) {
      const auto fresh = static_cast<uint32_t>(nodes_.size());
      const auto [it, is_new] = child_.try_emplace(edge(context, token), fresh);
      if (is_new) {
        nodes_.push_back({.parent = context});
        depth_.push_back(static_cast<uint8_t>(depth_[context] + 1));
        // A new "v h w" is one more token v before "h w".
        nodes_[longer.back()].count += 1;
      }
      longer.push_back(it->second);
    }
    if (static_cast<int>(longer.size()) > n_) {
      nodes_[longer.back()].count += 1;
      longer.pop_back();
    }
    suffix = std::move(longer);
  }
  for (size_t i = 1; i < nodes_.size(); ++i) {
    if (nodes_[i].count == 0) continue;
    Node& context = nodes_[nodes_[i].parent];
    context.total += nodes_[i].count;
    context.children[std::min(nodes_[i].count, 3u) - 1] += 1;
  }
}

/// Chen and Goodman's estimates from n_k, the number of n-grams that occur k times:
///   Y = n1 / (n1 + 2 n2), D1 = 1 - 2 Y n2 / n1, D2 = 2 - 3 Y n3 / n2, D3 = 3 - 4 Y n4 / n3
/// In a tiny text an n_k can be zero. Then half of each count is taken away: any discount gives a
/// proper distribution, and only its quality depends on the choice.
void NGramModel::estimate_discounts() {
  std::vector<std::array<double, 5>> n(static_cast<size_t>(n_) + 1);
  for (size_t i = 1; i < nodes_.size(); ++i)
    if (nodes_[i].count <= 4) n[depth_[i]][nodes_[i].count] += 1;
  for (const auto& [zero, n1, n2, n3, n4] : n) {
    Discounts d = {0, 0.5, 1.0, 1.5};
    if (n1 > 0 && n2 > 0 && n3 > 0) {
      const double y = n1 / (n1 + 2 * n2);
      d = {0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3};
      for (size_t k = 1; k <= 3; ++k) d[k] = std::clamp(d[k], 0.0, static_cast<double>(k));
    }
    discounts_.push_back(d);
  }
}

double NGramModel::probability(std::span<const int64_t> context, int64_t token) const {
  check_token(token);
  const size_t longest = std::min(context.size(), static_cast<size_t>(n_ - 1));
  double p = 1.0 / static_cast<double>(vocab_size_);
  for (size_t length = 0; length <= longest; ++length) {
    uint32_t h = 0;
    for (const int64_t word : context.last(length)) {
      check_token(word);
      h = find(h, word);
      if (h == kNone) return p;  // a context that was never seen: neither were longer ones
    }
    const Node& node = nodes_[h];
    if (node.total == 0) continue;
    const Discounts& d = discounts_[length + 1];
    const uint32_t leaf = find(h, token);
    const uint32_t c = leaf == kNone ? 0 : nodes_[leaf].count;
    const double held_back =
        d[1] * node.children[0] + d[2] * node.children[1] + d[3] * node.children[2];
    p = (c - d[std::min(c, 3u)] + held_back * p) / node.total;
  }
  return p;
}

double NGramModel::bits(std::span<const int64_t> tokens) const {
  double bits = 0;
  for (size_t i = 0; i < tokens.size(); ++i)
    bits -= std::log2(probability(tokens.first(i), tokens[i]));
  return bits;
}

double NGramModel::bits_per_byte(std::span<const int64_t> tokens, size_t bytes) const {
  check<ValueError>(bytes > 0, "NGramModel: bits per byte of {} tokens that stand for 0 bytes",
                    tokens.size());
  return bits(tokens) / static_cast<double>(bytes);
}

}  // namespace gradus
