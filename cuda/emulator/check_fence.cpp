// Order by fences. A launch does not order its blocks, and a block orders its warps only at a
// barrier. But a program can create an order: a thread writes, calls __threadfence(), and updates a
// counter atomically. A thread that updates this counter later sees what came before the fence.
// "The last block to finish adds up the others' results" relies on this, and so do locks and flags.
//
// A counter remembers the threads that published through it. A thread that updates it learns what
// they published: on behalf of its whole block if the publisher is in another block, otherwise for
// itself. This is coarser than the truth, and errs on the side of silence. A fence covers
// everything that its thread does between two barriers. And no acquire fence is required, so a
// missing one is not found.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cuda/emulator/check_order.h"

namespace simt::check {
namespace {

/// The generations of its block in which a thread passed its last fences; 0: it passed none.
struct LastFence {
  std::uint32_t device, block;  // its last __threadfence; its last fence of either kind
  bool operator==(const LastFence&) const = default;
};
LastFence last_fence[threads_in_block];
struct Publication {
  std::uint32_t thread;
  LastFence fence;
  std::uint32_t all_before;  // publishes what all threads of its block did before this generation
  bool operator==(const Publication&) const = default;
};
using Counters = std::unordered_map<const char*, std::vector<Publication>>;
Counters counters, shared_counters;  // of the running grid, of the running block
bool any_fence;                      // in the running grid
// If all threads of a block pass a __threadfence and then a barrier, any of them may publish for
// all.
std::uint32_t threads_fenced;     // how many have passed one in this generation
std::uint32_t all_fenced_before;  // all have fenced what they did before this generation

// What the running block has learnt: the generations up to which others' accesses are ordered.
std::unordered_map<std::uint32_t, std::uint32_t> known_threads, known_blocks;
// The pairs of threads of which the second learnt from the first, in this generation of the block.
std::unordered_set<std::uint64_t> told;

std::uint64_t pair_of(std::uint32_t teller, std::uint32_t hearer) {
  return std::uint64_t(teller) << 32 | hearer;
}

void learn(const Publication& publication) {
  const std::uint32_t block = publication.thread / threads_in_block;
  if (block == running.block) {
    if (publication.fence.block == block_order.generation) {
      told.insert(pair_of(publication.thread, this_thread()));
    }
    return;
  }
  std::uint32_t& of_thread = known_threads[publication.thread];
  of_thread = std::max(of_thread, publication.fence.device);
  std::uint32_t& of_block = known_blocks[block];
  of_block = std::max({of_block, publication.fence.device, publication.all_before});
}

void publish(std::vector<Publication>& through) {
  const Publication mine{this_thread(), last_fence[running.thread], all_fenced_before};
  if (!mine.fence.block && !all_fenced_before) return;
  // A thread that waits in a loop publishes the same again and again.
  if (through.empty() || through.back() != mine) through.push_back(mine);
}

std::uint32_t generation_of(const std::unordered_map<std::uint32_t, std::uint32_t>& known,
                            std::uint32_t key) {
  const auto found = known.find(key);
  return found == known.end() ? 0 : found->second;
}

}  // namespace

void forget_counters() {
  counters.clear();
  any_fence = false;
}

void forget_fences() {
  std::fill(std::begin(last_fence), std::end(last_fence), LastFence{});
  threads_fenced = all_fenced_before = 0;
  shared_counters.clear();
  told.clear();
  known_threads.clear();
  known_blocks.clear();
}

void block_has_met(std::uint32_t threads) {
  if (threads_fenced == threads) all_fenced_before = block_order.generation;
  threads_fenced = 0;
  told.clear();
}

void fence(bool block_only) {
  if (!running.in_kernel) return;
  any_fence = true;
  LastFence& mine = last_fence[running.thread];
  mine.block = block_order.generation;
  if (block_only) return;
  if (mine.device != block_order.generation) ++threads_fenced;
  mine.device = block_order.generation;
}

void counter_updated(const char* address, bool shared) {
  if (!any_fence) return;
  std::vector<Publication>& counter = (shared ? shared_counters : counters)[address];
  for (const Publication& publication : counter) learn(publication);
  publish(counter);
}

bool is_published(const Accesses& accesses) {
  const std::uint32_t block = accesses.thread / threads_in_block;
  // Atomics on one word have an order of their own: the last block comes after all others.
  if (accesses.flags & many_blocks) {
    return accesses.flags & atomic && block == running.block && !known_blocks.empty();
  }
  // Before a barrier that the publishing thread had passed, or by that thread itself.
  return generation_of(known_blocks, block) > accesses.generation ||
         generation_of(known_threads, accesses.thread) >= accesses.generation;
}

bool any_fence_orders_threads() { return !told.empty(); }
bool fence_orders(std::uint32_t thread) { return told.contains(pair_of(thread, this_thread())); }

}  // namespace simt::check
