#pragma once
// The n-gram model predicts the next token w from the n - 1 before it, by counting. It is what a
// neural model has to beat. Interpolated Kneser-Ney smoothing with three discounts, the best of the
// classical methods:
//   p(w | h) = (c(h w) - D(c(h w))) / c(h) + gamma(h) p(w | h')
// where h' is h without its oldest token. For the longest h, c counts occurrences. For shorter ones
// c(h w) counts the different tokens that were seen before h w: "Francisco" is frequent, but
// follows only "San", so it is unlikely after anything else. Below the single token lies the
// uniform distribution, so every token has a probability above zero. Source: Chen and Goodman 1999,
// "An empirical study of smoothing techniques", sections 2.7 and 3.1.
#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace gradus {

class NGramModel {
 public:
  /// Counts the n-grams of `tokens`, all in [0, vocab_size). ValueError: n is outside [1, 16], or
  /// the vocabulary is empty. IndexError: a token is out of range.
  NGramModel(std::span<const int64_t> tokens, int64_t vocab_size, int n = 4);

  /// p(token | context), of which only the last n - 1 tokens matter. Over all tokens it sums to
  /// one.
  double probability(std::span<const int64_t> context, int64_t token) const;

  /// -log2 p of a whole stream, each token given all before it. Divided by the bytes that the
  /// tokens stand for it is bits per byte, which compares models with different tokenizers.
  double bits(std::span<const int64_t> tokens) const;
  double bits_per_byte(std::span<const int64_t> tokens, size_t bytes) const;

  int order() const { return n_; }
  /// How many different n-grams of all orders were counted.
  size_t size() const { return nodes_.size() - 1; }

 private:
  /// An n-gram, in a tree whose root is the empty one and whose edges append a token.
  struct Node {
    uint32_t parent = 0;
    uint32_t count = 0;                  // c of this n-gram
    uint32_t total = 0;                  // as a context: the sum of its children's counts
    std::array<uint32_t, 3> children{};  // as a context: how many have count 1, 2, 3 or more
  };
  using Discounts = std::array<double, 4>;  // D(0) = 0, D(1), D(2), D(3 or more)

  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t find(uint32_t node, int64_t token) const;
  void count(std::span<const int64_t> tokens);
  void estimate_discounts();
  void check_token(int64_t token) const;

  int n_;
  int64_t vocab_size_;
  std::vector<Node> nodes_;
  std::vector<uint8_t> depth_;                    // of each node: the length of its n-gram
  std::unordered_map<uint64_t, uint32_t> child_;  // (node, token) -> node
  std::vector<Discounts> discounts_;              // by length of the n-gram
};

}  // namespace gradus
