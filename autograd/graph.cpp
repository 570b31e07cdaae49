#include "autograd/graph.h"

#include <map>

#include "autograd/node.h"

namespace gradus {

std::string graph_dot(const Tensor& y, const std::vector<std::pair<std::string, Tensor>>& names) {
  check<GradError>(
      y.requires_grad(),
      "graph_dot: the tensor of shape {} has no history: none of its inputs requires a gradient",
      y.shape());
  std::map<const Tensor::Impl*, std::string> name_of;
  for (const auto& [name, tensor] : names) name_of[tensor.impl()] = name;

  std::string out =
      "digraph gradus {\n  rankdir=LR;\n  node [fontname=\"Helvetica\", fontsize=11];\n";
  std::map<uint64_t, const Node*, std::greater<>> queue;  // newest first, as backward walks it
  std::map<const Tensor::Impl*, size_t> leaves;  // numbered as met: the same picture every run
  auto leaf = [&](const Tensor& x) {
    const auto [it, fresh] = leaves.try_emplace(x.impl(), leaves.size());
    if (!fresh) return it->second;
    const std::string label = name_of.contains(x.impl()) ? name_of[x.impl()] + "\\n" : "";
    out +=
        fmt::format("  leaf{} [shape=ellipse, style=filled, fillcolor=\"{}\", label=\"{}{}\"];\n",
                    it->second, x.requires_grad() ? "#cfe8cf" : "#eeeeee", label, x.shape());
    return it->second;
  };
  if (!y.impl()->node)
    leaf(y);
  else
    queue[y.impl()->node->sequence] = y.impl()->node.get();
  while (!queue.empty()) {
    const Node* node = queue.extract(queue.begin()).mapped();
    check<GradError>(!node->released,
                     "graph_dot: the graph was freed by backward; draw it before, or retain it");
    out += fmt::format("  op{} [shape=box, style=rounded, label=\"{}\\n{}\"];\n", node->sequence,
                       node->op, node->shape);
    for (const Edge& edge : node->body.edges) {
      if (edge.node) {
        queue[edge.node->sequence] = edge.node.get();
        out += fmt::format("  op{} -> op{};\n", edge.node->sequence, node->sequence);
      } else if (edge.leaf.defined()) {
        const size_t number = leaf(edge.leaf);
        out += fmt::format("  leaf{} -> op{};\n", number, node->sequence);
      }
    }
  }
  return out + "}\n";
}

}  // namespace gradus
