// What happens before what. Two accesses race if neither is ordered before the other. This is what
// orders them:
//
//   in a block       __syncthreads orders all threads. It starts a new generation of the block.
//   in a warp        __syncwarp orders the lanes that meet in it, along with what they already knew
//                    (vector clocks, Mattern 1989, of 32 entries each).
//   by a fence       A thread that writes, calls __threadfence() and updates a word atomically is
//                    ordered before any thread that updates the word later (check_fence.cpp).
//                    Nothing else orders the blocks of a launch. It also orders threads of a block.
//   by the host      Streams, events and waits order launches, copies and the host (vector clocks
//                    again, with one entry for each stream and one for the host).
#pragma once
#include <cstdint>
#include <string_view>

#include "cuda/emulator/check.h"
#include "cuda/emulator/check_shadow.h"

namespace simt::check {

inline constexpr std::uint32_t threads_in_block = 1024;

/// The number of the running thread, as in Accesses::thread.
inline std::uint32_t this_thread() { return running.block * threads_in_block + running.thread; }

/// Order inside the running block.
struct BlockOrder {
  std::uint32_t generation = 1;
  std::uint16_t stamp[32];                    ///< for each warp, the number of its next __syncwarp
  std::uint16_t known[threads_in_block][32];  ///< [thread][lane]: that lane's accesses up to this
                                              ///< stamp are ordered before the thread's next access
};
extern BlockOrder block_order;

void counter_updated(const char* address,
                     bool shared);          ///< the running thread updates it atomically
void forget_fences();                       ///< a block begins
void block_has_met(std::uint32_t threads);  ///< all threads have met in a barrier
void forget_counters();                     ///< a grid begins
/// Whether accesses of other blocks have been published to the running one.
bool is_published(const Accesses& accesses);
/// Whether a fence and an atomic order what a thread of the running block has done since the last
/// barrier before the next access of the running thread.
bool fence_orders(std::uint32_t thread);
bool any_fence_orders_threads();  ///< a quick test: whether fence_orders is true for any threads

/// A run: one execution of a kernel or copy, or what the host does between two calls.
struct Run {
  std::uint32_t stream, serial;  ///< its stream (0: the host) and its place in it
  std::string_view what;         ///< "" for the host
  Loc site;
};
extern std::uint32_t operation_run;  ///< the run of the running operation; 0: the host is running
std::uint32_t host_run();
inline std::uint32_t current_run() { return operation_run ? operation_run : host_run(); }
void new_run();  ///< the operation begins, or a kernel is replayed
const Run& run_info(std::uint32_t run);
/// Whether an earlier run is ordered before the current one.
bool run_is_ordered(std::uint32_t earlier);

void set_threads_of_block(std::uint32_t count);
/// The lanes of `accesses`, all in one warp of the running block, that nothing orders before the
/// running thread since the last barrier.
std::uint32_t unordered_lanes(const Accesses& accesses);
/// Whether all of `accesses` happen before what the running thread does next.
bool is_ordered(const Accesses& accesses);
/// Record an access of the running thread, in place of the set `accesses` or as one more of them.
void replace(Accesses& accesses, std::uint8_t mask, std::uint8_t flags, std::uint32_t pc);
void join(Accesses& accesses, std::uint8_t mask, std::uint8_t flags, std::uint32_t pc);

}  // namespace simt::check
