// Optimizers: thread i updates element i of a parameter p and of its state, in one pass over memory;
// the rules stand in tensor/optim_ops.h. Bytes an element, read and written, in F32:
//   SGD 12, with momentum 20;   RMSprop 20, with momentum 28;   Adam and AdamW 28.
#include "tensor/optim_ops.h"

#include "cuda/cuda_backend.h"
#include "cuda/launch.h"

namespace gradus::cuda {

/// rule(p, g, state…) for every element; `state` is none, one or two arrays of p's length.
template <class T, class Rule, class... State>
__global__ void update_kernel(Rule rule, int64_t n, T* p, const T* g, State*... state) {
  for (int64_t i = first_element(); i < n; i += element_step()) rule(p[i], g[i], state[i]...);
}

namespace {

template <class T, class Rule, class... State>
void update(const Rule& rule, cudaStream_t stream, const View& p, const View& g, State*... state) {
  const int64_t n = p.numel();
  if (n == 0) return;
  launch<update_kernel<T, Rule, State...>>(elements(n, stream), rule, n, p.as<T>(), g.as<T>(),
                                           state...);
}

}  // namespace

void CudaBackend::sgd(const SgdStep& s, const View& p, const View& g, const View& buffer) {
  dispatch_float(p.dtype, [&]<class T>() {
    const SgdRule<T> rule(s);
    if (s.momentum == 0) return update<T>(rule, stream(), p, g);
    update<T>(rule, stream(), p, g, buffer.as<T>());
  });
}

void CudaBackend::adam(const AdamStep& s, const View& p, const View& g, const View& exp_avg,
                       const View& exp_avg_sq) {
  dispatch_float(p.dtype, [&]<class T>() {
    update<T>(AdamRule<T>(s), stream(), p, g, exp_avg.as<T>(), exp_avg_sq.as<T>());
  });
}

void CudaBackend::rmsprop(const RmspropStep& s, const View& p, const View& g,
                          const View& square_avg, const View& buffer) {
  dispatch_float(p.dtype, [&]<class T>() {
    const RmspropRule<T> rule(s);
    if (s.momentum == 0) return update<T>(rule, stream(), p, g, square_avg.as<T>());
    update<T>(rule, stream(), p, g, square_avg.as<T>(), buffer.as<T>());
  });
}

}  // namespace gradus::cuda
