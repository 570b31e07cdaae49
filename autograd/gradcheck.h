#pragma once
// Is a derivative right? Compare it with central differences, in double precision:
//   d(u . f)/dx_j  ≈  (u . f(x + h e_j) - u . f(x - h e_j)) / 2h,   error O(h^2) + O(noise / h)
// for EVERY index j, and for a RANDOM upstream gradient u: with u all ones, a softmax backward that
// returns zeros would pass, because its outputs always sum to 1.
//
//   auto r = gradcheck([](const auto& in) { return my_op(in[0], in[1]); },
//                      {randn({2, 3}, F64), randn({3}, F64)});
//   if (!r.ok) puts(r.message.c_str());
//
// h scales with x_j. Where the first difference does not agree with backward, many steps are tried
// (differences.h). They give a bound on their own error, and no derivative within it is called
// wrong. So there are three answers: right, wrong, and "the differences are too coarse to judge".
// Where f goes through float32, or has a kink or a jump at x, a disagreement is not judged.
#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace gradus {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

struct GradcheckOptions {
  double step = 1e-5;                    // h of the first difference, relative to |x_j|
  double tolerance = 1e-6;               // the largest relative error that is accepted
  uint64_t seed = 1;                     // of the upstream gradient
  std::vector<bool> differentiate = {};  // which inputs to check; empty: every floating one
};

struct GradcheckResult {
  bool ok = true;        // every derivative could be judged, and is right
  int64_t checked = 0;   // how many derivatives were compared
  int64_t wrong = 0;     // how many disagree with the differences by more than their noise
  int64_t unjudged = 0;  // how many could be neither confirmed nor refuted
  /// The largest (|analytic - numeric| - noise) / max(|analytic|, |numeric|, s / 1000) of those
  /// judged. s is the root mean square of that input's gradient, noise the error of the
  /// differences.
  double worst_error = 0;
  /// Empty if ok. Otherwise about the worst derivative: input, index, expected, got, likely cause.
  /// If none is wrong, about one that could not be judged: the estimate, its uncertainty, and the
  /// reason: values too large beside their change, float32 inside f, a kink or a jump, or f not
  /// finite nearby.
  std::string message;
  /// Not ok, but nothing is known to be wrong.
  bool inconclusive() const { return !ok && wrong == 0; }
};

/// Checks d f / d inputs. Inputs are copied. DTypeError unless floating inputs are F64 and f's
/// output is floating. ValueError if f is random (seed its numbers inside f), or if there is
/// nothing to check.
GradcheckResult gradcheck(const Function& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

/// Checks second derivatives: gradcheck of the function (x, u) -> d(u . f)/dx.
GradcheckResult gradgradcheck(const Function& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {});

}  // namespace gradus
