// The library is compiled for one processor: the one it is built on, unless ARCH says otherwise. An
// older one would stop at an illegal instruction. So this file looks first, and says what is
// missing.
//
// The check runs before every other constructor of the program. Nothing calls it, so programs are
// linked with -Wl,-u,gradus_check_processor, which is in gradus.pc. The Makefile compiles only this
// file for any processor; GRADUS_NEEDS, from .ci/processor, lists what the other files rely on.
// Only functions of C are called: the linker may take an inline function of the standard library
// from a file that was compiled for the newer processor.
#include <cstdio>
#include <cstdlib>

#include "tensor/runtime.h"

const char* gradus::built_for() { return GRADUS_BUILT_FOR; }

// 101 is the first priority that is not the compiler's own.
extern "C" [[gnu::constructor(101)]] void gradus_check_processor() {
#ifdef __x86_64__
  __builtin_cpu_init();
  int missing = 0;
  [[maybe_unused]] const auto need = [&missing](bool has, const char* feature) {
    if (has) return;
    const char* begin = "gradus: it was built for " GRADUS_BUILT_FOR ", but this processor lacks ";
    std::fputs(missing++ ? ", " : begin, stderr);
    std::fputs(feature, stderr);
  };
  #define NEED(feature) need(__builtin_cpu_supports(feature), feature);
  GRADUS_NEEDS
  #undef NEED
  if (missing == 0) return;
  std::fputs("; build it again on this machine, or with ARCH=-march=x86-64\n", stderr);
  std::_Exit(1);
#endif
}
