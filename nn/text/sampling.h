#pragma once
// From logits to the next token. In this order: the repetition penalty, the temperature, top-k,
// top-p, and a draw.
#include <span>
#include <vector>

#include "tensor/random.h"

namespace gradus {

struct SamplingOptions {
  double temperature = 1;  // 0: greedy, always the most probable token
  int64_t top_k = 0;       // only the k most probable; 0: all
  double top_p = 1;  // only the smallest set that holds this probability (Holtzman et al. 2020)
  // Divides positive logits of tokens that were seen, multiplies negative ones (Keskar et al.
  // 2019).
  double repetition_penalty = 1;
};

struct Candidate {
  int64_t id;
  double probability;
};

/// The distribution that is drawn from, most probable first: at most `most` entries (0: all of
/// them). logits: (V,) or (1, V), floating. `seen`: the tokens so far, for the penalty. ShapeError:
/// the logits have another shape. ValueError: an option is out of range, or a logit is not finite.
/// IndexError: a token in `seen` is outside [0, V).
std::vector<Candidate> candidates(const Tensor& logits, const SamplingOptions& options,
                                  std::span<const int64_t> seen = {}, int64_t most = 0);

/// One token drawn from that distribution; if greedy, ties go to the smaller id. Errors as above.
int64_t sample(const Tensor& logits, const SamplingOptions& options,
               std::span<const int64_t> seen = {}, Generator& generator = default_generator());

}  // namespace gradus
