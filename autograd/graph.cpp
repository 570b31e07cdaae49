#include "autograd/graph.h"

#include <map>

namespace gradus {

namespace {

/// The key to a tensor's name: the node that computed it, or else the leaf itself.
const void* key(const Tensor& x) {
  const Tensor::Impl* impl = x.impl();
  return impl->node ? static_cast<const void*>(impl->node.get()) : impl;
}

/// The lines of a label, without the empty ones, escaped for Graphviz's quotes.
std::string label(std::initializer_list<std::string> lines) {
  std::string out;
  for (const std::string& line : lines) {
    if (!out.empty() && !line.empty()) out += "\\n";
    for (const char c : line) {
      if (c == '"' || c == '\\') out += '\\';
      out += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
  }
  return out;
}

/// A single number needs no shape.
std::string shape_line(const Shape& shape) { return shape.size() == 0 ? "" : shape.str(); }

}  // namespace

void for_each_node(const Tensor& y, const std::function<void(const Node&)>& f) {
  std::map<uint64_t, const Node*, std::greater<>> queue;  // as backward walks it
  const auto push = [&](const std::shared_ptr<Node>& node) {
    if (node) queue[node->sequence] = node.get();
  };
  push(y.impl()->node);
  while (!queue.empty()) {
    const Node* node = queue.extract(queue.begin()).mapped();
    f(*node);
    for (const Edge& edge : node->body.edges) push(edge.node);
  }
}

std::string graph_dot(const Tensor& y, const std::vector<std::pair<std::string, Tensor>>& names) {
  check_defined("graph_dot", y);
  check<GradError>(
      y.requires_grad(),
      "graph_dot: the tensor of shape {} has no history: none of its inputs requires a gradient",
      y.shape());
  std::map<const void*, std::string> names_by_key;
  for (const auto& [name, tensor] : names) names_by_key[key(tensor)] = name;
  const auto name_of = [&](const void* k) {
    const auto it = names_by_key.find(k);
    return it == names_by_key.end() ? std::string() : it->second;
  };

  std::string out =
      "digraph gradus {\n  rankdir=LR;\n  node [fontname=\"Helvetica\", fontsize=11];\n";
  // Leaves are numbered as they are met, so that every run gives the same picture.
  std::map<const Tensor::Impl*, size_t> leaves;
  auto leaf = [&](const Tensor& x) {
    const auto [it, fresh] = leaves.try_emplace(x.impl(), leaves.size());
    if (!fresh) return it->second;
    out += fmt::format("  leaf{} [shape=ellipse, style=filled, fillcolor=\"{}\", label=\"{}\"];\n",
                       it->second, x.requires_grad() ? "#cfe8cf" : "#eeeeee",
                       label({name_of(x.impl()), shape_line(x.shape())}));
    return it->second;
  };
  if (y.is_leaf()) leaf(y);
  for_each_node(y, [&](const Node& node) {
    check<GradError>(!node.released,
                     "graph_dot: the graph was freed by backward; draw it before, or retain it");
    out += fmt::format("  op{} [shape=box, style=rounded, label=\"{}\"];\n", node.sequence,
                       label({name_of(&node), std::string(node.op), shape_line(node.shape)}));
    for (const Edge& edge : node.body.edges) {
      if (edge.node) {
        out += fmt::format("  op{} -> op{};\n", edge.node->sequence, node.sequence);
      } else if (edge.leaf.defined()) {
        const size_t number = leaf(edge.leaf);
        out += fmt::format("  leaf{} -> op{};\n", number, node.sequence);
      }
    }
  });
  return out + "}\n";
}

}  // namespace gradus
