// Optimizers: each element of a parameter, its gradient and its state, in one pass; the rules are
// in tensor/optim_ops.h. They are bound by memory: Adam moves 28 bytes per float. Threads share the
// elements of all tensors together, so that a model of many small parameters keeps them busy, too.
#include "tensor/optim_ops.h"

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

#include <vector>

namespace gradus::cpu {
namespace {

constexpr int64_t kAlign = 64;  // parallel_for's

// f(tensor, begin, end) for all elements of all tensors. parallel_for sees them laid end to end,
// each starting at a multiple of kAlign, so each tensor's pieces start at one, too.
template <class F>
void parallel_tensors(const std::vector<int64_t>& sizes, F&& f) {
  std::vector<int64_t> starts{0};
  for (const int64_t n : sizes)
    starts.push_back(starts.back() + (n + kAlign - 1) / kAlign * kAlign);
  const auto work = [&](int64_t begin, int64_t end) {
    const auto after = std::upper_bound(starts.begin(), starts.end(), begin);
    for (auto i = static_cast<size_t>(after - starts.begin()) - 1;
         i < sizes.size() && starts[i] < end; ++i)
      f(i, std::max<int64_t>(begin - starts[i], 0), std::min(end - starts[i], sizes[i]));
  };
  parallel_for(starts.back(), 1, work, kAlign);
}

// rule(p[i], g[i], state[i]…) for i in [begin, end). The rule is a copy that nothing else can
// reach, so its constants stay in registers while p is written.
template <class T, class Rule, class... State>
void update_range(Rule rule, int64_t begin, int64_t end, T* p, const T* g, State*... state) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) rule(p[i], g[i], state[i]...);
}

// The rule for all elements of all parameters, with their first `states` states.
template <class T, int states, class Rule>
void update(const Rule& rule, std::span<const ParameterViews> parameters) {
  std::vector<int64_t> sizes;
  for (const ParameterViews& x : parameters) sizes.push_back(x.value.numel());
  parallel_tensors(sizes, [&](size_t i, int64_t begin, int64_t end) {
    const ParameterViews& x = parameters[i];
    T *p = x.value.as<T>(), *a = x.state[0].as<T>(), *b = x.state[1].as<T>();
    const T* g = x.gradient.as<T>();
    if constexpr (states == 0) update_range(rule, begin, end, p, g);
    if constexpr (states == 1) update_range(rule, begin, end, p, g, a);
    if constexpr (states == 2) update_range(rule, begin, end, p, g, a, b);
  });
}

template <class T, class F>
void map_range(F f, int64_t begin, int64_t end, T* x) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) x[i] = f(x[i]);
}

// f of every element of all tensors, in place.
template <class F>
void map_in_place(F f, std::span<const View> xs) {
  if (xs.empty()) return;
  std::vector<int64_t> sizes;
  for (const View& x : xs) sizes.push_back(x.numel());
  dispatch_float(xs[0].dtype, [&]<class T>() {
    parallel_tensors(sizes, [&](size_t i, int64_t begin, int64_t end) {
      map_range(f, begin, end, xs[i].as<T>());
    });
  });
}

// In double, in which the square of a float neither overflows nor loses a digit; in lanes, whose
// additions do not wait for one another.
template <class T>
double sum_of_squares(const T* x, int64_t n) {
  constexpr int lanes = 32;
  double lane[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
      const double v = x[i + l];
      lane[l] += v * v;
    }
  for (; i < n; ++i) lane[i % lanes] += static_cast<double>(x[i]) * x[i];
  double sum = 0;
  for (const double l : lane) sum += l;
  return sum;
}

constexpr int64_t kPiece = 16384;  // elements that are summed in one go: the cut of a tensor

}  // namespace

void CpuBackend::sgd(const SgdStep& s, std::span<const ParameterViews> parameters) {
  if (parameters.empty()) return;
  dispatch_float(parameters[0].value.dtype, [&]<class T>() {
    const SgdRule<T> rule(s);
    return s.momentum == 0 ? update<T, 0>(rule, parameters) : update<T, 1>(rule, parameters);
  });
}

void CpuBackend::adam(const AdamStep& s, std::span<const ParameterViews> parameters) {
  if (parameters.empty()) return;
  dispatch_float(parameters[0].value.dtype,
                 [&]<class T>() { update<T, 2>(AdamRule<T>(s), parameters); });
}

void CpuBackend::rmsprop(const RmspropStep& s, std::span<const ParameterViews> parameters) {
  if (parameters.empty()) return;
  dispatch_float(parameters[0].value.dtype, [&]<class T>() {
    const RmspropRule<T> rule(s);
    return s.momentum == 0 ? update<T, 1>(rule, parameters) : update<T, 2>(rule, parameters);
  });
}

void CpuBackend::sum_squares(std::span<const View> xs, const View& sums) {
  struct Piece {
    size_t tensor;
    int64_t begin, end;
    double sum;
  };
  std::vector<Piece> pieces;
  for (size_t i = 0; i < xs.size(); ++i)
    for (int64_t at = 0, n = xs[i].numel(); at < n; at += kPiece)
      pieces.push_back({i, at, std::min(at + kPiece, n), 0});
  parallel_items(static_cast<int64_t>(pieces.size()), kPiece, [&](int64_t i) {
    Piece& p = pieces[static_cast<size_t>(i)];
    dispatch_float(xs[p.tensor].dtype, [&]<class T>() {
      p.sum = sum_of_squares(xs[p.tensor].as<const T>() + p.begin, p.end - p.begin);
    });
  });
  double* const out = sums.as<double>();
  std::fill_n(out, xs.size(), 0);
  for (const Piece& p : pieces) out[p.tensor] += p.sum;
}

void CpuBackend::scale(double factor, std::span<const View> xs) {
  map_in_place(scalar::MulScalar{factor}, xs);
}
void CpuBackend::clamp(double limit, std::span<const View> xs) {
  map_in_place(scalar::Clamp{-limit, limit}, xs);
}

}  // namespace gradus::cpu
