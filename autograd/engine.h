#pragma once
// Reverse mode: walk the recorded nodes from the newest to the oldest, hand each node the sum of
// the gradients that reached it, and pass on what its closures return. A closure reads the tensors
// that it saved when it runs; if an optimizer has changed one since the forward, that is a
// GradError.
//
// Threads: passes over different graphs may run at the same time, even into the same leaves. The
// .grad of a shared leaf is the sum, in the order in which the passes end, so its last bits may
// differ from run to run. A graph, the values of parameters, and the hooks of a tensor belong to
// one thread at a time.
#include "autograd/record.h"

namespace gradus {

struct BackwardOptions {
  bool retain_graph = false;  // keep what closures saved, for another backward
  bool create_graph = false;  // record the computation of the gradient, too; implies retain_graph
};

/// Adds d root / d leaf to the .grad of every leaf that requires one. Without a `seed`, root must
/// have one element; a seed has root's shape, and is the gradient that the pass begins with. The
/// graph is freed unless retained. GradError if root has no history, or if its graph was freed
/// before. ShapeError if root is not a single number and there is no seed. With create_graph, .grad
/// keeps its history, which holds the leaf: a reference cycle, until zero_grad() breaks it. grad()
/// below makes none.
void backward(const Tensor& root, const Tensor& seed = {}, BackwardOptions options = {});

/// Returns d root / d inputs, and touches no .grad. For an input that root does not depend on, it
/// returns zeros. With create_graph, the results can be differentiated again.
std::vector<Tensor> grad(const Tensor& root, const std::vector<Tensor>& inputs,
                         BackwardOptions options = {}, const Tensor& seed = {});

/// Calls f with the gradient of x when it is complete, before it is used. f may return another
/// gradient, or an undefined tensor to leave it as it is. GradError if x requires no gradient.
void register_hook(const Tensor& x, std::function<Tensor(const Tensor&)> f);

}  // namespace gradus
