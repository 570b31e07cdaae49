#pragma once
// One thread pool for everything: OpenMP's. Below the grain size one thread does the work, because
// waking a second costs more than it brings.
// Chunks start at multiples of 64 elements, so that an element is met by the vector loop or by its
// scalar tail whatever the number of threads: the same bits.
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace gradus::cpu {

/// What a piece of parallel work throws (out of memory, say) must not leave it inside of OpenMP, which
/// would end the program: kept here, the first one, and thrown on once all are done.
class FirstError {
 public:
  template <class F>
  void guard(F&& f) noexcept {
    try {
      f();
    } catch (...) {
#pragma omp critical(gradus_first_error)
      if (!error_) error_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

/// OpenMP's threads do not live on in a forked child, which would wait for them for ever. Called before the
/// first parallel work, this makes a child work on one thread: the same bits, only slower.
void survive_forks();

inline constexpr int64_t kGrain = 16384;  // elements of cheap work that are worth a thread

/// f(begin, end) over chunks of [0, n), each a multiple of `align` long but the last.
template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f, int64_t align = 64) {
  const int64_t threads = std::min<int64_t>(omp_get_max_threads(), n / std::max<int64_t>(grain, 1));
  if (threads <= 1 || omp_in_parallel()) {
    if (n > 0) f(int64_t{0}, n);
    return;
  }
  const int64_t chunk = ((n + threads - 1) / threads + align - 1) / align * align;
  survive_forks();
  FirstError error;
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(threads))
  for (int64_t t = 0; t < threads; ++t) {
    const int64_t begin = t * chunk, end = std::min(n, begin + chunk);
    if (begin < end) error.guard([&] { f(begin, end); });
  }
  error.rethrow();
}

/// f(i) for independent pieces of work, `cost` elements each.
template <class F>
void parallel_items(int64_t n, int64_t cost, F&& f) {
  parallel_for(
      n, std::max<int64_t>(1, kGrain / std::max<int64_t>(cost, 1)),
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) f(i);
      },
      1);
}

}  // namespace gradus::cpu
