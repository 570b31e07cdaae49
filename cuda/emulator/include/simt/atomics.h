// Atomic read-modify-write. Each is a loop around compare-and-swap, as in CUDA's own guide, and
// returns the old value. They are real atomic instructions, so that instrumentation sees them as
// such, and always inlined, so that it sees them on the kernel's line.
#pragma once
#include <bit>
#include <cstdint>
#include <type_traits>

#include "simt/sync.h"

namespace simt {

template <class T, class F>
__forceinline__ T atomic_update(T* address, F next) {
  static_assert(sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);
  using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
  auto* const word = reinterpret_cast<Word*>(address);
  Word old = __atomic_load_n(word, __ATOMIC_RELAXED);
  Word wanted;
  do {
    wanted = std::bit_cast<Word>(T(next(std::bit_cast<T>(old))));
  } while (
      !__atomic_compare_exchange_n(word, &old, wanted, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  yield_point(wanted != old);
  return std::bit_cast<T>(old);
}

}  // namespace simt

#define SIMT_ATOMIC(name, expression)                                                        \
  template <class T>                                                                         \
  __forceinline__ T name(T* address, std::type_identity_t<T> value) {                        \
    return simt::atomic_update(address, [=]([[maybe_unused]] T old) { return expression; }); \
  }
SIMT_ATOMIC(atomicAdd, T(old + value))
SIMT_ATOMIC(atomicSub, T(old - value))
SIMT_ATOMIC(atomicExch, value)
SIMT_ATOMIC(atomicMin, value < old ? value : old)
SIMT_ATOMIC(atomicMax, value > old ? value : old)
SIMT_ATOMIC(atomicAnd, T(old& value))
SIMT_ATOMIC(atomicOr, T(old | value))
SIMT_ATOMIC(atomicXor, T(old ^ value))
SIMT_ATOMIC(atomicInc, old >= value ? T(0) : T(old + 1))
SIMT_ATOMIC(atomicDec, old == 0 || old > value ? value : T(old - 1))
#undef SIMT_ATOMIC

template <class T>
__forceinline__ T atomicCAS(T* address, std::type_identity_t<T> expected,
                            std::type_identity_t<T> value) {
  return simt::atomic_update(
      address, [=](T old) { return simt::to_bits(old) == simt::to_bits(expected) ? value : old; });
}
