// The emulator's own controls, for tests: the schedule, the last report, counts of what ran. None
// of this exists on a GPU, so code that uses it belongs inside #if defined(SIMT_EMULATOR).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace simt {

/// The order in which the threads of a block, between barriers, and the blocks of a grid run. A
/// correct kernel gives the same result under all of them.
enum class Schedule { forward, reverse, random };

struct Config {
  Schedule schedule = Schedule::forward;  // GRADUS_CUDA_SCHEDULE=forward|reverse|random
  std::uint64_t seed = 1;                 // GRADUS_CUDA_SEED
  bool deferred = false;                  // GRADUS_CUDA_STREAMS=eager|deferred: work waits in its
                                          //   stream until the host synchronises
  bool replay = false;                    // GRADUS_CUDA_REPLAY=1: runs each launch forward and in
                                          //   reverse
  bool quiet = false;                     // reports go to last_report(), but not to stderr
  int arch = 75;                          // GRADUS_CUDA_ARCH: limits and properties of sm_75 …
};

/// Read from the environment on first use; tests change it.
Config& config();

/// The text of the last report, or "" if there was none.
const std::string& last_report();

/// Forgets all errors, even sticky ones. On a GPU only a new process can do that.
void clear_errors();

struct Stats {
  std::uint64_t launches = 0, blocks = 0, threads = 0, switches = 0, fibers = 0;
};
Stats& stats();

}  // namespace simt
