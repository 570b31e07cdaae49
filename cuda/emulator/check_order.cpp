// Order among the threads of a block. See check_order.h.
#include "cuda/emulator/check_order.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "cuda/emulator/profile.h"

namespace simt::check {

Running running;
BlockOrder block_order;

namespace {

std::uint32_t threads;  // per block of the running grid

/// In a new generation, no thread knows of any access of another.
void new_generation() {
  std::fill(std::begin(block_order.stamp), std::end(block_order.stamp), std::uint16_t(1));
  std::memset(block_order.known, 0, threads * sizeof block_order.known[0]);
}

std::uint32_t block_of(std::uint32_t thread) { return thread / threads_in_block; }
std::uint32_t warp_of(std::uint32_t thread) { return thread / 32; }

}  // namespace

void set_threads_of_block(std::uint32_t count) { threads = count; }

void block_begins(std::uint32_t block) {
  const Pause pause;
  running.block = block;
  block_order.generation = 1;
  new_generation();
  forget_fences();
  forget_shared_arrays();
  profile::block_begins(threads);
}

void block_barrier() {
  const Pause pause;
  ++block_order.generation;
  new_generation();
  block_has_met(threads);
  profile::block_barrier();
}

void warp_barrier(std::uint32_t warp, std::uint32_t lanes) {
  const Pause pause;
  const std::uint16_t now = block_order.stamp[warp]++;
  std::uint16_t together[32] = {};
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    const auto& known = block_order.known[warp * 32 + std::countr_zero(rest)];
    for (int lane = 0; lane < 32; ++lane) together[lane] = std::max(together[lane], known[lane]);
  }
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) together[std::countr_zero(rest)] = now;
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    std::memcpy(block_order.known[warp * 32 + std::countr_zero(rest)], together, sizeof together);
  }
}

std::uint32_t unordered_lanes(const Accesses& accesses) {
  const std::uint32_t me = running.thread;
  const std::uint32_t first = accesses.thread & ~31u;  // of its warp
  const bool my_warp = warp_of(accesses.thread) == warp_of(this_thread());
  std::uint32_t result = 0;
  for (std::uint32_t rest = accesses.lanes; rest; rest &= rest - 1) {
    const auto lane = std::uint32_t(std::countr_zero(rest));
    if (my_warp && (lane == (me & 31) || block_order.known[me][lane] >= accesses.stamp)) continue;
    if (!fence_orders(first + lane)) result |= 1u << lane;
  }
  return result;
}

bool is_ordered(const Accesses& accesses) {
  const std::uint32_t me = this_thread();
  if (accesses.run != current_run()) return run_is_ordered(accesses.run);
  if (accesses.flags & many_blocks || block_of(accesses.thread) != block_of(me)) {
    return is_published(accesses);
  }
  if (accesses.generation != block_order.generation) return true;
  return !(accesses.flags & many_warps) && unordered_lanes(accesses) == 0;
}

void replace(Accesses& accesses, std::uint8_t mask, std::uint8_t flags, std::uint32_t pc) {
  const std::uint32_t me = this_thread();
  accesses = {current_run(),
              me,
              block_order.generation,
              pc,
              1u << (me & 31),
              block_order.stamp[running.thread / 32],
              mask,
              flags};
}

void join(Accesses& accesses, std::uint8_t mask, std::uint8_t flags, std::uint32_t pc) {
  const std::uint32_t me = this_thread();
  const std::uint8_t kind = flags & atomic;
  // A set is about one group of bytes in one run. Anything else takes its place.
  if (accesses.run != current_run() || accesses.bytes != mask ||
      (accesses.flags & atomic) != kind) {
    return replace(accesses, mask, kind, pc);
  }
  if (block_of(accesses.thread) != block_of(me)) {
    // If a fence orders the set before this thread, this access stands for the whole set.
    if (!(accesses.flags & many_blocks) && is_published(accesses)) {
      return replace(accesses, mask, kind, pc);
    }
    accesses.flags |= many_blocks;
  }
  if (accesses.flags & many_blocks) {
    accesses.thread = me;
    accesses.pc = pc;
    return;
  }
  if (accesses.generation != block_order.generation) return replace(accesses, mask, kind, pc);
  if (warp_of(accesses.thread) != warp_of(me)) {
    if (any_fence_orders_threads() && is_ordered(accesses))
      return replace(accesses, mask, kind, pc);
    accesses.flags |= many_warps;
  }
  // From now on, this thread stands for the lanes that are ordered before it.
  const std::uint16_t now = block_order.stamp[running.thread / 32];
  std::uint32_t others = accesses.lanes & ~(1u << (me & 31));
  if (accesses.stamp != now) others = unordered_lanes(accesses);
  accesses.lanes = others | 1u << (me & 31);
  if (!others) accesses.stamp = now;
  accesses.thread = me;
  accesses.pc = pc;
}

}  // namespace simt::check
