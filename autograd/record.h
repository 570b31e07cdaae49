#pragma once
// The only two ways to record an operation.
//
//   Tensor mul(const Tensor& a, const Tensor& b) {  // a primitive: the value, a closure per input
//     return record("mul", raw::mul(a, b), {{a, [b](const Tensor& g) { return g * b; }},
//                                           {b, [a](const Tensor& g) { return g * a; }}});
//   }
//
// A primitive's closures are written with differentiable ops, so higher derivatives come for free;
// the engine undoes broadcasting. A fused op brings one backward kernel for all inputs, and the
// composite that defines it: the kernel only makes it fast.
#include <initializer_list>

#include "autograd/node.h"

namespace gradus {

/// Whether operations are being recorded on this thread.
bool grad_enabled();

/// Switches recording on or off for a scope: `NoGrad guard;`. The destructor restores the old mode,
/// after an exception, too.
class GradMode {
 public:
  explicit GradMode(bool on);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool previous_;
};
struct NoGrad : GradMode {
  NoGrad() : GradMode(false) {}
};

struct Input {
  const Tensor& tensor;
  Vjp vjp;
};

/// Returns `value`, with a node if recording is on and an input requires a gradient. The closure of
/// an input that requires none is dropped, with everything it captured.
Tensor record(std::string_view op, Tensor value, std::initializer_list<Input> inputs);
/// The same for any number of inputs (cat).
Tensor record(std::string_view op, Tensor value, std::vector<Tensor> inputs, std::vector<Vjp> vjps);
/// `joint` computes all gradients at once, without recording. If the gradient itself must be
/// differentiable, `composite` is differentiated instead; without a composite, that is a GradError.
Tensor record_fused(std::string_view op, Tensor value, std::vector<Tensor> inputs, JointVjp joint,
                    Composite composite = {});

}  // namespace gradus
