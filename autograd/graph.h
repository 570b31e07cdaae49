#pragma once
// The recorded graph, to look at.
#include <string>

#include "tensor/tensor.h"

namespace gradus {

/// The graph behind y in Graphviz's language: a box per operation with its name and output shape,
/// an ellipse per leaf with its shape (and name, if it is in `names`), an arrow from input to
/// operation. Render it with `dot -Tsvg`. GradError if y has no history.
std::string graph_dot(const Tensor& y,
                      const std::vector<std::pair<std::string, Tensor>>& names = {});

}  // namespace gradus
