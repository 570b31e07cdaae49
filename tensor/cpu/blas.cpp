// The choice of OpenBLAS's kernels, repaired.
// Debian 12's OpenBLAS 0.3.21 does not know newer Intel processors and falls back, silently, to its
// oldest kernels: a fifth of the speed where AVX-512 is there. It reads OPENBLAS_CORETYPE before
// main runs, so setting the variable is too late; but a DYNAMIC_ARCH build can be told to choose
// again: gotoblas_dynamic_quit(), setenv, gotoblas_dynamic_init(). Done only if the user has not
// chosen, the kernel in use is weaker than the processor, and the symbols exist; then one product
// is checked, and a wrong result takes the choice back.
#include "tensor/cpu/blas.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "tensor/error.h"
#include "tensor/runtime.h"

extern "C" {
void gotoblas_dynamic_quit(void) __attribute__((weak));
void gotoblas_dynamic_init(void) __attribute__((weak));
char* openblas_get_corename(void) __attribute__((weak));
void openblas_set_num_threads(int) __attribute__((weak));
int openblas_get_num_threads(void) __attribute__((weak));
}

namespace gradus {

namespace {

std::string corename() { return openblas_get_corename ? openblas_get_corename() : "unknown"; }

/// The best kernel that this processor can run, or null where there is nothing to repair.
const char* stronger_kernel(const std::string& current) {
#if defined(__x86_64__)
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  for (const char* fine : {"SkylakeX", "Cooperlake", "SapphireRapids", "Zen"})
    if (current == fine) return nullptr;
  if (avx512) return "SkylakeX";
  if (avx2 && current != "Haswell") return "Haswell";
#endif
  (void)current;
  return nullptr;
}

/// One product of odd sizes against the schoolbook loop.
bool products_are_right() {
  constexpr int n = 37;
  std::vector<float> a(n * n), b(n * n), c(n * n, 0.0f);
  for (int i = 0; i < n * n; ++i) {
    a[i] = static_cast<float>(i % 11) - 5;
    b[i] = static_cast<float>(i % 7) - 3;
  }
  cpu::gemm(n, n, n, 1.0f, {a.data(), n, false}, {b.data(), n, true}, 0.0f, c.data(), n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      float want = 0;  // whole numbers: exact in any order
      for (int k = 0; k < n; ++k) want += a[i * n + k] * b[j * n + k];
      if (c[i * n + j] != want) return false;
    }
  return true;
}

void choose_again(const char* kernel) {
  gotoblas_dynamic_quit();
  if (kernel)
    setenv("OPENBLAS_CORETYPE", kernel, 1);
  else
    unsetenv("OPENBLAS_CORETYPE");
  gotoblas_dynamic_init();
}

/// What was changed in OpenBLAS, and so can be undone.
struct Change {
  std::string description;
  int threads_before = 0;
  bool kernel_changed = false;
};

Change repair() {
  Change change{.description = corename()};
  if (openblas_get_num_threads) change.threads_before = openblas_get_num_threads();
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  const char* better = stronger_kernel(change.description);
  if (!better || std::getenv("OPENBLAS_CORETYPE") || !gotoblas_dynamic_quit ||
      !gotoblas_dynamic_init)
    return change;
  choose_again(better);
  if (corename() != better || !products_are_right()) {
    choose_again(nullptr);
    change.description += std::string(" (") + better + " was tried and is wrong here)";
    return change;
  }
  unsetenv("OPENBLAS_CORETYPE");  // children of this process choose for themselves
  change.description = std::string(better) + " (was " + change.description + ")";
  change.kernel_changed = true;
  return change;
}

std::atomic<bool> is_prepared{false};
std::mutex mutex;
Change change;  // under the mutex

}  // namespace

void cpu::prepare_blas() {
  if (is_prepared.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex);
  if (is_prepared.load(std::memory_order_relaxed)) return;
  change = repair();
  is_prepared.store(true, std::memory_order_release);
}

std::string blas_kernel() {
  cpu::prepare_blas();
  const std::lock_guard lock(mutex);
  return change.description;
}

void restore_blas() {
  const std::lock_guard lock(mutex);
  if (!is_prepared.load(std::memory_order_relaxed)) return;
  if (change.kernel_changed) choose_again(nullptr);
  if (openblas_set_num_threads && change.threads_before > 0)
    openblas_set_num_threads(change.threads_before);
  is_prepared.store(false, std::memory_order_release);
}

}  // namespace gradus
