// A puzzle's program. Exit status 0: all tests passed. 1: something is wrong and was reported. 77:
// there is no GPU. GRADUS_PUZZLE_SECONDS limits its running time, so that an endless loop in a
// kernel does not keep the student waiting.
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "cuda/puzzles/puzzle.h"
#include "cuda/puzzles/report.h"
#include "cuda/puzzles/trace.h"

namespace {

constexpr int kFailed = 1, kNoGpu = 77, kSeconds = 10;

int seconds() {
  const char* text = std::getenv("GRADUS_PUZZLE_SECONDS");
  const int n = text ? std::atoi(text) : 0;
  return n > 0 ? n : kSeconds;
}

/// Runs inside the kernel that does not end. Strictly speaking, a signal handler may not call
/// printf. But the process ends here anyway, and the student needs to know which thread it is.
void out_of_time(int) {
  puzzle::say("The kernel did not end within %d seconds. Does every loop end?", seconds());
#if defined(SIMT_EMULATOR)
  puzzle::say("Thread (%u, %u, %u) of block (%u, %u, %u) was running.", threadIdx.x, threadIdx.y,
              threadIdx.z, blockIdx.x, blockIdx.y, blockIdx.z);
#endif
  std::fflush(stdout);
  _exit(kFailed);
}

/// Processor time, not wall-clock time: a busy machine must not fail a good kernel.
void limit_time() {
  std::signal(SIGPROF, out_of_time);
  itimerval limit{};
  limit.it_value.tv_sec = seconds();
  setitimer(ITIMER_PROF, &limit, nullptr);
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // in step with what is printed to stderr
#if defined(SIMT_EMULATOR)
  simt::config().quiet = true;  // `say` prints the report, as part of the whole
#endif
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    puzzle::say("skipped: no GPU (%s)", cudaGetErrorString(cudaGetLastError()));
    return kNoGpu;
  }
  limit_time();
  try {
    puzzle::Tests t;
    tests(t);
    puzzle::say("All tests passed.");  // the runner looks for this: exit(0) is not enough
  } catch (const puzzle::Failed&) { return kFailed; }
}
