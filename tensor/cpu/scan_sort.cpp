// Along the last dimension, any strides: the place of the largest or smallest, running sums, and
// the k first in order. NaN counts as the largest number, as in PyTorch: argmax and argmin name the
// first NaN, a sort puts NaN beyond infinity. Among equals the lower index comes first.
// topk keeps a buffer of 2k candidates: a value enters it only if it beats the k-th best seen at
// the last clean-up; a full buffer is cleaned by selection (Hoare's quickselect) to the best k.
// Most of a long row fails one comparison, which vectorises; with k = size this is a plain sort.
#include <type_traits>
#include <vector>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/lines.h"
#include "tensor/order.h"

namespace gradus::cpu {
namespace {

constexpr int64_t kBlock = 64;  // elements that are compared with the threshold at once

// A 0-d tensor is a line of one element.
int64_t last_size(const View& x) { return x.ndim == 0 ? 1 : x.sizes[x.ndim - 1]; }
int64_t last_stride(const View& x) { return x.ndim == 0 ? 1 : x.strides[x.ndim - 1]; }

/// Is wanted(x) true anywhere in a block? Without an early exit, so that the loop vectorises.
template <class T, class F>
bool any(const T* x, int64_t n, int64_t stride, F wanted) {
  int count = 0;
  if (stride == 1)
    for (int64_t i = 0; i < n; ++i) count += wanted(x[i]);
  else
    for (int64_t i = 0; i < n; ++i) count += wanted(x[i * stride]);
  return count > 0;
}

// A block is looked at one by one only if something in it beats the best so far.
template <class T>
int64_t arg_line(ArgOp op, const T* x, int64_t n, int64_t stride) {
  const auto search = [&](auto beats) {
    int64_t best = 0;
    T value = x[0];
    for (int64_t begin = 0; begin < n; begin += kBlock) {
      const int64_t end = std::min(n, begin + kBlock);
      if (!any(x + begin * stride, end - begin, stride, [=](T v) { return beats(v, value); }))
        continue;
      for (int64_t i = begin; i < end; ++i) {
        if (!beats(x[i * stride], value)) continue;
        best = i;
        value = x[i * stride];
      }
    }
    return best;
  };
  if (op == ArgOp::Max) return search([](T a, T b) { return a > b || (is_nan(a) && !is_nan(b)); });
  return search([](T a, T b) { return a < b || (is_nan(a) && !is_nan(b)); });
}

template <class T>
struct Candidate {
  T value;
  int64_t index;
};

template <class T>
class TopK {
 public:
  TopK(int64_t k, bool descending) : k_(k), descending_(descending) {}

  /// The k first of a line, in order.
  const std::vector<Candidate<T>>& operator()(const T* x, int64_t n, int64_t stride) {
    candidates_.clear();
    candidates_.reserve(static_cast<size_t>(std::min(n, 2 * k_ + kBlock)));
    for (int64_t begin = 0; begin < n; begin += kBlock) {
      const int64_t end = std::min(n, begin + kBlock);
      if (has_threshold_ && !any_enters(x, begin, end, stride)) continue;
      for (int64_t i = begin; i < end; ++i)
        if (enters(x[i * stride])) candidates_.push_back({x[i * stride], i});
      if (static_cast<int64_t>(candidates_.size()) >= 2 * k_ && end < n) keep_best();
    }
    keep_best();
    std::sort(candidates_.begin(), candidates_.end(), order());
    has_threshold_ = false;
    return candidates_;
  }

 private:
  bool enters(T value) const { return !has_threshold_ || before(value, threshold_, descending_); }

  bool any_enters(const T* x, int64_t begin, int64_t end, int64_t stride) const {
    const T t = threshold_, *from = x + begin * stride;
    if (descending_) return any(from, end - begin, stride, [t](T v) { return before(v, t, true); });
    return any(from, end - begin, stride, [t](T v) { return before(v, t, false); });
  }

  // A total order, so that any sort is a stable one.
  auto order() const {
    return [descending = descending_](const Candidate<T>& a, const Candidate<T>& b) {
      if (before(a.value, b.value, descending)) return true;
      if (before(b.value, a.value, descending)) return false;
      return a.index < b.index;
    };
  }

  void keep_best() {
    const auto kth = static_cast<std::ptrdiff_t>(k_);
    if (static_cast<int64_t>(candidates_.size()) <= k_) return;
    std::nth_element(candidates_.begin(), candidates_.begin() + (kth - 1), candidates_.end(),
                     order());
    candidates_.resize(static_cast<size_t>(k_));
    threshold_ = candidates_.back().value;
    has_threshold_ = true;
  }

  int64_t k_;
  bool descending_;
  bool has_threshold_ = false;
  T threshold_{};
  std::vector<Candidate<T>> candidates_;
};

}  // namespace

void CpuBackend::arg_reduce(ArgOp op, const View& x, const View& out) {
  const Lines lines(x, x.ndim - 1);
  const int64_t n = last_size(x), stride = last_stride(x);
  dispatch(x.dtype, [&]<class T>() {
    parallel_items(lines.count, n, [&](int64_t line) {
      out.as<int64_t>()[lines.offset(out, line)] =
          arg_line(op, x.as<T>() + lines.offset(x, line), n, stride);
    });
  });
}

void CpuBackend::cumsum(const View& x, const View& out) {
  const Lines lines(x, x.ndim - 1);
  const int64_t n = last_size(x), from_stride = last_stride(x), to_stride = last_stride(out);
  dispatch(x.dtype, [&]<class T>() {
    // Errors of a running sum add up, so float sums run in double.
    using Sum = std::conditional_t<std::is_same_v<T, float>, double, T>;
    parallel_items(lines.count, n, [&](int64_t line) {
      const T* from = x.as<T>() + lines.offset(x, line);
      T* to = out.as<T>() + lines.offset(out, line);
      Sum sum = 0;
      for (int64_t i = 0; i < n; ++i) {
        sum += from[i * from_stride];
        to[i * to_stride] = static_cast<T>(sum);
      }
    });
  });
}

void CpuBackend::topk(const View& x, bool largest, const View& values, const View& indices) {
  const Lines lines(x, x.ndim - 1);
  const int64_t n = last_size(x), k = last_size(values), stride = last_stride(x);
  const int64_t value_stride = last_stride(values), index_stride = last_stride(indices);
  if (k == 0) return;
  dispatch(x.dtype, [&]<class T>() {
    parallel_for(lines.count, n, [&](int64_t begin, int64_t end) {
      TopK<T> best(k, largest);
      for (int64_t line = begin; line < end; ++line) {
        T* value = values.as<T>() + lines.offset(values, line);
        int64_t* index = indices.as<int64_t>() + lines.offset(indices, line);
        for (const Candidate<T>& c : best(x.as<T>() + lines.offset(x, line), n, stride)) {
          *value = c.value;
          *index = c.index;
          value += value_stride;
          index += index_stride;
        }
      }
    });
  });
}

}  // namespace gradus::cpu
