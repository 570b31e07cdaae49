// The emulator's own controls, for tests: which schedule, what went wrong, what was run. None of
// this exists on a GPU, so code that uses it stands behind #if defined(SIMT_EMULATOR).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace simt {

/// In which order the threads of a block, and the blocks of a grid, run between barriers. A correct
/// kernel gives the same result under all of them.
enum class Schedule { forward, reverse, random };

struct Config {
  Schedule schedule = Schedule::forward;  // GRADUS_CUDA_SCHEDULE=forward|reverse|random
  std::uint64_t seed = 1;                 // GRADUS_CUDA_SEED
  bool deferred = false;                  // GRADUS_CUDA_STREAMS=eager|deferred: work waits in its
                                          //   stream until somebody synchronises
  bool replay = false;                    // GRADUS_CUDA_REPLAY=1: every launch forward and reverse
  bool quiet = false;                     // reports only to last_report(), not to stderr
  int arch = 75;                          // GRADUS_CUDA_ARCH: limits and properties of sm_75 …
};

/// Read from the environment on first use; tests change it.
Config& config();

/// The text of the last report, "" if there was none.
const std::string& last_report();

/// Forgets errors, the sticky ones too, which on a GPU only a new process can.
void clear_errors();

struct Stats {
  std::uint64_t launches = 0, blocks = 0, threads = 0, switches = 0, fibers = 0;
};
Stats& stats();

}  // namespace simt
