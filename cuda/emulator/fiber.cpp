// To switch fibers, push the registers that a function must preserve, exchange the stack pointer,
// pop the other fiber's registers, and return. That takes about twenty instructions. swapcontext
// also makes two system calls for the signal mask and is ten times slower. It is used on processors
// for which there is no assembly here. The floating-point control words are left alone: no kernel
// changes them.
#include "cuda/emulator/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#if defined(__SANITIZE_ADDRESS__)
  #include <sanitizer/asan_interface.h>
  #include <sanitizer/common_interface_defs.h>
#endif

#if defined(SIMT_UCONTEXT)
// nothing
#elif defined(__x86_64__)
asm(R"(
.text
.globl simt_switch
.hidden simt_switch
.type simt_switch,@function
simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch,.-simt_switch

.globl simt_first_frame
.hidden simt_first_frame
.type simt_first_frame,@function
simt_first_frame:
  .cfi_startproc
  .cfi_undefined rip
  xorl %ebp, %ebp
  call *%rbx
  ud2
  .cfi_endproc
.size simt_first_frame,.-simt_first_frame
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl simt_switch
.hidden simt_switch
.type simt_switch,%function
simt_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size simt_switch,.-simt_switch

.globl simt_first_frame
.hidden simt_first_frame
.type simt_first_frame,%function
simt_first_frame:
  .cfi_startproc
  .cfi_undefined x30
  mov x29, #0
  blr x19
  brk #1
  .cfi_endproc
.size simt_first_frame,.-simt_first_frame
)");
#endif

#if !defined(SIMT_UCONTEXT)
extern "C" void simt_switch(void** save_stack_pointer, void* load_stack_pointer);
extern "C" void simt_first_frame();
#endif

namespace simt {
namespace {

std::size_t next_colour = 0;

#if defined(__SANITIZE_ADDRESS__)
// AddressSanitizer tracks the bounds of the running stack and must be told of each switch. When the
// host switches to a fiber, AddressSanitizer reports the stack that was left: the host's.
const void* host_stack = nullptr;
std::size_t host_stack_bytes = 0;
bool from_host = false;
#endif

}  // namespace

Fiber::Fiber(void (*entry)()) : entry_(entry), colour_(next_colour++) {
  void* const pages = mmap(nullptr, kGuard + kStack, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "fiber stack");
  mprotect(pages, kGuard, PROT_NONE);
  stack_ = static_cast<char*>(pages) + kGuard;
  reset();
}

Fiber::~Fiber() {
  if (stack_) munmap(stack_ - kGuard, kGuard + kStack);
}

const char* Fiber::stack_high() const { return stack_ ? stack_ + kStack : nullptr; }

void Fiber::reset() {
  sanitizer_state_ = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(stack_, kStack);
#endif
#if defined(SIMT_UCONTEXT)
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = kStack;
  context_.uc_link = nullptr;
  makecontext(&context_, entry_, 0);
#else
  // All stacks start at the same offset in a page, so their first frames would compete for the same
  // few cache lines. So each frame starts 192 bytes further down than the previous one.
  auto top = reinterpret_cast<std::uintptr_t>(stack_ + kStack) - colour_ % 32 * 192;
  auto** frame = reinterpret_cast<void**>(top & ~std::uintptr_t(63));
  #if defined(__x86_64__)
  frame -= 9;  // seven words are popped, and then the stack is 16-byte aligned, as a call needs it
  void* const registers[] = {nullptr,
                             nullptr,
                             nullptr,
                             nullptr,
                             reinterpret_cast<void*>(entry_),
                             nullptr,
                             reinterpret_cast<void*>(&simt_first_frame)};
  std::memcpy(frame, registers, sizeof registers);
  #else
  frame -= 20;
  std::memset(frame, 0, 160);
  frame[0] = reinterpret_cast<void*>(entry_);              // x19
  frame[11] = reinterpret_cast<void*>(&simt_first_frame);  // x30
  #endif
  saved_ = frame;
#endif
}

void Fiber::switch_to(Fiber& from, Fiber& to) {
#if defined(__SANITIZE_ADDRESS__)
  from_host = !from.stack_;
  __sanitizer_start_switch_fiber(&from.sanitizer_state_, to.stack_ ? to.stack_ : host_stack,
                                 to.stack_ ? kStack : host_stack_bytes);
#endif
#if defined(SIMT_UCONTEXT)
  swapcontext(&from.context_, &to.context_);
#else
  simt_switch(&from.saved_, to.saved_);
#endif
  from.arrived();
}

void Fiber::arrived() {
#if defined(__SANITIZE_ADDRESS__)
  const void* left = nullptr;
  std::size_t left_bytes = 0;
  __sanitizer_finish_switch_fiber(sanitizer_state_, &left, &left_bytes);
  if (from_host) {
    host_stack = left;
    host_stack_bytes = left_bytes;
  }
#endif
}

}  // namespace simt
