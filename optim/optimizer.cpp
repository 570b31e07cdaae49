// What all optimizers share: groups, state made when it is first needed, saving and loading it; and
// for each of them one call of its kernel for all parameters of a group.
#include "optim/optimizer.h"

#include <cmath>
#include <map>
#include <set>

#include "tensor/raw.h"

namespace gradus {

static void check_range(const char* what, double value, double low, double high) {
  check<ValueError>(value >= low && value < high, "optimizer: {} is {}; it must be in [{}, {})",
                    what, value, low, high);
}

static void check_not_negative(const char* what, double value) {
  check_range(what, value, 0, std::numeric_limits<double>::infinity());
}

std::vector<ParamGroup> decay_groups(const std::vector<Tensor>& params, double weight_decay) {
  ParamGroup decays{{}, weight_decay}, stays{{}, 0.0};
  for (size_t i = 0; i < params.size(); ++i) {
    check<ValueError>(params[i].defined(), "decay_groups: parameter {} is undefined", i);
    (params[i].dim() >= 2 ? decays : stays).params.push_back(params[i]);
  }
  std::vector<ParamGroup> groups;
  for (ParamGroup* group : {&decays, &stays})
    if (!group->params.empty()) groups.push_back(std::move(*group));
  return groups;
}

std::vector<Tensor> trainable(const std::vector<Tensor>& params) {
  std::vector<Tensor> out;
  for (const Tensor& p : params)
    if (p.requires_grad()) out.push_back(p);
  return out;
}

Optimizer::Optimizer(std::string kind, std::vector<ParamGroup> groups, double rate,
                     double weight_decay, std::vector<std::string> slots)
    : lr(rate), kind_(std::move(kind)), groups_(std::move(groups)), slot_names_(std::move(slots)) {
  check_not_negative("the learning rate", rate);
  std::set<const void*> seen;
  for (ParamGroup& group : groups_) {
    if (!group.weight_decay) group.weight_decay = weight_decay;
    check_not_negative("the weight decay", *group.weight_decay);
    check_not_negative("lr_scale", group.lr_scale);
    for (const Tensor& p : group.params) {
      const size_t i = seen.size();
      check<ValueError>(p.defined(), "optimizer: parameter {} is undefined", i);
      check<GradError>(p.requires_grad() && p.is_leaf(),
                       "optimizer: parameter {} {} is not a leaf that requires a gradient: nothing "
                       "would train it; if it is frozen, pass trainable(parameters), else call "
                       "set_requires_grad() on it",
                       i, p.shape());
      check<ValueError>(p.is_contiguous(),
                        "optimizer: parameter {} {} is a view with gaps; start from contiguous(x)",
                        i, p.shape());
      check<ValueError>(seen.insert(p.impl()).second,
                        "optimizer: parameter {} {} was given twice: it would be stepped twice", i,
                        p.shape());
    }
  }
  check<ValueError>(!seen.empty(), "optimizer: there are no parameters; pass model.parameters()");
  states_.resize(seen.size());
}

void Optimizer::step() {
  check_not_negative("lr", lr);
  size_t i = 0;
  for (const ParamGroup& group : groups_) {
    std::map<int64_t, std::vector<raw::Parameter>> by_step;  // one that rested now lags behind
    for (const Tensor& p : group.params) {
      State& state = states_[i++];
      if (!p.grad().defined()) continue;
      if (state.slots.empty())
        for (size_t s = 0; s < slot_names_.size(); ++s) state.slots.push_back(zeros_like(p));
      for (Tensor& slot : state.slots)  // the model may have moved: Module::to
        if (slot.dtype() != p.dtype() || slot.device() != p.device())
          slot = raw::to(raw::to(slot, p.dtype()), p.device());
      by_step[++state.step].push_back({p, p.grad(), state.slots});
    }
    for (const auto& [step, parameters] : by_step)
      update({lr * group.lr_scale, *group.weight_decay, step}, parameters);
  }
}

void Optimizer::zero_grad() const {
  for (const ParamGroup& group : groups_)
    for (const Tensor& p : group.params) p.zero_grad();
}

NamedTensors Optimizer::state_dict() const {
  NamedTensors out{{kind_ + ".lr", full({}, lr, F64)}};
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].step == 0) continue;
    out.emplace_back(fmt::format("{}.step", i), tensor<int64_t>({states_[i].step}, {}));
    for (size_t s = 0; s < slot_names_.size(); ++s)
      out.emplace_back(fmt::format("{}.{}", i, slot_names_[s]), states_[i].slots[s]);
  }
  return out;
}

