#pragma once
// An average of the weights over the last part of a training. Each step is thrown to and fro by its
// batch; the average is not, and often has a lower loss than the last weights.
//
//   AveragedWeights average(model.parameters(), 0.999);
//   …                     // after each step: average.update();
//   average.swap();       // the model has the averages: validate or save it
//   average.swap();       // and trains on from where it was
#include <optional>
#include <vector>

#include "tensor/tensor.h"

namespace gradus {

/// torch.optim.swa_utils.AveragedModel's averages of `params`. The first update() copies the
/// values. The n-th does a += (p - a) / n, so that all count alike (Izmailov et al. 2018, Averaging
/// Weights Leads to Wider Optima and Better Generalization). Given a decay it does
/// a = decay a + (1 - decay) p, so that older ones count ever less. ValueError: the decay is not in
/// [0, 1], or a parameter is undefined.
class AveragedWeights {
 public:
  explicit AveragedWeights(std::vector<Tensor> params,
                           std::optional<double> ema_decay = std::nullopt);

  /// Takes in the parameters' present values.
  void update();
  /// Exchanges the values of averages and parameters. ValueError before the first update().
  void swap();
  int64_t n_averaged() const { return n_averaged_; }

 private:
  std::vector<Tensor> params_, averages_;
  std::optional<double> ema_decay_;
  int64_t n_averaged_ = 0;
};

}  // namespace gradus
