// Recording: a node per operation, an edge per input; nothing at all where no gradient is needed.
#include "autograd/record.h"

#include <algorithm>

#include "autograd/debug.h"

namespace gradus {

namespace {
thread_local bool recording = true;
}

bool grad_enabled() { return recording; }
GradMode::GradMode(bool on) : previous_(recording) { recording = on; }
GradMode::~GradMode() { recording = previous_; }

Node::Node() : sequence(next_event()) {}

// Destroying a long graph must not recurse, or 300,000 operations would overflow the stack. So
// while one node is destroyed, the nodes that it releases only hand over their bodies.
Node::~Node() {
  static thread_local std::vector<Body>* waiting = nullptr;
  if (waiting) {
    waiting->push_back(std::move(body));
    return;
  }
  std::vector<Body> bodies;
  waiting = &bodies;
  bodies.push_back(std::move(body));
  while (!bodies.empty()) {
    const Body last = std::move(bodies.back());
    bodies.pop_back();
  }
  waiting = nullptr;
}

namespace {

Edge edge_to(const Tensor& input, Vjp vjp) {
  const std::shared_ptr<Node>& node = input.impl()->node;
  return {node,          node ? Tensor() : input, input.shape(),
          input.dtype(), std::move(vjp),          input.requires_grad()};
}

std::shared_ptr<Node> attach(std::string_view op, Tensor& value) {
  // The value may be the handle of an input; the node needs one of its own.
  if (value.impl_ptr().use_count() > 1) value = value.detach();
  auto node = std::make_shared<Node>();
  node->op = op;
  node->shape = value.shape();
  value.impl()->node = node;
  return node;
}

Tensor finish(std::string_view op, Tensor value, std::vector<Edge> edges) {
  const bool wants_output =
      std::any_of(edges.begin(), edges.end(), [](const Edge& e) { return e.vjp.wants_output; });
  const std::shared_ptr<Node> node = attach(op, value);
  if (wants_output) node->body.output = value.detach();
  node->body.edges = std::move(edges);
  return value;
}

}  // namespace

Tensor record(std::string_view op, Tensor value, std::initializer_list<Input> inputs) {
  debug_check_finite(op, value);
  if (!recording) return value;
  std::vector<Edge> edges;
  for (const Input& input : inputs)
    if (input.tensor.requires_grad()) edges.push_back(edge_to(input.tensor, input.vjp));
  return edges.empty() ? value : finish(op, std::move(value), std::move(edges));
}

Tensor record(std::string_view op, Tensor value, std::vector<Tensor> inputs,
              std::vector<Vjp> vjps) {
  debug_check_finite(op, value);
  if (!recording) return value;
  std::vector<Edge> edges;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].requires_grad()) edges.push_back(edge_to(inputs[i], std::move(vjps[i])));
  return edges.empty() ? value : finish(op, std::move(value), std::move(edges));
}

Tensor record_fused(std::string_view op, Tensor value, std::vector<Tensor> inputs, JointVjp joint,
                    Composite composite) {
  debug_check_finite(op, value);
  if (!recording) return value;
  std::vector<Edge> edges;
  bool any = false;
  for (const Tensor& input : inputs) {
    edges.push_back(edge_to(input, {}));
    any |= input.requires_grad();
  }
  if (!any) return value;
  const std::shared_ptr<Node> node = attach(op, value);
  node->body.output = value.detach();
  node->body.edges = std::move(edges);
  node->body.joint = std::move(joint);
  node->body.composite = std::move(composite);
  node->body.inputs = std::move(inputs);
  return value;
}

}  // namespace gradus
