#pragma once
// A module is a bag of named tensors and named modules, and nothing else: what it computes is its
// own operator(), with whatever arguments it needs. `parameter`, `buffer` and `add` are the only
// ways to put something in, so nothing that is trained, saved or moved can be forgotten.
//
//   struct Classifier : Module {
//     explicit Classifier(int64_t hidden)
//         : fc1(add<Linear>("fc1", 784, hidden)), fc2(add<Linear>("fc2", hidden, 10)) {}
//     Tensor operator()(const Tensor& x) const { return fc2(gelu(fc1(x))); }
//     Linear &fc1, &fc2;
//   };
//
// Keep what `parameter` and `buffer` return as `const Tensor`: another tensor put in its place
// would be neither trained nor saved. So `linear.weight = x;` does not compile. Write instead
//   set_values(linear.weight, x);                     other values in the same tensor
//   head(add<Linear>("head", wte.weight))             one tensor in two modules (tied weights)
//   linear.weight.set_requires_grad(false);           frozen: see trainable() in optim/optimizer.h
//
// Children live on the heap: references to them survive a move. A copy would share the weights or
// double them, and neither is what a reader expects: modules move but do not copy.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "autograd/record.h"

namespace gradus {

/// Tensors by name, in the order in which they were registered.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Copies `values` into `parameter`, which stays the same tensor: optimizers and ties stay valid.
/// ShapeError, DTypeError: they differ. Values on another device are brought over.
void set_values(const Tensor& parameter, const Tensor& values);

class Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  virtual ~Module() = default;

  /// Every parameter at or below this module as ("blocks.0.attn.qkv.weight", tensor). A tensor that
  /// is registered twice (tied weights) comes once, under its first name.
  NamedTensors named_parameters() const;
  /// The same tensors in the same order. It makes no names, so it may be asked for at every step.
  std::vector<Tensor> parameters() const;
  /// What is saved and moved but not trained: running means and the like. Each tensor once.
  NamedTensors named_buffers() const;
  /// The modules one level down, and all at or below this one (itself first, under the name "").
  std::vector<std::pair<std::string, Module*>> named_children() const;
  std::vector<std::pair<std::string, const Module*>> named_modules() const;

  /// Training or evaluating: what dropout asks. Everything below follows.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  /// Parameters, then buffers, by name, without history. They share storage with the module: an
  /// optimizer step changes them, so save or clone what you want to keep.
  NamedTensors state_dict() const;
  struct LoadResult {
    std::vector<std::string> missing, unexpected;
  };
  /// Copies the values of `state` into the tensors of this module, which stay the same tensors
  /// (tied weights stay tied, optimizers stay valid). The names of the two must agree; with strict
  /// = false those that do not are left alone and returned. ValueError lists every name that is
  /// missing, unexpected or given twice, and every tensor of another shape or dtype; nothing has
  /// changed then.
  LoadResult load_state_dict(const NamedTensors& state, bool strict = true);

  /// Moves every tensor, or converts the floating-point ones, in place: the handles that optimizers
  /// and tied modules hold follow. Gradients are dropped.
  void to(Device device);
  void to(DType dtype);
  void zero_grad() const;
  /// The number of trained numbers; tied ones count once.
  int64_t num_parameters() const;
  /// A table: each module that has tensors of its own, their shapes, how many numbers they hold.
  std::string summary() const;

 protected:
  /// Registers a tensor that requires a gradient and returns the handle to keep, const. Give a
  /// tensor that another module has registered to tie the two. ValueError: the name is empty or
  /// taken, or the tensor is undefined.
  Tensor parameter(std::string name, Tensor init);
  Tensor buffer(std::string name, Tensor init);
  /// Makes a child M(args…) and returns it. A dot in the name makes a list: "blocks.0", "blocks.1".
  template <class M, class... Args>
  M& add(std::string name, Args&&... args) {
    auto child = std::make_unique<M>(std::forward<Args>(args)...);
    M& reference = *child;
    keep({std::move(name), Kind::Child, {}, std::move(child)});
    return reference;
  }

 private:
  enum class Kind { Parameter, Buffer, Child };
  struct Item {
    std::string name;
    Kind kind;
    Tensor tensor;
    std::unique_ptr<Module> child;
  };
  void keep(Item item);
  struct Named {
    std::string name;
    Kind kind;
    Tensor tensor;
  };
  /// All tensors at or below this module with their full names, tied ones under each of theirs.
  std::vector<Named> tensors() const;
  NamedTensors unique_tensors(Kind kind) const;
  /// The parameters at or below this module that are not in `seen` yet: a walk that makes no names.
  void collect(std::vector<Tensor>& out, std::unordered_set<const void*>& seen) const;
  void replace(const std::function<Tensor(const Tensor&)>& convert);

  bool training_ = true;
  std::vector<Item> items_;
  std::unordered_set<std::string> names_;  // of the items
};

}  // namespace gradus
