// Training steps and generated tokens per second of a GPT on the CPU: gpt_bench.h says how.
//   build/bin/bench_gpt train|generate nano|small|gpt2
#include <sys/resource.h>

#include "examples/support/show/standard_output.h"
#include "tests/bench/gpt_bench.h"

int main(int argc, char** argv) {
  const auto resident = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return int64_t{usage.ru_maxrss} * 1024;
  };
  if (argc == 3 && gradus::bench::run({gradus::Device::CPU, "gradus " GRADUS_VERSION, resident},
                                      argv[1], argv[2]))
    return gradus::support::status_after_output(0);
  std::fputs("usage: bench_gpt train|generate nano|small|gpt2\n", stderr);
  return 2;
}
