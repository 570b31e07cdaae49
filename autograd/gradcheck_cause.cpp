#include "autograd/gradcheck_cause.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus {

namespace {

bool near(double a, double b, double noise) {
  return std::abs(a - b) <= noise + 1e-6 * std::max(std::abs(a), std::abs(b));
}

/// Whether got = ratio · want everywhere, much more closely than ratio is to 1 or to 0.
bool scaled(const std::vector<Compared>& judged, double ratio) {
  const double close = 0.01 * std::min(std::abs(ratio - 1), std::abs(ratio));
  return std::all_of(judged.begin(), judged.end(), [&](const Compared& c) {
    const double allowed = close * std::abs(c.want);
    return std::abs(c.got - ratio * c.want) <= allowed + c.noise * (std::abs(ratio) + 1);
  });
}

bool transposed(const std::vector<Compared>& all, const Shape& shape) {
  if (shape.size() != 2 || shape[0] != shape[1]) return false;
  const auto n = static_cast<size_t>(shape[0]);
  for (size_t r = 0; r < n; ++r)
    for (size_t c = 0; c < n; ++c) {
      const Compared &here = all[r * n + c], &there = all[c * n + r];
      if (there.judgement == Judgement::Unjudged) return false;
      if (!near(here.got, there.want, there.noise)) return false;
    }
  return true;
}

}  // namespace

std::string likely_cause(const std::vector<Compared>& all, const Shape& shape, size_t worst) {
  const double g = all[worst].got, w = all[worst].want;
  if (!std::isfinite(g))
    return "the derivative is not finite: a division by 0 or a log of 0 in the backward";
  std::vector<Compared> judged;
  size_t wrong = 0, clear = 0;  // clear: not 0, even with the noise
  double ratio = 0, weight = 0, largest = 0, noise = 0;
  for (const Compared& c : all) {
    if (c.judgement == Judgement::Unjudged || !std::isfinite(c.got)) continue;
    judged.push_back(c);
    wrong += c.judgement == Judgement::Wrong;
    clear += std::abs(c.want) > 100 * c.noise;
    noise = std::max(noise, c.noise);
    largest = std::max(largest, std::abs(c.want));
  }
  for (const Compared& c : judged) {  // least squares, in units that do not overflow
    if (largest == 0) break;
    ratio += (c.got / largest) * (c.want / largest);
    weight += (c.want / largest) * (c.want / largest);
  }
  if (weight > 0) ratio /= weight;
  const auto every = [&](auto fits) { return std::all_of(judged.begin(), judged.end(), fits); };
  if (every([](const Compared& c) { return c.got == 0; }))
    return "the gradient is 0 everywhere: a closure that returns zeros, or a path that is not "
           "recorded";
  if (every([](const Compared& c) { return near(c.got, -c.want, c.noise); }))
    return clear > 1 ? "the sign is wrong everywhere" : "the sign is wrong";
  if (clear > 1 && scaled(judged, ratio))
    return fmt::format(
        "every element is {:.{}g} times what it should be: a factor is missing or doubled", ratio,
        noise < 1e-6 * largest ? 6 : 4);
  if (transposed(all, shape)) return "the gradient is transposed";
  if (all.size() == 1)
    return w == 0 ? "it should be 0"
                  : fmt::format(
                        "it is {:.6g} times what it should be; an input of more elements "
                        "would show more",
                        g / w);
  if (wrong == judged.size() && wrong > 1)
    return "every element is wrong: look at the formula itself";
  const std::string count = fmt::format("{} of {} elements are wrong", wrong, all.size());
  return g == 0 ? "this element gets no gradient: look at how an index, mask or slice goes back; " +
                      count
                : count +
                      ": look at how broadcasting, an index, a branch or an accumulation goes back";
}

}  // namespace gradus
