// What optimizers and gradient clipping do to values: lists of tensors are checked, sorted by
// device and dtype, and each kind is given to its backend at once.
#include <map>

#include "tensor/raw.h"

namespace gradus::raw {

namespace {

using Kind = std::pair<Device, DType>;
using Places = std::vector<size_t>;

/// Which tensors of a list are of which kind; tensor_of(x) is the one that says.
template <class X, class TensorOf>
std::map<Kind, Places> by_kind(const char* op, std::span<const X> list, TensorOf tensor_of) {
  std::map<Kind, Places> kinds;
  for (size_t i = 0; i < list.size(); ++i) {
    const Tensor& x = tensor_of(list[i]);
    check<DTypeError>(x.is_floating_point(), "{}: tensor {} {} is int64; it must be F32 or F64", op,
                      i, x.shape());
    kinds[{x.device(), x.dtype()}].push_back(i);
  }
  return kinds;
}

std::map<Kind, Places> by_kind(const char* op, std::span<const Tensor> xs) {
  return by_kind(op, xs, [](const Tensor& x) -> const Tensor& { return x; });
}

void check_like(const char* op, const char* what, const Tensor& x, const Tensor& value) {
  check<ShapeError>(x.shape() == value.shape(), "{}: a {} {} for a parameter {}", op, what,
                    x.shape(), value.shape());
  check<DTypeError>(x.dtype() == value.dtype(), "{}: a {} of {} for a parameter of {}", op, what,
                    name(x.dtype()), name(value.dtype()));
  check<DeviceError>(x.device() == value.device(), "{}: a {} on {} for a parameter on {}", op, what,
                     name(x.device()), name(value.device()));
}

void check_dense(const char* op, const char* what, const Tensor& x) {
  check<ValueError>(x.is_contiguous(),
                    "{}: a {} {} with gaps cannot be stepped; start from contiguous(x)", op, what,
                    x.shape());
}

/// f(backend, views) for the parameters of each kind, which have `states` states each.
template <class F>
void step(const char* op, size_t states, std::span<const Parameter> parameters, F f) {
  const auto kinds =
      by_kind(op, parameters, [](const Parameter& x) -> const Tensor& { return x.value; });
  for (const Parameter& x : parameters) {
    check_dense(op, "parameter", x.value);
    check_like(op, "gradient", x.gradient, x.value);
    check<ValueError>(x.state.size() == states, "{}: {} states of a parameter {}; it takes {}", op,
                      x.state.size(), x.value.shape(), states);
    for (const Tensor& state : x.state) {
      check_dense(op, "state", state);
      check_like(op, "state", state, x.value);
    }
  }
  for (const auto& [kind, places] : kinds) {
    std::vector<Tensor> gradients;  // contiguous, until the kernel has been called
    std::vector<ParameterViews> views;
    for (const size_t i : places) {
      const Parameter& x = parameters[i];
      gradients.push_back(contiguous(x.gradient));
      ParameterViews& v = views.emplace_back();
      x.value.written();
      v.value = x.value.view();
      v.gradient = gradients.back().view();
      for (size_t s = 0; s < states; ++s) {
        x.state[s].written();
        v.state[s] = x.state[s].view();
      }
    }
    f(backend(kind.first), std::span<const ParameterViews>(views));
  }
}

/// f(backend, views, places) for the tensors of each kind, or contiguous copies of those with gaps.
/// If `changed`, what has become of a copy goes back.
template <class F>
void each_kind(const char* op, bool changed, std::span<const Tensor> xs, F f) {
  for (const auto& [kind, places] : by_kind(op, xs)) {
    std::vector<Tensor> dense;
    std::vector<View> views;
    for (const size_t i : places) {
      if (changed) xs[i].written();
      dense.push_back(contiguous(xs[i]));
      views.push_back(dense.back().view());
    }
    f(backend(kind.first), std::span<const View>(views), places);
    for (size_t j = 0; changed && j < places.size(); ++j)
      if (dense[j].impl() != xs[places[j]].impl()) copy_(xs[places[j]], dense[j]);
  }
}

}  // namespace

void sgd_(const SgdStep& s, std::span<const Parameter> parameters) {
  step("SGD", s.momentum == 0 ? 0 : 1, parameters,
       [&](Backend& b, std::span<const ParameterViews> views) { b.sgd(s, views); });
}
void adam_(const AdamStep& s, std::span<const Parameter> parameters) {
  step(s.decoupled ? "AdamW" : "Adam", 2, parameters,
       [&](Backend& b, std::span<const ParameterViews> views) { b.adam(s, views); });
}
void rmsprop_(const RmspropStep& s, std::span<const Parameter> parameters) {
  step("RMSprop", s.momentum == 0 ? 1 : 2, parameters,
       [&](Backend& b, std::span<const ParameterViews> views) { b.rmsprop(s, views); });
}

std::vector<double> sum_squares(std::span<const Tensor> xs) {
  std::vector<double> sums(xs.size());
  each_kind("sum_squares", false, xs,
            [&](Backend& b, std::span<const View> views, const Places& places) {
              const Tensor out =
                  empty({static_cast<int64_t>(places.size())}, {F64, xs[places[0]].device()});
              b.sum_squares(views, out.view());
              const std::vector<double> values = out.to_vector<double>();
              for (size_t j = 0; j < places.size(); ++j) sums[places[j]] = values[j];
            });
  return sums;
}

void scale_(std::span<const Tensor> xs, double factor) {
  each_kind("scale", true, xs, [&](Backend& b, std::span<const View> views, const Places&) {
    b.scale(factor, views);
  });
}
void clamp_(std::span<const Tensor> xs, double limit) {
  each_kind("clamp", true, xs,
            [&](Backend& b, std::span<const View> views, const Places&) { b.clamp(limit, views); });
}

}  // namespace gradus::raw
