// The engine: a queue of nodes, newest first. Nodes are created in topological order, so when a
// node's turn comes, every gradient that can reach it has arrived. No search, and no recursion.
#include "autograd/engine.h"

#include <map>
#include <mutex>
#include <unordered_map>

#include "autograd/debug.h"
#include "autograd/ops.h"

namespace gradus {

namespace {

struct Arrived {
  std::shared_ptr<Node> node;
  Tensor gradient;
};

/// into += g. In place only where nobody else can see the buffer: z = a + b hands the very same
/// gradient to a and to b, and adding to one must not change the other.
void accumulate(Tensor& into, Tensor g) {
  if (!into.defined())
    into = std::move(g);
  else if (!grad_enabled() && into.unique() && into.is_contiguous())
    raw::add_(into, g);
  else
    into = into + g;
}

/// Leaves may receive several contributions in one pass; hooks see their sum.
struct LeafGradients {
  std::vector<std::pair<Tensor, Tensor>> entries;
  std::unordered_map<const Tensor::Impl*, size_t> index;
  void add(const Tensor& leaf, Tensor g) {
    auto [it, fresh] = index.try_emplace(leaf.impl(), entries.size());
    if (fresh) entries.emplace_back(leaf, Tensor());
    accumulate(entries[it->second].second, std::move(g));
  }
};

using Targets = std::unordered_map<const Node*, std::vector<Tensor*>>;

/// What one backward pass needs to know.
struct Pass {
  BackwardOptions options;
  LeafGradients* leaves = nullptr;  // null: gradients of leaves are dropped
  Targets targets = {};             // interior tensors whose gradients are requested
  bool stop_at_targets = false;     // a composite's inputs are aliases, and the pass ends there
  const Storage* seed = nullptr;    // the caller's own buffer, not one that a closure saved
};

void run(const Tensor& root, const Tensor& seed, const Pass& pass);

Tensor apply_hooks(const std::vector<std::function<Tensor(const Tensor&)>>& hooks, Tensor g) {
  for (const auto& hook : hooks)
    if (Tensor replaced = hook(g); replaced.defined()) {
      check<ShapeError>(replaced.shape() == g.shape(),
                        "hook: returned {} for a gradient of shape {}", replaced.shape(),
                        g.shape());
      check<DTypeError>(replaced.dtype() == g.dtype(), "hook: returned {} for a gradient of {}",
                        name(replaced.dtype()), name(g.dtype()));
      g = std::move(replaced);
    }
  return g;
}

/// A new handle with a node of its own, through which the gradient passes unchanged.
Tensor alias(const Tensor& x) {
  return record("alias", x.detach(), {{x, [](const Tensor& g) { return g; }}});
}

/// The gradients of all inputs of a fused op.
std::vector<Tensor> fused_gradients(const Node& node, const Tensor& g, bool create_graph,
                                    const Storage* seed) {
  if (!create_graph) return node.body.joint(g, node.body.output);
  check<GradError>(static_cast<bool>(node.body.composite),
                   "{}: no second derivative: this fused op has no composite; write it in plain "
                   "ops where its gradient must be differentiated",
                   node.op);
  // The pass runs on aliases and stops there. If it went on through the inputs, it would count the
  // path through h in f(x, h(x)) twice.
  std::vector<Tensor> inputs;
  for (const Tensor& x : node.body.inputs)
    inputs.push_back(x.defined() && x.requires_grad() ? alias(x) : x);
  const Tensor y = node.body.composite(inputs);
  std::vector<Tensor> gradients(inputs.size());
  Pass pass{.options = {.retain_graph = true, .create_graph = true},
            .stop_at_targets = true,
            .seed = seed};
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].defined() && inputs[i].requires_grad())
      pass.targets[inputs[i].impl()->node.get()].push_back(&gradients[i]);
  run(y, g, pass);
  return gradients;
}

/// The gradients of the node's inputs, one per edge; undefined where none is needed.
std::vector<Tensor> input_gradients(const std::shared_ptr<Node>& node, const Tensor& g,
                                    bool create_graph, const Storage* seed) {
  const CheckNanPause pause;
  const SavedTensorsCheck saved(node->op, node->sequence, seed);
  const Node::Body& body = node->body;
  if (body.joint) return fused_gradients(*node, g, create_graph, seed);
  Tensor y;
  if (body.output.defined()) {
    y = body.output.detach();
    if (create_graph) y.impl()->node = node;  // the output again, with its history
  }
  std::vector<Tensor> gradients;
  for (const Edge& edge : body.edges) gradients.push_back(edge.vjp.f(g, y));
  return gradients;
}

/// Undoes broadcasting, for all operations. Refuses what cannot be a gradient of the input.
Tensor unbroadcast(std::string_view op, const Tensor& g, const Edge& edge) {
  check<DTypeError>(g.dtype() == edge.dtype,
                    "{}: its closure returned a gradient of {} for an input of {}", op,
                    name(g.dtype()), name(edge.dtype));
  if (g.shape() == edge.shape) return g;
  const std::optional<Dims> dims = raw::broadcast_dims(edge.shape, g.shape());
  check<ShapeError>(dims.has_value(),
                    "{}: its closure returned a gradient of shape {} for an input of {}", op,
                    g.shape(), edge.shape);
  return reshape(dims->empty() ? g : sum(g, *dims, true), edge.shape);
}

