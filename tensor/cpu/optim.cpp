// Optimizers: each element of a parameter p, its gradient g and its state, in one pass; the rules
// stand in tensor/optim_ops.h. They are bound by memory: Adam moves 28 bytes per float.
#include "tensor/optim_ops.h"

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace gradus::cpu {
namespace {

// rule(p[i], g[i], state[i]…) for i in [begin, end). The rule is a copy that nothing else can reach,
// so its constants stay in registers while p is written.
template <class T, class Rule, class... State>
void update_range(Rule rule, int64_t begin, int64_t end, T* p, const T* g, State*... state) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) rule(p[i], g[i], state[i]...);
}

template <class T, class Rule, class... State>
void update(const Rule& rule, const View& p, const View& g, const State&... state) {
  parallel_for(
      p.numel(), 1,
      [&](int64_t begin, int64_t end) {
        update_range(rule, begin, end, p.as<T>(), static_cast<const T*>(g.as<T>()),
                     state.template as<T>()...);
      },
      64);
}

}  // namespace

void CpuBackend::sgd(const SgdStep& s, const View& p, const View& g, const View& buffer) {
  dispatch_float(p.dtype, [&]<class T>() {
    const SgdRule<T> rule(s);
    return s.momentum == 0 ? update<T>(rule, p, g) : update<T>(rule, p, g, buffer);
  });
}

void CpuBackend::adam(const AdamStep& s, const View& p, const View& g, const View& exp_avg,
                      const View& exp_avg_sq) {
  dispatch_float(p.dtype, [&]<class T>() { update<T>(AdamRule<T>(s), p, g, exp_avg, exp_avg_sq); });
}

void CpuBackend::rmsprop(const RmspropStep& s, const View& p, const View& g, const View& square_avg,
                         const View& buffer) {
  dispatch_float(p.dtype, [&]<class T>() {
    const RmspropRule<T> rule(s);
    return s.momentum == 0 ? update<T>(rule, p, g, square_avg)
                           : update<T>(rule, p, g, square_avg, buffer);
  });
}

}  // namespace gradus::cpu
