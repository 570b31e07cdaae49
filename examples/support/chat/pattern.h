#pragma once
// Sentences as the world's files write them: with choices and blanks.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "examples/support/data/splitmix.h"

namespace gradus::support {

/// A sentence with choices and blanks: "what is the capital (city|) of {country}".
class Pattern {
 public:
  struct Piece {
    std::string text;  // literally, or the name of a blank
    bool blank = false;
  };
  /// ValueError: parentheses or braces do not match.
  explicit Pattern(std::string_view text);
  /// One of the sentences, at random.
  std::vector<Piece> draw(SplitMix64& rng) const;
  /// The first choice everywhere: the pattern's plainest sentence.
  std::vector<Piece> first() const;
  /// All sentences, with their blanks in braces. ValueError: there are more than `most`.
  std::vector<std::string> all(size_t most) const;
  const std::set<std::string>& blanks() const { return blanks_; }

 private:
  struct Part {
    Piece piece;
    std::vector<std::vector<Part>> choices;  // if not empty, one of these instead of the piece
  };
  using Sequence = std::vector<Part>;
  Sequence parse(std::string_view& rest, bool nested);
  template <class Choose>
  static void collect(const Sequence& sequence, const Choose& choose, std::vector<Piece>& out);
  static std::vector<std::string> expand(const Sequence& sequence, size_t most);

  Sequence sequence_;
  std::set<std::string> blanks_;
};

}  // namespace gradus::support