void run(const Tensor& root, const Tensor& seed, const Pass& pass) {
  const BackwardOptions& options = pass.options;
  const bool retain = options.retain_graph || options.create_graph;
  GradMode mode(options.create_graph);
  const auto reach_leaf = [&](const Tensor& leaf, Tensor g) {
    if (pass.leaves) pass.leaves->add(leaf, std::move(g));
  };
  if (!root.impl()->node) return reach_leaf(root, seed);
  std::map<uint64_t, Arrived, std::greater<>> queue;
  queue[root.impl()->node->sequence] = {root.impl()->node, seed};
  while (!queue.empty()) {
    auto [node, g] = std::move(queue.extract(queue.begin()).mapped());
    check<GradError>(!node->released,
                     "backward: the graph through \"{}\" was freed by an earlier backward; pass "
                     "retain_graph to the first one, or compute the forward again",
                     node->op);
    if (!node->hooks.empty()) g = apply_hooks(node->hooks, std::move(g));
    if (auto it = pass.targets.find(node.get()); it != pass.targets.end()) {
      for (Tensor* target : it->second) *target = g;
      if (pass.stop_at_targets) continue;
    }
    std::vector<Tensor> gradients = input_gradients(node, g, options.create_graph, pass.seed);
    g = Tensor();
    for (size_t i = 0; i < gradients.size(); ++i) {
      const Edge& edge = node->body.edges[i];
      if (!edge.needs_grad || !gradients[i].defined()) continue;
      debug_check_finite(node->op, gradients[i], "gradient of an input");
      Tensor gi = unbroadcast(node->op, gradients[i], edge);
      gradients[i] = Tensor();
      if (edge.node) {
        Arrived& next = queue[edge.node->sequence];
        next.node = edge.node;
        accumulate(next.gradient, std::move(gi));
      } else {
        reach_leaf(edge.leaf, std::move(gi));
      }
    }
    if (!retain) {
      node->released = true;
      const Node::Body freed = std::move(node->body);
      node->body = {};
    }
  }
}

/// `seed`, or a one if it is undefined.
Tensor checked_seed(const char* op, const Tensor& root, const Tensor& seed) {
  check_defined(op, root);
  check<GradError>(root.requires_grad(),
                   "{}: the root of shape {} depends on nothing that requires a gradient; call "
                   "set_requires_grad() on a leaf, and record outside NoGrad",
                   op, root.shape());
  if (!seed.defined()) {
    check<ShapeError>(
        root.numel() == 1,
        "{}: the root has shape {}; only a single number has a gradient without a seed: sum it, or "
        "pass a seed of its shape",
        op, root.shape());
    return ones_like(root);
  }
  check<ShapeError>(seed.shape() == root.shape(), "{}: seed {} for a root of shape {}", op,
                    seed.shape(), root.shape());
  check<DTypeError>(seed.dtype() == root.dtype(), "{}: seed {} for a root of {}", op,
                    name(seed.dtype()), name(root.dtype()));
  check<DeviceError>(seed.device() == root.device(), "{}: seed on {} for a root on {}", op,
                     name(seed.device()), name(root.device()));
  return seed;
}

}  // namespace

void backward(const Tensor& root, const Tensor& seed, BackwardOptions options) {
  LeafGradients leaves;
  const Tensor first = checked_seed("backward", root, seed);
  run(root, first, {.options = options, .leaves = &leaves, .seed = first.impl()->storage.get()});
  GradMode mode(options.create_graph);
  static std::mutex adding;  // passes on different threads may share leaves
  for (auto& [leaf, gradient] : leaves.entries) {
    Tensor g = apply_hooks(leaf.impl()->hooks, std::move(gradient));
    const std::lock_guard lock(adding);
    Tensor& slot = leaf.impl()->grad;
    // .grad always owns its buffer: scaling it must not change another leaf's
    if (slot.defined())
      accumulate(slot, std::move(g));
    else if (g.requires_grad())
      slot = g + 0.0;
    else if (g.unique() && g.is_contiguous())
      slot = std::move(g);
    else
      slot = raw::clone(g);
  }
}

std::vector<Tensor> grad(const Tensor& root, const std::vector<Tensor>& inputs,
                         BackwardOptions options, const Tensor& seed) {
  std::vector<Tensor> out(inputs.size());
  LeafGradients leaves;
  Pass pass{.options = options, .leaves = &leaves};
  for (size_t i = 0; i < inputs.size(); ++i) {
    check<GradError>(
        inputs[i].requires_grad(),
        "grad: input {} requires no gradient; call set_requires_grad() on it before the forward",
        i);
    if (inputs[i].impl()->node) pass.targets[inputs[i].impl()->node.get()].push_back(&out[i]);
  }
  const Tensor first = checked_seed("grad", root, seed);
  pass.seed = first.impl()->storage.get();
  run(root, first, pass);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (auto it = leaves.index.find(inputs[i].impl()); it != leaves.index.end())
      out[i] = apply_hooks(inputs[i].impl()->hooks, leaves.entries[it->second].second);
    if (!out[i].defined()) out[i] = zeros_like(inputs[i]);
  }
  return out;
}

void register_hook(const Tensor& x, std::function<Tensor(const Tensor&)> f) {
  check_defined("register_hook", x);
  check<GradError>(x.requires_grad(), "register_hook: the tensor of shape {} requires no gradient",
                   x.shape());
  (x.impl()->node ? x.impl()->node->hooks : x.impl()->hooks).push_back(std::move(f));
}

}  // namespace gradus
