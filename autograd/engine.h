#pragma once
// Reverse mode: walk the recorded nodes from the newest to the oldest, hand each node the sum of
// the gradients that reached it, and pass on what its closures return. A closure reads the tensors that it
// saved when it runs; if an optimizer has changed one since the forward, that is a GradError.
//
// Threads: passes over graphs of their own may run at once, also into the same leaves, whose .grad then
// holds the sum (in the order of their ends, so not always to the last bit). A graph, the values of
// parameters (optimizers) and a tensor's hooks belong to one thread at a time.
#include "autograd/record.h"

namespace gradus {

struct BackwardOptions {
  bool retain_graph = false;  // keep what closures saved, for another backward
  bool create_graph = false;  // record the gradient computation too; implies retain_graph
};

/// Adds d root / d leaf to the .grad of every leaf that requires one. root must have one element,
/// or `seed` (root's shape) says what to multiply with. The graph is freed unless retained.
/// GradError: root has no history, or the graph was freed before. ShapeError: root is not a scalar.
/// With create_graph .grad keeps its own history, which holds the leaf: a cycle that is freed only when
/// somebody calls zero_grad(). grad() below makes none.
void backward(const Tensor& root, const Tensor& seed = {}, BackwardOptions options = {});

/// d root / d inputs, as values of their own: touches no .grad. An input that root does not depend
/// on gives zeros. With create_graph the results can be differentiated again.
std::vector<Tensor> grad(const Tensor& root, const std::vector<Tensor>& inputs,
                         BackwardOptions options = {}, const Tensor& seed = {});

/// Calls f with the gradient of x when it is complete, before it is used; f may return another one,
/// or an undefined tensor to leave it. GradError if x requires no gradient.
void register_hook(const Tensor& x, std::function<Tensor(const Tensor&)> f);

}  // namespace gradus
