#pragma once
// An optimizer holds handles to parameters and, for each, what it remembers (a momentum, an average
// of squares). A step is one pass of one kernel over all parameters, gradients and memories:
//
//   AdamW opt(model.parameters(), 3e-4, {.weight_decay = 0.1});
//   for (int64_t step = 0; step < steps; ++step) {
//     opt.lr = schedule(step);
//     opt.zero_grad();
//     backward(loss());
//     clip_grad_norm(model.parameters(), 1.0);
//     opt.step();
//   }
//
// The update formulas, the defaults and the names of the state are torch.optim's.
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tensor/raw.h"

namespace gradus {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Parameters that share settings.
struct ParamGroup {
  std::vector<Tensor> params;
  std::optional<double> weight_decay = std::nullopt;  // the optimizer's, unless given
  double lr_scale = 1;                                // this group's rate is lr * lr_scale
};

/// Two groups: what has two dimensions or more (weights, embeddings) decays by weight_decay, what
/// has fewer (biases, norms) does not. A decay of a bias would only pull the output toward 0.
///   AdamW opt(decay_groups(model.parameters(), 0.1), 3e-4);
/// ValueError: a parameter is undefined. A group without parameters is left out.
std::vector<ParamGroup> decay_groups(const std::vector<Tensor>& params, double weight_decay);

/// The parameters that are not frozen: those that require a gradient.
///   SGD opt(trainable(model.parameters()), 0.1);
std::vector<Tensor> trainable(const std::vector<Tensor>& params);

class Optimizer {
 public:
  Optimizer(Optimizer&&) = default;  // a copy would step the same state twice
  Optimizer& operator=(Optimizer&&) = default;
  virtual ~Optimizer() = default;

  double lr;

  /// Updates, in place, every parameter that has a gradient, and skips the others. A gradient that
  /// is not finite is used as it is, so that the loss shows it; clip_grad_norm refuses it before.
  /// ValueError: lr is negative or not finite.
  void step();
  /// Drops the gradients; a parameter that the next backward does not reach is then skipped.
  void zero_grad() const;

  /// What a resumed run needs beside the options that the optimizer is built with, as tensors:
  /// "AdamW.lr", by the optimizer's name; per parameter, by its position, "3.step", "3.exp_avg", ….
  /// The tensors are the live ones: save or clone what you want to keep.
  NamedTensors state_dict() const;
  /// Copies such a state in. ValueError lists what does not fit, and nothing has changed then: it
  /// is another kind of optimizer's or other parameters', a name is given twice, a step is below 1
  /// or above 2^53, a mean of squares is negative.
  void load_state_dict(const NamedTensors& state);

  const std::vector<ParamGroup>& groups() const { return groups_; }

 protected:
  /// `kind` names the optimizer in its state, `slots` the tensors kept per parameter; one called
  /// "…_sq" or "square…" is a mean of squares. ValueError: no parameters, one given twice or not
  /// contiguous, a negative rate or decay. GradError: one that requires no gradient.
  Optimizer(std::string kind, std::vector<ParamGroup> groups, double rate, double weight_decay,
            std::vector<std::string> slots);
  struct Step {
    double lr, weight_decay;
    int64_t number;  // 1, 2, 3, …
  };
  /// Changes parameters, in place, that make the same step.
  virtual void update(const Step& s, std::span<const raw::Parameter> parameters) = 0;

 private:
  struct State {
    int64_t step = 0;
    std::vector<Tensor> slots;
  };
  std::string kind_;
  std::vector<ParamGroup> groups_;
  std::vector<std::string> slot_names_;
  std::vector<State> states_;  // one per parameter, in the order of the groups
};

/// Several optimizers as one, each with parameters of its own:
///   Optimizers both{muon, adamw};
///   for (Optimizer& opt : both) opt.lr = schedule(step);
///   both.zero_grad();
///   …
///   both.step();
/// They must outlive it. ValueError: there are none, or two have a parameter in common.
class Optimizers {
 public:
  Optimizers(Optimizer& one) : Optimizers({std::ref(one)}) {}
  Optimizers(std::initializer_list<std::reference_wrapper<Optimizer>> several);

  void step();
  void zero_grad() const;
  /// One's state is its own. Of several, names begin with the optimizer's place: "0/Muon.lr".
  NamedTensors state_dict() const;
  /// As Optimizer::load_state_dict. If a state does not fit one of them, nothing has changed.
  void load_state_dict(const NamedTensors& state);

  auto begin() const { return optimizers_.begin(); }
  auto end() const { return optimizers_.end(); }

 private:
  std::vector<std::reference_wrapper<Optimizer>> optimizers_;
};

struct SgdOptions {
  double momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
};
/// g += wd p; b = mu b + (1 - dampening) g (b = g at first); p -= lr b; Nesterov: p -= lr (g + mu
/// b). Sutskever et al., On the Importance of Initialization and Momentum (2013), section 2.
/// ValueError: Nesterov without momentum or with dampening.
class SGD final : public Optimizer {
 public:
  SGD(std::vector<ParamGroup> groups, double rate, SgdOptions options = {});
  SGD(std::vector<Tensor> params, double rate, SgdOptions options = {});

 private:
  void update(const Step& s, std::span<const raw::Parameter> parameters) override;
  SgdOptions options_;
};

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
};
/// g += wd p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
/// p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps). Kingma & Ba, Adam (2015), algorithm 1.
class Adam : public Optimizer {
 public:
  Adam(std::vector<ParamGroup> groups, double rate = 1e-3, AdamOptions options = {});
  Adam(std::vector<Tensor> params, double rate = 1e-3, AdamOptions options = {});

 protected:
  Adam(std::vector<ParamGroup> groups, double rate, AdamOptions options, bool decoupled);

 private:
  void update(const Step& s, std::span<const raw::Parameter> parameters) override;
  AdamOptions options_;
  bool decoupled_;
};

/// Adam, but the decay acts on the parameter itself, p -= lr wd p, and so is not divided by sqrt v.
/// Loshchilov & Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2.
class AdamW final : public Adam {
 public:
  AdamW(std::vector<ParamGroup> groups, double rate = 1e-3,
        AdamOptions options = {.weight_decay = 0.01});
  AdamW(std::vector<Tensor> params, double rate = 1e-3,
        AdamOptions options = {.weight_decay = 0.01});
};

struct RmspropOptions {
  double alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0;
};
/// g += wd p; v = a v + (1 - a) g^2; p -= lr g / (sqrt v + eps); with momentum mu:
/// b = mu b + g / (sqrt v + eps); p -= lr b. Tieleman & Hinton, 2012, lecture 6e.
class RMSprop final : public Optimizer {
 public:
  RMSprop(std::vector<ParamGroup> groups, double rate = 0.01, RmspropOptions options = {});
  RMSprop(std::vector<Tensor> params, double rate = 0.01, RmspropOptions options = {});

 private:
  void update(const Step& s, std::span<const raw::Parameter> parameters) override;
  RmspropOptions options_;
};

}  // namespace gradus
