// What the threads of a block do together: barriers, and the collectives of a warp (32 consecutive
// threads). Each is one call into the scheduler, which suspends the caller until all participants
// have arrived. The last to arrive computes the results of all (block.cpp, barrier.cpp, warp.cpp).
#pragma once
#include <cstring>
#include <type_traits>

#include "simt/types.h"

namespace simt {

enum class BarrierOp : std::uint8_t { plain, count, all, any };

// The four shuffles are one operation: the caller works out which lane it reads.
enum class WarpOp : std::uint8_t {
  sync,
  shfl,
  shfl_up,
  shfl_down,
  shfl_xor,
  ballot,
  any,
  all,
  match_any,
  match_all,
  reduce_add,
  reduce_min,
  reduce_max,
  reduce_and,
  reduce_or,
  reduce_xor,
  activemask
};

/// Waits for all threads of the block, and returns the count, "and" or "or" of their predicates.
int block_barrier(BarrierOp, int predicate, Loc);

/// Waits for the lanes of `mask`. A shuffle returns the value of lane `source`, any other operation
/// the result for all lanes' values. reduce_min and reduce_max compare as unsigned.
std::uint64_t warp_collective(WarpOp, std::uint32_t mask, std::uint64_t value, int source, Loc);

/// A place where a schedule may let another thread run: a fence, or an atomic. `changed`: whether
/// the atomic changed its word. A thread that changes nothing for a long time seems to wait for
/// another.
void yield_point(bool changed);

/// __threadfence: a thread that sees this thread's later atomics also sees what it did before the
/// fence. For __threadfence_block that holds only for threads of the same block.
void fence(bool block_only);

unsigned lane_id();

/// Ends the grid with a report that names kernel, block and thread.
[[noreturn]] void fail(const char* what, Loc where = Loc::current());

template <class T>
std::uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>,
                "a warp exchanges values of up to 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof value);
  return value;
}

template <class T>
T shuffle(WarpOp op, unsigned mask, T value, int source, int width, Loc where) {
  if (width < 1 || width > 32 || (width & (width - 1)) != 0)
    fail("shuffles with a width that is not a power of two up to 32", where);
  return from_bits<T>(warp_collective(op, mask, to_bits(value), source, where));
}

}  // namespace simt

#define SIMT_WHERE simt::Loc where = simt::Loc::current()

// ---- Barriers of the block ----------------------------------------------------------------------

inline void __syncthreads(SIMT_WHERE) { simt::block_barrier(simt::BarrierOp::plain, 0, where); }
inline int __syncthreads_count(int predicate, SIMT_WHERE) {
  return simt::block_barrier(simt::BarrierOp::count, predicate, where);
}
inline int __syncthreads_and(int predicate, SIMT_WHERE) {
  return simt::block_barrier(simt::BarrierOp::all, predicate, where);
}
inline int __syncthreads_or(int predicate, SIMT_WHERE) {
  return simt::block_barrier(simt::BarrierOp::any, predicate, where);
}

// ---- Collectives of the warp --------------------------------------------------------------------

inline void __syncwarp(unsigned mask = ~0u, SIMT_WHERE) {
  simt::warp_collective(simt::WarpOp::sync, mask, 0, 0, where);
}

/// The lanes that run together with the caller. A GPU promises no more than the caller itself. Here
/// they are all the lanes that reach this line before the warp waits elsewhere.
inline unsigned __activemask(SIMT_WHERE) {
  return unsigned(simt::warp_collective(simt::WarpOp::activemask, ~0u, 0, 0, where));
}

// In all four, `width` cuts the warp into pieces. At the edge of a lane's piece, shfl wraps around,
// and up and down return the caller's own value. xor never reads a higher piece.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, SIMT_WHERE) {
  const int lane = int(simt::lane_id());
  return simt::shuffle(simt::WarpOp::shfl, mask, value,
                       (lane & ~(width - 1)) | (source & (width - 1)), width, where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, SIMT_WHERE) {
  const int lane = int(simt::lane_id());
  const bool inside = unsigned(lane & (width - 1)) >= delta;
  return simt::shuffle(simt::WarpOp::shfl_up, mask, value, inside ? lane - int(delta) : lane, width,
                       where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, SIMT_WHERE) {
  const int lane = int(simt::lane_id());
  const bool inside = delta < unsigned(width - (lane & (width - 1)));
  return simt::shuffle(simt::WarpOp::shfl_down, mask, value, inside ? lane + int(delta) : lane,
                       width, where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, SIMT_WHERE) {
  const int lane = int(simt::lane_id()), source = (lane ^ lane_mask) & 31;
  return simt::shuffle(simt::WarpOp::shfl_xor, mask, value,
                       source > (lane | (width - 1)) ? lane : source, width, where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, SIMT_WHERE) {
  return unsigned(simt::warp_collective(simt::WarpOp::ballot, mask, predicate != 0, 0, where));
}
inline int __any_sync(unsigned mask, int predicate, SIMT_WHERE) {
  return simt::warp_collective(simt::WarpOp::any, mask, predicate != 0, 0, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate, SIMT_WHERE) {
  return simt::warp_collective(simt::WarpOp::all, mask, predicate != 0, 0, where) != 0;
}

/// The lanes whose value has the same bits as the caller's.
template <class T>
unsigned __match_any_sync(unsigned mask, T value, SIMT_WHERE) {
  return unsigned(
      simt::warp_collective(simt::WarpOp::match_any, mask, simt::to_bits(value), 0, where));
}
/// If all lanes have the same value, returns `mask` and sets *predicate to 1. Otherwise both are 0.
template <class T>
unsigned __match_all_sync(unsigned mask, T value, int* predicate, SIMT_WHERE) {
  const auto lanes = unsigned(
      simt::warp_collective(simt::WarpOp::match_all, mask, simt::to_bits(value), 0, where));
  *predicate = lanes != 0;
  return lanes;
}

// On a GPU these need sm_80. Flipping the top bit turns signed order into unsigned order.
#define SIMT_REDUCE(name)                                                                       \
  inline unsigned __reduce_##name##_sync(unsigned mask, unsigned value, SIMT_WHERE) {           \
    return unsigned(simt::warp_collective(simt::WarpOp::reduce_##name, mask, value, 0, where)); \
  }
SIMT_REDUCE(add)
SIMT_REDUCE(min)
SIMT_REDUCE(max)
SIMT_REDUCE(and)
SIMT_REDUCE(or)
SIMT_REDUCE(xor)
#undef SIMT_REDUCE
inline int __reduce_add_sync(unsigned mask, int value, SIMT_WHERE) {
  return int(__reduce_add_sync(mask, unsigned(value), where));
}
inline int __reduce_min_sync(unsigned mask, int value, SIMT_WHERE) {
  return int(__reduce_min_sync(mask, unsigned(value) ^ 0x80000000u, where) ^ 0x80000000u);
}
inline int __reduce_max_sync(unsigned mask, int value, SIMT_WHERE) {
  return int(__reduce_max_sync(mask, unsigned(value) ^ 0x80000000u, where) ^ 0x80000000u);
}

// ---- Fences -------------------------------------------------------------------------------------

inline void __threadfence() { simt::fence(false); }
inline void __threadfence_block() { simt::fence(true); }
inline void __threadfence_system() { __threadfence(); }
inline void __nanosleep(unsigned) { simt::yield_point(false); }
[[noreturn]] inline void __trap(SIMT_WHERE) { simt::fail("executes __trap()", where); }

#undef SIMT_WHERE
