// The n-gram baseline must be honest: its probabilities sum to one after every context, and they
// are those of the definition of Kneser-Ney smoothing, computed here slowly and without a tree.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "nn/text/ngram.h"
#include "tensor/error.h"

using namespace gradus;

namespace {

using Tokens = std::vector<int64_t>;

/// Some tokens frequent, some never, and structure from one to the next.
Tokens random_tokens(size_t n, int64_t vocab, uint64_t seed) {
  std::mt19937_64 random(seed);
  Tokens tokens;
  for (size_t i = 0; i < n; ++i) {
    const int64_t last = tokens.empty() ? 0 : tokens.back();
    const auto r = static_cast<int64_t>(random() % 100);
    tokens.push_back((r < 50 ? last * 2 + 1 : r * r / 200) % (vocab - 1));
  }
  return tokens;
}

/// Kneser-Ney from its definition, with maps from n-grams to counts.
class Definition {
 public:
  Definition(const Tokens& tokens, int64_t vocab, size_t n)
      : vocab_(vocab), n_(n), c_(n + 1), d_(n + 1) {
    std::map<Tokens, std::set<int64_t>> before;
    for (size_t length = 1; length <= n + 1; ++length)
      for (size_t i = 0; i + length <= tokens.size(); ++i) {
        const Tokens gram(tokens.begin() + static_cast<ptrdiff_t>(i),
                          tokens.begin() + static_cast<ptrdiff_t>(i + length));
        if (length == n) c_[n][gram] += 1;
        if (length <= n && length > 1) before[{gram.begin() + 1, gram.end()}].insert(gram[0]);
      }
    for (const auto& [gram, tokens_before] : before)
      c_[gram.size()][gram] = static_cast<double>(tokens_before.size());
    for (size_t length = 1; length <= n; ++length) {
      std::array<double, 5> k{};
      for (const auto& [gram, count] : c_[length])
        if (count <= 4) k[static_cast<size_t>(count)] += 1;
      d_[length] = {0, 0.5, 1, 1.5};
      if (k[1] == 0 || k[2] == 0 || k[3] == 0) continue;
      const double y = k[1] / (k[1] + 2 * k[2]);
      d_[length] = {0, 1 - 2 * y * k[2] / k[1], 2 - 3 * y * k[3] / k[2], 3 - 4 * y * k[4] / k[3]};
      for (size_t j = 1; j < 4; ++j)
        d_[length][j] = std::min(std::max(d_[length][j], 0.0), static_cast<double>(j));
    }
  }

  double p(Tokens context, int64_t token) const {
    while (context.size() + 1 > n_) context.erase(context.begin());
    const double shorter = context.empty() ? 1.0 / static_cast<double>(vocab_)
                                           : p({context.begin() + 1, context.end()}, token);
    const size_t length = context.size() + 1;
    double total = 0, kept = 0, held_back = 0;
    for (int64_t w = 0; w < vocab_; ++w) {
      Tokens gram = context;
      gram.push_back(w);
      const auto it = c_[length].find(gram);
      if (it == c_[length].end()) continue;
      const double discount = d_[length][std::min<size_t>(static_cast<size_t>(it->second), 3)];
      total += it->second;
      held_back += discount;
      if (w == token) kept = it->second - discount;
    }
    return total == 0 ? shorter : kept / total + held_back / total * shorter;
  }

 private:
  int64_t vocab_;
  size_t n_;
  std::vector<std::map<Tokens, double>> c_;
  std::vector<std::array<double, 4>> d_;
};

}  // namespace

TEST_CASE("ngram: probabilities sum to one after every context, seen or not") {
  const int64_t vocab = 23;
  std::mt19937_64 random(5);
  for (const size_t length : {0, 1, 2, 3, 5, 50, 2000}) {
    const Tokens tokens = random_tokens(length, vocab, length);
    for (int n = 1; n <= 5; ++n) {
      const NGramModel model(tokens, vocab, n);
      for (int i = 0; i < 40; ++i) {
        Tokens context(random() % 6);
        for (auto& token : context)
          token = static_cast<int64_t>(random() % static_cast<uint64_t>(vocab));
        if (i % 2 == 0 && length > 10) context.assign(tokens.begin() + i, tokens.begin() + i + 5);
        double sum = 0;
        for (int64_t token = 0; token < vocab; ++token) {
          const double p = model.probability(context, token);
          CHECK(p > 0);
          sum += p;
        }
        CHECK(sum == doctest::Approx(1).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("ngram: probabilities are those of the definition") {
  const int64_t vocab = 9;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Tokens tokens = random_tokens(60 + 100 * seed, vocab, seed);
    for (const size_t n : {1, 2, 3, 4}) {
      const NGramModel model(tokens, vocab, static_cast<int>(n));
      const Definition definition(tokens, vocab, n);
      for (int64_t a = 0; a < vocab; ++a)
        for (int64_t b = 0; b < vocab; b += 2)
          for (int64_t w = 0; w < vocab; ++w)
            CHECK(model.probability(Tokens{1, a, b}, w) ==
                  doctest::Approx(definition.p({1, a, b}, w)).epsilon(1e-12));
    }
  }
}

TEST_CASE("ngram: a frequent token that follows only one other is unlikely elsewhere") {
  Tokens
      tokens;  // "San Francisco" (0 1) often; 2 follows many different tokens, but is rarer than 1
  for (int64_t i = 0; i < 60; ++i) {
    tokens.insert(tokens.end(), {0, 1, 3 + i % 10});
    if (i % 2 == 0) tokens.insert(tokens.end(), {2, 13 + i % 7});
  }
  const NGramModel model(tokens, 30, 2);
  const Tokens san{0}, unseen{29};
  CHECK(model.probability(san, 1) > 0.9);
  CHECK(model.probability(unseen, 2) > 2 * model.probability(unseen, 1));
}

TEST_CASE("ngram: bits") {
  const Tokens tokens = random_tokens(3000, 17, 1), other = random_tokens(200, 17, 2);
  const NGramModel model(tokens, 17);
  CHECK(model.order() == 4);
  double sum = 0;
  for (size_t i = 0; i < other.size(); ++i)
    sum -= std::log2(model.probability(std::span(other).first(i), other[i]));
  CHECK(model.bits(other) == doctest::Approx(sum));
  CHECK(model.bits_per_byte(other, 400) == doctest::Approx(sum / 400));
  CHECK(model.bits(Tokens{}) == 0);
  // Knowing more helps on such a stream, and knowing nothing costs log2 of the vocabulary.
  CHECK(model.bits(other) < NGramModel(tokens, 17, 1).bits(other));
  CHECK(NGramModel({}, 17).bits(other) == doctest::Approx(std::log2(17.0) * 200));
}

TEST_CASE("ngram: wrong use") {
  const Tokens tokens{0, 1, 2};
  CHECK_THROWS_AS(NGramModel(tokens, 2), IndexError);
  CHECK_THROWS_AS(NGramModel(Tokens{-1}, 2), IndexError);
  CHECK_THROWS_AS(NGramModel(tokens, 3, 0), ValueError);
  CHECK_THROWS_AS(NGramModel(tokens, 3, 99), ValueError);
  CHECK_THROWS_AS(NGramModel({}, 0), ValueError);
  const NGramModel model(tokens, 3);
  CHECK_THROWS_AS(model.probability(Tokens{0}, 3), IndexError);
  CHECK_THROWS_AS(model.probability(Tokens{7}, 0), IndexError);
  CHECK_THROWS_AS(model.bits_per_byte(tokens, 0), ValueError);
}
