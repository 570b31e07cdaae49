#pragma once
// The layers. Each owns its parameters, and its call is one function of autograd/ops.h, which gives
// the formula and the derivative. Names and initial values are PyTorch's.
#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/module.h"

namespace gradus {

/// x W^T + b: (…, in) -> (…, out); weight (out, in), bias (out,) or none. Both begin as
/// U(-1/sqrt(in), 1/sqrt(in)), which is PyTorch's choice.
struct Linear : Module {
  Linear(int64_t in, int64_t out, bool with_bias = true);
  /// Around existing tensors: `add<Linear>("head", wte.weight)` ties the two. weight (out, in).
  explicit Linear(const Tensor& shared_weight, const Tensor& shared_bias = {});
  Tensor operator()(const Tensor& x) const { return linear(x, weight, bias); }
  const Tensor weight, bias;
};

/// A row of `weight` (count, dim) for each id: ids (…) I64 -> (…, dim). Begins as N(0, 1).
struct Embedding : Module {
  Embedding(int64_t count, int64_t dim);
  Tensor operator()(const Tensor& ids) const { return embedding(weight, ids); }
  const Tensor weight;
};

/// Mean 0 and variance 1 over the last dimension, then weight (dim,) and bias (dim,): ones, zeros.
struct LayerNorm : Module {
  explicit LayerNorm(int64_t dim, double epsilon = 1e-5);
  Tensor operator()(const Tensor& x) const { return layer_norm(x, weight, bias, eps); }
  const Tensor weight, bias;
  double eps;
};

/// Mean square 1 over the last dimension, then weight (dim,): cheaper, as it subtracts no mean.
struct RMSNorm : Module {
  explicit RMSNorm(int64_t dim, double epsilon = 1e-6);
  Tensor operator()(const Tensor& x) const { return rms_norm(x, weight, eps); }
  const Tensor weight;
  double eps;
};

/// Zeroes with probability p and scales by 1 / (1 - p) while training; x itself otherwise. Draws
/// from default_generator(). Srivastava et al., JMLR 15 (2014). ValueError for p outside [0, 1].
struct Dropout : Module {
  explicit Dropout(double probability = 0.5);
  Tensor operator()(const Tensor& x) const { return training() && p > 0 ? dropout(x, p) : x; }
  double p;
};

/// (B, …) -> (B, everything else).
struct Flatten : Module {
  Tensor operator()(const Tensor& x) const { return flatten(x, 1); }
};

/// A function as a module, for Sequential. In a model of your own, call the function.
template <Tensor (*function)(const Tensor&)>
struct Activation : Module {
  Tensor operator()(const Tensor& x) const { return function(x); }
};
using ReLU = Activation<relu>;
using Tanh = Activation<tanh>;
using Sigmoid = Activation<sigmoid>;
using SiLU = Activation<silu>;
using Softplus = Activation<softplus>;
struct GELU : Module {
  explicit GELU(GeluForm gelu_form = GeluForm::Erf) : form(gelu_form) {}
  Tensor operator()(const Tensor& x) const { return gelu(x, form); }
  GeluForm form;
};
struct LeakyReLU : Module {
  explicit LeakyReLU(double negative_slope = 0.01) : slope(negative_slope) {}
  Tensor operator()(const Tensor& x) const { return leaky_relu(x, slope); }
  double slope;
};

/// Modules of any types, one after the other. The children are named "0", "1", …:
///   Sequential net(Linear(2, 16), Tanh(), Linear(16, 2));
///   net.append<Dropout>(0.1);
/// Each step remembers how to call its module, so Module needs no virtual forward.
class Sequential : public Module {
 public:
  template <std::derived_from<Module>... Ms>
  explicit Sequential(Ms... modules) {
    (append<Ms>(std::move(modules)), ...);
  }
  template <std::derived_from<Module> M, class... Args>
  Sequential& append(Args&&... args) {
    M& module = add<M>(std::to_string(steps_.size()), std::forward<Args>(args)...);
    steps_.push_back([&module](const Tensor& x) { return module(x); });
    return *this;
  }
  Tensor operator()(Tensor x) const {
    for (const auto& step : steps_) x = step(x);
    return x;
  }

 private:
  std::vector<std::function<Tensor(const Tensor&)>> steps_;
};

}  // namespace gradus
