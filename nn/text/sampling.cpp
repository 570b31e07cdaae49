#include "nn/text/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/scalar_math.h"

namespace gradus {

namespace {

void check_options(const SamplingOptions& o) {
  check<ValueError>(o.temperature >= 0 && o.temperature <= 100,
                    "sampling: temperature {}; it must be in [0, 100]", o.temperature);
  check<ValueError>(o.top_k >= 0, "sampling: top-k {}; it must be 0 (all) or more", o.top_k);
  check<ValueError>(o.top_p > 0 && o.top_p <= 1, "sampling: top-p {}; it must be in (0, 1]",
                    o.top_p);
  check<ValueError>(o.repetition_penalty > 0,
                    "sampling: repetition penalty {}; it must be positive", o.repetition_penalty);
}

/// The logits after penalty and temperature.
std::vector<float> adjusted(const Tensor& logits, const SamplingOptions& o,
                            std::span<const int64_t> seen) {
  check<ShapeError>(logits.numel() > 0 && logits.numel() == logits.size(-1),
                    "sampling: logits {}; wanted those of one position", logits.shape());
  std::vector<float> x = logits.to_vector<float>();
  const auto n = static_cast<int64_t>(x.size());
  for (int64_t i = 0; i < n; ++i)
    check<ValueError>(std::isfinite(x[i]), "sampling: the logit of token {} is {}", i, x[i]);
  if (o.repetition_penalty != 1) {
    std::vector<bool> done(x.size());
    for (int64_t id : seen) {
      check<IndexError>(id >= 0 && id < n, "sampling: token {} is outside [0, {})", id, n);
      if (done[id]) continue;
      done[id] = true;
      const auto penalty = static_cast<float>(o.repetition_penalty);
      x[id] = x[id] > 0 ? x[id] / penalty : x[id] * penalty;
    }
  }
  if (o.temperature > 0)
    for (float& v : x) v = static_cast<float>(v / o.temperature);
  return x;
}

/// The first of the largest: all that a greedy choice needs.
int64_t argmax(const std::vector<float>& x) {
  return std::max_element(x.begin(), x.end()) - x.begin();
}

/// Softmax of x, in place.
void to_probabilities(std::vector<float>& x) {
  const float top = *std::max_element(x.begin(), x.end());
  float total = 0;
#pragma omp simd reduction(+ : total)
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = scalar::exp_float(x[i] - top);
    total += x[i];
  }
  for (float& v : x) v /= total;
}

/// The `count` most probable ids, in order; ties by id.
std::vector<int64_t> ranked(const std::vector<float>& p, int64_t count) {
  std::vector<int64_t> ids(p.size());
  std::iota(ids.begin(), ids.end(), int64_t{0});
  count = std::min<int64_t>(count, static_cast<int64_t>(ids.size()));
  std::partial_sort(ids.begin(), ids.begin() + count, ids.end(),
                    [&](int64_t a, int64_t b) { return p[a] != p[b] ? p[a] > p[b] : a < b; });
  ids.resize(static_cast<size_t>(count));
  return ids;
}

}  // namespace

std::vector<Candidate> candidates(const Tensor& logits, const SamplingOptions& o,
                                  std::span<const int64_t> seen, int64_t most) {
  check_options(o);
  std::vector<float> p = adjusted(logits, o, seen);
  if (o.temperature == 0) return {{argmax(p), 1.0}};
  to_probabilities(p);
  const auto n = static_cast<int64_t>(p.size());
  std::vector<Candidate> kept;
  double total = 0;
  for (int64_t id : ranked(p, o.top_k > 0 ? std::min(o.top_k, n) : n)) {
    kept.push_back({id, p[id]});
    total += p[id];
  }
  if (o.top_p < 1) {
    double so_far = 0;
    size_t count = 0;
    while (count < kept.size() && so_far < o.top_p * total) so_far += kept[count++].probability;
    kept.resize(count);
    total = so_far;
  }
  for (Candidate& c : kept) c.probability /= total;
  if (most > 0 && static_cast<int64_t>(kept.size()) > most) kept.resize(static_cast<size_t>(most));
  return kept;
}

int64_t sample(const Tensor& logits, const SamplingOptions& o, std::span<const int64_t> seen,
               Generator& generator) {
  check_options(o);
  if (o.temperature == 0) return argmax(adjusted(logits, o, seen));
  double left = rand({1}, F64, generator).item();
  if (o.top_k == 0 && o.top_p == 1) {  // no ranking needed
    std::vector<float> p = adjusted(logits, o, seen);
    to_probabilities(p);
    for (size_t i = 0; i < p.size(); ++i)
      if ((left -= p[i]) < 0) return static_cast<int64_t>(i);
    return argmax(p);
  }
  const std::vector<Candidate> from = candidates(logits, o, seen);
  for (const Candidate& c : from)
    if ((left -= c.probability) < 0) return c.id;
  return from[0].id;
}

}  // namespace gradus
