#pragma once
// The recorded graph: to walk, and to look at.
#include <functional>
#include <string>

#include "autograd/node.h"

namespace gradus {

/// Calls f once for every node behind y, the newest first, so that a node comes before those of its
/// inputs. None, if y is a leaf.
void for_each_node(const Tensor& y, const std::function<void(const Node&)>& f);

/// The graph behind y in Graphviz's language: a box for each operation, with its name and output
/// shape; an ellipse for each leaf, with its shape (a single number shows none); an arrow from each
/// input to its operation. A tensor in `names`, leaf or result, shows its name above the rest; a
/// name may have several lines. Render it with `dot -Tsvg`. GradError if y has no history.
std::string graph_dot(const Tensor& y,
                      const std::vector<std::pair<std::string, Tensor>>& names = {});

}  // namespace gradus
