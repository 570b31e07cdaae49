// What happens before what. Two accesses race if neither is ordered before the other; here is what
// orders them:
//
//   in a block       __syncthreads orders all threads: it starts a new generation of the block.
//   in a warp        __syncwarp orders the lanes that meet in it, and what they already knew
//                    (vector clocks, Mattern 1989, of 32 entries each).
//   by a fence       a thread that writes, calls __threadfence() and updates a word atomically is
//                    ordered before whoever updates that word later (check_fence.cpp): the only
//                    order between blocks of one launch, and one more between threads of a block.
//   between launches, copies, and the host: streams, events and waiting (vector clocks again, with
//                    one entry for each stream and one for the host).
#pragma once
#include <cstdint>
#include <string_view>

#include "cuda/emulator/check.h"
#include "cuda/emulator/check_shadow.h"

namespace simt::check {

inline constexpr std::uint32_t threads_in_block = 1024;

/// The thread that runs, as Accesses name it.
inline std::uint32_t this_thread() { return running.block * threads_in_block + running.thread; }

/// Order inside the running block.
struct BlockOrder {
  std::uint32_t generation = 1;
  std::uint16_t stamp[32];                    ///< of each warp: the number of its next __syncwarp
  std::uint16_t known[threads_in_block][32];  ///< [thread][lane]: up to which stamp that lane's
                                              ///< accesses are ordered before the thread's next
};
extern BlockOrder block_order;

void counter_updated(const char* address, bool shared);  ///< it updates a word atomically
void forget_fences();                                    ///< a block begins
void block_has_met(std::uint32_t threads);               ///< all its threads, in a barrier
void forget_counters();                                  ///< a grid begins
/// Whether accesses of other blocks have been published to the running one.
bool is_published(const Accesses& accesses);
/// Whether a fence and an atomic order what a thread of the running block has done since the last
/// barrier before what the running thread does.
bool has_told(std::uint32_t thread);
bool anybody_told();  ///< whether there is such an order at all; quick

/// A run: one execution of a kernel or copy, or what the host does between two calls.
struct Run {
  std::uint32_t stream, serial;  ///< its stream (0: the host) and place in it
  std::string_view what;         ///< "" for the host
  Loc site;
};
extern std::uint32_t run_now;  ///< of the operation that runs; 0: the host does
std::uint32_t run_of_host();
inline std::uint32_t current_run() { return run_now ? run_now : run_of_host(); }
void new_run();  ///< the operation begins (again: a replayed kernel)
const Run& run_info(std::uint32_t run);
/// Whether an earlier run is ordered before the current one.
bool run_is_ordered(std::uint32_t earlier);

void set_threads_of_block(std::uint32_t count);
/// Lanes of `accesses`, of one warp of the running block, that nothing orders before the running
/// thread since the last barrier.
std::uint32_t unordered_lanes(const Accesses& accesses);
/// Whether all of `accesses` happen before what the running thread does next.
bool is_ordered(const Accesses& accesses);
/// Records an access of the running thread: `accesses` becomes it, or it joins the set.
void replace(Accesses& accesses, std::uint8_t mask, std::uint8_t flags, std::uint32_t pc);
void join(Accesses& accesses, std::uint8_t mask, std::uint8_t flags, std::uint32_t pc);

}  // namespace simt::check
