#pragma once
// What gradcheck asks the function that it checks: its outputs, its gradients, and whether a second
// call gives the same outputs.
#include "autograd/gradcheck.h"

namespace gradus {

/// A function and the inputs to check it at.
struct Problem {
  const Function& f;
  std::vector<Tensor> inputs;       // our own: contiguous copies, leaves
  std::vector<bool> differentiate;  // which of the inputs

  Problem(const Function& function, const std::vector<Tensor>& given,
          const GradcheckOptions& options);
  std::vector<double> outputs() const;
  /// f's outputs when inputs[i][j] is x.
  std::vector<double> outputs_at(size_t i, int64_t j, double x) const;
  /// d(upstream . f)/d input at `at`, for each input; undefined if it is not to be differentiated.
  std::vector<Tensor> gradients(const std::vector<Tensor>& at, const Tensor& upstream) const;
  /// By how much `at_inputs`, the gradients at `inputs`, change if the last digits of the inputs
  /// do; for each input, for each element.
  std::vector<std::vector<double>> last_digits(const std::vector<Tensor>& at_inputs,
                                               const Tensor& upstream) const;
  /// ValueError if one of `times` more calls of f gives different outputs.
  void refuse_random(int times) const;
};

/// Whether a recorded operation behind y has float32 inputs.
bool uses_float32(const Tensor& y);

/// d(upstream . y)/d input for each input, in order; zeros where y does not depend on it.
std::vector<Tensor> gradients_of(const Tensor& y, const std::vector<Tensor>& inputs,
                                 const Tensor& upstream, bool create_graph);

}  // namespace gradus
