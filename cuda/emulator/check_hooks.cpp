// The functions that the compiler calls before every load and store of code compiled with
// -fsanitize=thread. Usually ThreadSanitizer's library (libtsan) provides them. Here the checker
// does, because it knows what libtsan cannot know: which GPU thread is running, and what a barrier
// is.
//
// Atomic operations are also carried out here, because the compiler replaces the instruction by the
// call. The emulator runs one thread at a time, so a plain load and store will do.
#include <cstdint>

#include "cuda/emulator/check.h"
#include "cuda/emulator/check_access.h"

extern "C" char __executable_start[];

namespace {

using simt::check::Kind;
using simt::check::Running;

/// Called directly by a hook, whose return address is the place of the access. Most accesses are to
/// the thread's own locals, where nothing can go wrong. They return at once.
inline __attribute__((always_inline)) void judge(Kind kind, const volatile void* p, std::size_t n,
                                                 void* return_address) {
  const auto address = const_cast<const char*>(static_cast<const volatile char*>(p));
  const Running& running = simt::check::running;
  if (!running.checking) return;
  if (address >= running.stack_low && address < running.stack_high) return;
  const auto pc = std::uint32_t(static_cast<char*>(return_address) - __executable_start);
  simt::check::judge({kind, address, n, pc});
}

using Word8 = std::uint8_t;
using Word16 = std::uint16_t;
using Word32 = std::uint32_t;
using Word64 = std::uint64_t;

template <class Word>
int compare_exchange(volatile Word* p, Word* expected, Word value) {
  const Word old = *p;
  const bool equal = old == *expected;
  if (equal) *p = value;
  *expected = old;
  return equal;
}

}  // namespace

#define JUDGE(kind, p, n) judge(Kind::kind, p, n, __builtin_return_address(0))

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}

void __tsan_read_range(void* p, std::size_t n) { JUDGE(load, p, n); }
void __tsan_write_range(void* p, std::size_t n) { JUDGE(store, p, n); }

#define PLAIN(N)                                                  \
  void __tsan_read##N(void* p) { JUDGE(load, p, N); }             \
  void __tsan_write##N(void* p) { JUDGE(store, p, N); }           \
  void __tsan_unaligned_read##N(void* p) { JUDGE(load, p, N); }   \
  void __tsan_unaligned_write##N(void* p) { JUDGE(store, p, N); } \
  void __tsan_volatile_read##N(void* p) { JUDGE(load, p, N); }    \
  void __tsan_volatile_write##N(void* p) { JUDGE(store, p, N); }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)
#undef PLAIN

#define UPDATE(BITS, name, expression)                                                     \
  Word##BITS __tsan_atomic##BITS##_##name(volatile Word##BITS* p, Word##BITS value, int) { \
    JUDGE(atomic, p, BITS / 8);                                                            \
    const Word##BITS old = *p;                                                             \
    *p = Word##BITS(expression);                                                           \
    return old;                                                                            \
  }
#define COMPARE_EXCHANGE(BITS, strength)                                          \
  int __tsan_atomic##BITS##_compare_exchange_##strength(                          \
      volatile Word##BITS* p, Word##BITS* expected, Word##BITS value, int, int) { \
    JUDGE(atomic, p, BITS / 8);                                                   \
    return compare_exchange(p, expected, value);                                  \
  }
// clang's version, which returns the old value
#define COMPARE_EXCHANGE_VALUE(BITS)                                             \
  Word##BITS __tsan_atomic##BITS##_compare_exchange_val(                         \
      volatile Word##BITS* p, Word##BITS expected, Word##BITS value, int, int) { \
    JUDGE(atomic, p, BITS / 8);                                                  \
    compare_exchange(p, &expected, value);                                       \
    return expected;                                                             \
  }
#define ATOMIC(BITS)                                                                \
  Word##BITS __tsan_atomic##BITS##_load(const volatile Word##BITS* p, int) {        \
    JUDGE(atomic_load, p, BITS / 8);                                                \
    return *p;                                                                      \
  }                                                                                 \
  void __tsan_atomic##BITS##_store(volatile Word##BITS* p, Word##BITS value, int) { \
    JUDGE(atomic, p, BITS / 8);                                                     \
    *p = value;                                                                     \
  }                                                                                 \
  COMPARE_EXCHANGE(BITS, strong)                                                    \
  COMPARE_EXCHANGE(BITS, weak)                                                      \
  COMPARE_EXCHANGE_VALUE(BITS)                                                      \
  UPDATE(BITS, exchange, value)                                                     \
  UPDATE(BITS, fetch_add, old + value)                                              \
  UPDATE(BITS, fetch_sub, old - value)                                              \
  UPDATE(BITS, fetch_and, old& value)                                               \
  UPDATE(BITS, fetch_or, old | value)                                               \
  UPDATE(BITS, fetch_xor, old ^ value)
ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)
#undef ATOMIC
#undef COMPARE_EXCHANGE
#undef UPDATE
}  // extern "C"
