// A puzzle's program. Exit status 0: all tests are passed; 1: what is wrong was said; 77: no GPU.
// GRADUS_PUZZLE_SECONDS limits the time it may compute: a loop in a kernel that never ends shall
// not hold up the student.
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

/// Runs inside the kernel that does not end. Strictly it may not call printf; but the process ends
/// here, and it is worth more to the student to hear which thread it is.
void out_of_time(int) {
  puzzle::say("The kernel did not end within %d seconds: does each loop in it end?", seconds());
#if defined(SIMT_EMULATOR)
  puzzle::say("It was at thread (%u, %u, %u) of block (%u, %u, %u).", threadIdx.x, threadIdx.y,
              threadIdx.z, blockIdx.x, blockIdx.y, blockIdx.z);
#endif
  std::fflush(stdout);
  _exit(kFailed);
}

/// Time of the processor, not of the clock: a busy machine must not fail a good kernel.
void limit_time() {
  std::signal(SIGPROF, out_of_time);
  itimerval limit{};
  limit.it_value.tv_sec = seconds();
  setitimer(ITIMER_PROF, &limit, nullptr);
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // in step with what others print to stderr
#if defined(SIMT_EMULATOR)
  simt::config().quiet = true;  // the report is printed below, as part of the whole
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
    puzzle::say("All tests are passed.");  // the runner wants to see this: exit(0) is not enough
  } catch (const puzzle::Failed&) { return kFailed; }
}
