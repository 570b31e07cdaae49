#pragma once
// What usually causes such a pattern of wrong derivatives. A cause is named only if it explains all
// derivatives that could be judged, to within the noise of the differences.
#include <string>
#include <vector>

#include "tensor/shape.h"

namespace gradus {

enum class Judgement { Right, Wrong, Unjudged };

/// A derivative with respect to one number, from both sides.
struct Compared {
  double got = 0;    // from backward
  double want = 0;   // from differences
  double noise = 0;  // how far `want` may be off
  Judgement judgement = Judgement::Right;
};

/// The likely cause, given all derivatives of an input of this shape. The message is about `worst`.
std::string likely_cause(const std::vector<Compared>& all, const Shape& shape, size_t worst);

}  // namespace gradus