/// A second moment below zero has no root. A NaN is a run that diverged, and may be saved like any
/// other.
static bool is_negative_square(const std::string& slot, const Tensor& x) {
  const bool is_square = slot.ends_with("_sq") || slot.starts_with("square");
  return is_square && x.numel() > 0 &&
         raw::reduce(scalar::Min{}, raw::reshape(x, {-1}), {0}, false).item() < 0;
}

void Optimizer::load_state_dict(const NamedTensors& state) {
  constexpr int64_t kMostSteps = int64_t{1} << 53;  // the formulas count them in doubles
  std::string wrong;
  std::map<std::string, Tensor> given;
  for (const auto& [name, x] : state)
    if (!given.emplace(name, x).second) wrong += "\n  given twice: " + name;
  const auto take = [&](const std::string& name, const Shape& shape, DType dtype) {
    const auto node = given.extract(name);
    if (node.empty()) {
      wrong += "\n  missing: " + name;
    } else if (const Tensor& x = node.mapped(); !x.defined()) {
      wrong += fmt::format("\n  {}: undefined", name);
    } else if (x.shape() != shape || x.dtype() != dtype) {
      wrong += fmt::format("\n  {}: {} {} here, {} {} in the state", name, gradus::name(dtype),
                           shape, gradus::name(x.dtype()), x.shape());
    } else {
      return x;
    }
    return Tensor();
  };

  const Tensor rate = take(kind_ + ".lr", {}, F64);
  std::vector<State> loaded(states_.size());
  size_t i = 0;
  for (const ParamGroup& group : groups_)
    for (const Tensor& p : group.params) {
      State& s = loaded[i];
      const std::string prefix = fmt::format("{}.", i++);
      if (!given.contains(prefix + "step")) continue;  // never stepped
      if (const Tensor count = take(prefix + "step", {}, I64); count.defined()) {
        s.step = count.item_int();
        if (s.step < 1 || s.step > kMostSteps)
          wrong += fmt::format("\n  {}step: {} is not a step count", prefix, s.step);
      }
      for (const std::string& slot : slot_names_)
        if (const Tensor x = take(prefix + slot, p.shape(), p.dtype()); x.defined()) {
          if (is_negative_square(slot, x))
            wrong += fmt::format("\n  {}{}: a mean of squares is negative", prefix, slot);
          s.slots.push_back(raw::clone(raw::to(x, p.device())));
        }
    }
  for (const auto& [name, _] : given) wrong += "\n  unexpected: " + name;
  check<ValueError>(wrong.empty(),
                    "optimizer: the state does not fit this {}; make the optimizer of the same "
                    "kind, over the same parameters in the same order:{}",
                    kind_, wrong);
  check_not_negative("the saved learning rate", rate.item());
  lr = rate.item();
  states_ = std::move(loaded);
}

// ---- Several as one -----------------------------------------------------------------------------

Optimizers::Optimizers(std::initializer_list<std::reference_wrapper<Optimizer>> several)
    : optimizers_(several) {
  check<ValueError>(!optimizers_.empty(), "optimizers: there are none");
  std::set<const void*> seen;
  for (const Optimizer& opt : optimizers_)
    for (const ParamGroup& group : opt.groups())
      for (const Tensor& p : group.params)
        check<ValueError>(seen.insert(p.impl()).second,
                          "optimizers: a parameter {} is in two of them: it would be stepped twice",
                          p.shape());
}

void Optimizers::step() {
  for (Optimizer& opt : optimizers_) opt.step();
}

void Optimizers::zero_grad() const {
  for (const Optimizer& opt : optimizers_) opt.zero_grad();
}

NamedTensors Optimizers::state_dict() const {
  if (optimizers_.size() == 1) return optimizers_[0].get().state_dict();
  NamedTensors out;
  for (size_t i = 0; i < optimizers_.size(); ++i)
    for (const auto& [name, x] : optimizers_[i].get().state_dict())
      out.emplace_back(fmt::format("{}/{}", i, name), x);
  return out;
}

