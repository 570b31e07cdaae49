#pragma once
// From logits to the next token. In this order: the repetition penalty, the temperature, top-k,
// top-p, a draw.
#include <span>
#include <vector>

#include "tensor/random.h"

namespace gradus {

struct SamplingOptions {
  double temperature = 1;  // 0: greedy, always the most probable token
  int64_t top_k = 0;       // only the k most probable; 0: all
  double top_p = 1;  // only the smallest set that holds this probability (Holtzman et al. 2020)
  double repetition_penalty = 1;  // logits of tokens already seen are divided (times, if negative)
                                  // by it (Keskar et al. 2019)
};

struct Candidate {
  int64_t id;
  double probability;
};

/// The distribution that is drawn from, most probable first; at most `most` entries (0: all of
/// them). logits: (V,) or (1, V), floating. ValueError for options out of range or logits that are
/// not finite.
std::vector<Candidate> candidates(const Tensor& logits, const SamplingOptions& options,
                                  std::span<const int64_t> seen = {}, int64_t most = 0);

/// One token drawn from that distribution; greedy ties go to the smaller id.
int64_t sample(const Tensor& logits, const SamplingOptions& options,
               std::span<const int64_t> seen = {}, Generator& generator = default_generator());

}  // namespace gradus
