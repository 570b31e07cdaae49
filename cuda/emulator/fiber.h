// A fiber is a stack and a function that runs on it until it hands the processor to another fiber.
// A GPU thread that waits at a barrier is a fiber that is not running.
#pragma once
#include <cstddef>

#if !defined(__x86_64__) && !defined(__aarch64__) && !defined(SIMT_UCONTEXT)
  #define SIMT_UCONTEXT 1
#endif
#if defined(SIMT_UCONTEXT)
  #include <ucontext.h>
#endif

namespace simt {

class Fiber {
 public:
  // Pages that are never touched cost nothing. Those below the stack are a guard: a stack overflow
  // faults there, instead of corrupting other memory.
  static constexpr std::size_t kStack = 256 * 1024, kGuard = 64 * 1024;

  /// The host's fiber, on the program's own stack.
  Fiber() = default;
  /// A new stack. The first switch to it calls `entry`, which must never return.
  explicit Fiber(void (*entry)());
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Abandons what was running: the next switch calls `entry` again.
  void reset();

  /// Suspends `from`, the running fiber, and resumes `to`.
  static void switch_to(Fiber& from, Fiber& to);

  /// `entry` must call this first, on its new stack.
  void arrived();

  const char* stack_low() const { return stack_; }
  const char* stack_high() const;

 private:
  void (*entry_)() = nullptr;
  char* stack_ = nullptr;
  std::size_t colour_ = 0;  // shifts the first frame; see reset()
  void* saved_ = nullptr;   // the stack pointer while another fiber runs
  void* sanitizer_state_ = nullptr;
#if defined(SIMT_UCONTEXT)
  ucontext_t context_;
#endif
};

}  // namespace simt
