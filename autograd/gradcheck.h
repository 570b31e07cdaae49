#pragma once
// Is a derivative right? Compare it with central differences, in double precision:
//   d(u . f)/dx_j  ≈  (u . f(x + h e_j) - u . f(x - h e_j)) / 2h,   error O(h^2) + O(roundoff / h)
// for EVERY index j, and for a RANDOM upstream gradient u: with u all ones, a softmax backward that
// returns zeros would pass, because its outputs always sum to 1.
//
//   auto r = gradcheck([](const auto& in) { return my_op(in[0], in[1]); },
//                      {randn({2, 3}, F64), randn({3}, F64)});
//   if (!r.ok) puts(r.message.c_str());
#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace gradus {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

struct GradcheckOptions {
  double step = 1e-5;                    // h
  double tolerance = 1e-6;               // largest relative error accepted
  uint64_t seed = 1;                     // of the upstream gradient
  std::vector<bool> differentiate = {};  // which inputs; empty: every floating one
};

struct GradcheckResult {
  bool ok = true;
  /// Largest |analytic - numeric| / max(|analytic|, |numeric|, s), s the root mean square of the
  /// numeric gradient of that input, at least 1e-4: an element near 0 is judged by the size of its
  /// neighbours, and a gradient of zeros is not judged by the noise of the differences.
  double worst_error = 0;
  int64_t checked = 0;  // how many derivatives were compared
  std::string message;  // of the worst one, if not ok: input, index, expected, got, likely cause
};

/// Checks d f / d inputs. Inputs are copied. DTypeError unless floating inputs are F64.
GradcheckResult gradcheck(const Function& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

/// Checks the second derivatives: gradcheck of the function (x, u) -> w . d(u . f)/dx, w random.
GradcheckResult gradgradcheck(const Function& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {});

}  // namespace gradus
