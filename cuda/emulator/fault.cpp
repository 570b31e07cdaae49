// The signal handler has its own stack, because the fiber's may have overflowed. The handler does
// not return: it switches to the host's fiber, so the program carries on with a sticky error, as it
// does after an illegal address on a GPU. In gdb, the program stops at the faulting line before any
// of this happens.
#include "cuda/emulator/fault.h"

#include <signal.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "cuda/emulator/block.h"
#include "cuda/emulator/check.h"
#include "cuda/emulator/memory.h"

namespace simt {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE};
constexpr std::size_t kStack = 64 * 1024;
struct sigaction before[std::size(kSignals)];
stack_t stack_before;

void restore() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

void on_signal(int signal, siginfo_t* info, void*) {
  // A fault of the emulator's own code, or of host code that a deferred stream runs, happens again
  // after this returns, and then the handler that was there before gets it.
  if (!block.launch || !block.current || !block.current->fiber) return restore();
  if (signal == SIGFPE) fail(std::string("divides an integer by zero"));
  const char* const address = static_cast<const char*>(info->si_addr);
  const char* const low = block.current->fiber->stack_low();
  if (address < low && low - address <= std::ptrdiff_t(Fiber::kGuard))
    fail(std::string("has run out of stack (large local arrays, or endless recursion)"));
  char text[96];
  std::snprintf(text, sizeof text, "accesses address %p, where there is no memory",
                static_cast<const void*>(address));
  fail(text + std::string(reinterpret_cast<std::uintptr_t>(address) < 65536
                              ? ": a null pointer, or an index into one"
                              : ""));
}

}  // namespace

FaultHandler::FaultHandler() {
  static char stack[kStack];
  stack_t on_signal_stack{};
  on_signal_stack.ss_sp = stack;
  on_signal_stack.ss_size = kStack;
  sigaltstack(&on_signal_stack, &stack_before);
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &before[i]);
}

FaultHandler::~FaultHandler() {
  restore();
  sigaltstack(&stack_before, nullptr);
}

}  // namespace simt

// assert() calls this instead of the C library's function, which would end the process without
// naming the thread.
extern "C" void __assert_fail(const char* condition, const char* file, unsigned line,
                              const char* function) noexcept {
  using namespace simt;
  const check::Pause pause;
  const char* const slash = std::strrchr(file, '/');
  if (block.launch)
    fail_with(cudaErrorAssert, "fails assert(" + std::string(condition) + ") at " +
                                   (slash ? slash + 1 : file) + ":" + std::to_string(line));
  std::fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, condition);
  std::abort();
}
