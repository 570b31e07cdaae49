#pragma once
// What gradcheck asks of the function that it checks: outputs, gradients, and whether they repeat.
#include "autograd/gradcheck.h"

namespace gradus {

/// The inputs as a check owns them: contiguous copies, leaves.
struct Problem {
  const Function& f;
  std::vector<Tensor> inputs;
  std::vector<bool> wanted;

  Problem(const Function& function, const std::vector<Tensor>& given,
          const GradcheckOptions& options);
  std::vector<double> outputs() const;
  /// f's outputs as inputs[i][j] is x, on whichever device.
  std::vector<double> outputs_at(size_t i, int64_t j, double x) const;
  /// d(upstream . f)/d input at `at`, for each input; undefined for one that is not wanted.
  std::vector<Tensor> gradients(const std::vector<Tensor>& at, const Tensor& upstream) const;
  /// By how much these gradients change if the inputs do in their last digits; per input and element.
  std::vector<std::vector<double>> last_digits(const std::vector<Tensor>& gradients_,
                                               const Tensor& upstream) const;
  /// ValueError if one of `times` more calls of f gives other outputs.
  void refuse_random(int times) const;
};

/// Whether a recorded operation behind y has float32 inputs.
bool uses_float32(const Tensor& y);

/// The gradients of the wanted inputs, in order; zeros where y does not depend on one.
std::vector<Tensor> gradients_of(const Tensor& y, const std::vector<Tensor>& wanted,
                                 const Tensor& upstream, bool create_graph);

}  // namespace gradus
