#pragma once
// What recording leaves behind: one Node per operation, holding one closure per input. A closure
// maps the gradient of the loss with respect to the output to the gradient with respect to that
// input (a vector-Jacobian product). Griewank & Walther, Evaluating Derivatives (2008), ch. 3:
// reverse mode.
#include <concepts>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace gradus {

/// g -> the gradient of one input; or (g, y) -> the gradient, where it is cheapest from the output
/// y. A closure receives the output; capturing it would be a reference cycle.
struct Vjp {
  std::function<Tensor(const Tensor& g, const Tensor& y)> f;
  bool wants_output = false;
  Vjp() = default;
  template <class F>
  requires std::invocable<F&, const Tensor&> Vjp(F fn)
      : f([fn = std::move(fn)](const Tensor& g, const Tensor&) { return fn(g); }) {}
  template <class F>
  requires std::invocable<F&, const Tensor&, const Tensor&> Vjp(F fn)
      : f(std::move(fn)), wants_output(true) {}
};

/// The gradients of all inputs of a fused op at once; undefined for an input that needs none.
using JointVjp = std::function<std::vector<Tensor>(const Tensor& g, const Tensor& y)>;
/// A fused op written in differentiable ops: its definition, and the way to second derivatives.
using Composite = std::function<Tensor(std::span<const Tensor> inputs)>;

/// Where a gradient goes: to the node that computed the input, or into a leaf.
struct Edge {
  std::shared_ptr<Node> node;
  Tensor leaf;
  Shape shape;  // of the input, like its dtype; its gradient must have both
  DType dtype;
  Vjp vjp;
  bool needs_grad = true;
};

struct Node {
  std::string_view op;
  uint64_t sequence;  // the order of creation: an input's node comes before this one
  Shape shape;        // of the output
  struct Body {       // everything that backward frees
    std::vector<Edge> edges;
    JointVjp joint;
    Composite composite;
    std::vector<Tensor> inputs;  // of a fused op, for its composite
    Tensor output;               // detached; only if a closure needs it
  } body;
  std::vector<std::function<Tensor(const Tensor&)>> hooks;
  bool released = false;

  Node();
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
};

}  // namespace gradus
