#pragma once
// What usually makes this pattern of wrong derivatives. A cause is named only if all derivatives
// that could be judged fit it, to within the noise of the differences.
#include <string>
#include <vector>

#include "tensor/shape.h"

namespace gradus {

enum class Judgement { Right, Wrong, Unjudged };

/// A derivative with respect to one number.
struct Compared {
  double got = 0;    // from backward
  double want = 0;   // from differences
  double noise = 0;  // what `want` may be off by
  Judgement judgement = Judgement::Right;
};

/// All derivatives of an input of this shape, and which of them the message is about.
std::string likely_cause(const std::vector<Compared>& all, const Shape& shape, size_t worst);

}  // namespace gradus
