// There is one pool of threads, OpenMP's, and a loop runs on one of them or on all: g++'s OpenMP
// ends the threads that a smaller team does not need, and to start them again takes ten times as
// long as to wake them.
#include "tensor/cpu/parallel.h"

#include <omp.h>
#include <pthread.h>

#include <atomic>
#include <exception>

#include "tensor/error.h"
#include "tensor/runtime.h"

namespace gradus {

namespace {

/// What a piece throws (out of memory, say) must not leave it inside of OpenMP, which would end the
/// program: the first one is kept here, and thrown on once all are done.
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

constinit thread_local cpu::DryRun* dry_run = nullptr;

std::atomic<bool> forked{false};

/// OpenMP's threads do not live on in a forked child, which would wait for them for ever. Called
/// before the first parallel work, this makes a child work on one thread: the same bits, only
/// slower.
void survive_forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] {
    forked = true;
    omp_set_num_threads(1);
  });
  (void)registered;
}

}  // namespace

void cpu::run_pieces(int64_t count, int64_t work, Share share, const void* loop,
                     void (*piece_of)(const void* loop, int64_t piece)) {
  if (dry_run) return dry_run->loops.push_back({count, work});
  if (count <= 1 || omp_get_max_threads() == 1 || omp_in_parallel()) {
    for (int64_t i = 0; i < count; ++i) piece_of(loop, i);
    return;
  }
  survive_forks();
  FirstError error;
  if (share == Share::Alike) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; ++i) error.guard([&] { piece_of(loop, i); });
  } else {
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < count; ++i) error.guard([&] { piece_of(loop, i); });
  }
  error.rethrow();
}

cpu::DryRun::DryRun() { dry_run = this; }
cpu::DryRun::~DryRun() { dry_run = nullptr; }

void set_num_threads(int n) {
  check<ValueError>(n >= 1, "set_num_threads: {} threads; at least one is needed", n);
  check<Error>(!forked || n == 1,
               "set_num_threads: {} threads in a forked child, where OpenMP's threads do not live "
               "on: work on one, or restart the child (exec, or Python's \"spawn\")",
               n);
  omp_set_num_threads(n);
}
int get_num_threads() { return omp_get_max_threads(); }

}  // namespace gradus
