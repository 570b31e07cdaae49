#pragma once
// The training half of byte pair encoding: which pairs become tokens, in which order.
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nn/text/bpe.h"

namespace gradus {

/// Up to `n` merges, learned from words and how often each occurs; merge k makes token 256 + k.
/// Fewer if no pair occurs twice any longer, or if every token would be longer than
/// BytePairEncoder::kLongestToken.
std::vector<BytePairEncoder::Pair> learn_merges(
    const std::unordered_map<std::string_view, int64_t>& word_counts, int64_t n);

}  // namespace gradus
