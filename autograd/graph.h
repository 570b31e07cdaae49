#pragma once
// The recorded graph, to look at.
#include <string>

#include "tensor/tensor.h"

namespace gradus {

/// The graph behind y in Graphviz's language: a box per operation with its name and output shape,
/// an ellipse per leaf with its shape (none for a single number), an arrow from input to operation.
/// A tensor in `names`, leaf or result, has its name above that; a name may have several lines.
/// Render it with `dot -Tsvg`. GradError if y has no history.
std::string graph_dot(const Tensor& y,
                      const std::vector<std::pair<std::string, Tensor>>& names = {});

}  // namespace gradus