void Optimizers::load_state_dict(const NamedTensors& state) {
  if (optimizers_.size() == 1) return optimizers_[0].get().load_state_dict(state);
  std::vector<NamedTensors> parts(optimizers_.size()), before;
  for (const auto& [name, x] : state) {
    size_t i = 0;
    while (i < parts.size() && !name.starts_with(fmt::format("{}/", i))) ++i;
    check<ValueError>(i < parts.size(),
                      "optimizers: the state is not that of {} optimizers: unexpected: {}",
                      parts.size(), name);
    parts[i].emplace_back(name.substr(name.find('/') + 1), x);
  }
  try {
    for (size_t i = 0; i < parts.size(); ++i) {
      before.push_back(optimizers_[i].get().state_dict());
      optimizers_[i].get().load_state_dict(parts[i]);
    }
  } catch (const ValueError&) {
    for (size_t i = 0; i < before.size(); ++i) optimizers_[i].get().load_state_dict(before[i]);
    throw;
  }
}

// ---- The optimizers -----------------------------------------------------------------------------

static std::vector<ParamGroup> one_group(std::vector<Tensor> params) {
  return {ParamGroup{std::move(params)}};
}

SGD::SGD(std::vector<ParamGroup> groups, double rate, SgdOptions o)
    : Optimizer("SGD", std::move(groups), rate, o.weight_decay,
                o.momentum != 0 ? std::vector<std::string>{"momentum_buffer"}
                                : std::vector<std::string>{}),
      options_(o) {
  check_not_negative("the momentum", o.momentum);
  check<ValueError>(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
                    "SGD: Nesterov's step needs momentum > 0 and dampening = 0, not {} and {}",
                    o.momentum, o.dampening);
}
SGD::SGD(std::vector<Tensor> params, double rate, SgdOptions o)
    : SGD(one_group(std::move(params)), rate, o) {}

void SGD::update(const Step& s, std::span<const raw::Parameter> parameters) {
  raw::sgd_({s.lr, options_.momentum, options_.dampening, s.weight_decay, options_.nesterov,
             s.number == 1},
            parameters);
}

Adam::Adam(std::vector<ParamGroup> groups, double rate, AdamOptions o, bool decoupled)
    : Optimizer(decoupled ? "AdamW" : "Adam", std::move(groups), rate, o.weight_decay,
                {"exp_avg", "exp_avg_sq"}),
      options_(o),
      decoupled_(decoupled) {
  check_range("beta1", o.beta1, 0, 1);
  check_range("beta2", o.beta2, 0, 1);
  check_not_negative("eps", o.eps);
}
Adam::Adam(std::vector<ParamGroup> groups, double rate, AdamOptions o)
    : Adam(std::move(groups), rate, o, false) {}
Adam::Adam(std::vector<Tensor> params, double rate, AdamOptions o)
    : Adam(one_group(std::move(params)), rate, o, false) {}
AdamW::AdamW(std::vector<ParamGroup> groups, double rate, AdamOptions o)
    : Adam(std::move(groups), rate, o, true) {}
AdamW::AdamW(std::vector<Tensor> params, double rate, AdamOptions o)
    : Adam(one_group(std::move(params)), rate, o, true) {}

void Adam::update(const Step& s, std::span<const raw::Parameter> parameters) {
  raw::adam_(
      {s.lr, options_.beta1, options_.beta2, options_.eps, s.weight_decay, decoupled_, s.number},
      parameters);
}

RMSprop::RMSprop(std::vector<ParamGroup> groups, double rate, RmspropOptions o)
    : Optimizer("RMSprop", std::move(groups), rate, o.weight_decay,
                o.momentum != 0 ? std::vector<std::string>{"square_avg", "momentum_buffer"}
                                : std::vector<std::string>{"square_avg"}),
      options_(o) {
  check_range("alpha", o.alpha, 0, 1);
  check_not_negative("eps", o.eps);
  check_not_negative("the momentum", o.momentum);
}
RMSprop::RMSprop(std::vector<Tensor> params, double rate, RmspropOptions o)
    : RMSprop(one_group(std::move(params)), rate, o) {}

void RMSprop::update(const Step& s, std::span<const raw::Parameter> parameters) {
  raw::rmsprop_({s.lr, options_.alpha, options_.eps, s.weight_decay, options_.momentum},
                parameters);
}

}  // namespace gradus
