// Order by fences. A launch gives none between its blocks, and a block none between its warps but at a
// barrier; a program can make some: a thread writes, calls __threadfence(), and updates a counter
// atomically; whoever updates that counter later has seen what came before the fence. "The last block
// to finish adds up the others' results" rests on this, and so do locks and flags.
//
// A counter remembers who published through it. Who updates it learns that: all of a block at once
// if it was another block, else the one thread. It is coarser than the truth, and never louder: a
// fence stands for all that its thread does between two barriers, and an acquiring fence is not
// asked for, so a missing one is not found.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cuda/emulator/check_order.h"

namespace simt::check {
namespace {

/// Generations of its block in which a thread has passed its last fence; 0: none.
struct Fenced {
  std::uint32_t device, block;  // __threadfence; any fence
  bool operator==(const Fenced&) const = default;
};
Fenced fenced[threads_in_block];
struct Publication {
  std::uint32_t thread;
  Fenced until;
  std::uint32_t met;  // of all threads of its block, what they did in generations below this one
  bool operator==(const Publication&) const = default;
};
using Counters = std::unordered_map<const char*, std::vector<Publication>>;
Counters counters, shared_counters;  // of the running grid, of the running block
bool anybody_fenced;                 // in the running grid
// If all threads of a block pass a __threadfence and then a barrier, any of them may publish for all.
std::uint32_t fenced_now, met;  // how many have, in this generation; where it was so last

// What the running block has learnt: generations up to which others' accesses are ordered.
std::unordered_map<std::uint32_t, std::uint32_t> known_threads, known_blocks;
// In this generation of the running block: who has told whom, as linear thread numbers.
std::unordered_set<std::uint64_t> told;

std::uint64_t pair(std::uint32_t teller, std::uint32_t hearer) {
  return std::uint64_t(teller) << 32 | hearer;
}

void learn(const Publication& publication) {
  const std::uint32_t block = publication.thread / threads_in_block;
  if (block == running.block) {
    if (publication.until.block == block_order.generation) {
      told.insert(pair(publication.thread, this_thread()));
    }
    return;
  }
  std::uint32_t& of_thread = known_threads[publication.thread];
  of_thread = std::max(of_thread, publication.until.device);
  std::uint32_t& of_block = known_blocks[block];
  of_block = std::max({of_block, publication.until.device, publication.met});
}

void publish(std::vector<Publication>& through) {
  const Publication mine{this_thread(), fenced[running.thread], met};
  if (!mine.until.block && !met) return;
  // A thread that waits in a loop says the same again and again.
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
  anybody_fenced = false;
}

void forget_fences() {
  std::fill(std::begin(fenced), std::end(fenced), Fenced{});
  fenced_now = met = 0;
  shared_counters.clear();
  told.clear();
  known_threads.clear();
  known_blocks.clear();
}

void block_has_met(std::uint32_t threads) {
  if (fenced_now == threads) met = block_order.generation;
  fenced_now = 0;
  told.clear();
}

void fence(bool block_only) {
  if (!running.in_kernel) return;
  anybody_fenced = true;
  Fenced& mine = fenced[running.thread];
  mine.block = block_order.generation;
  if (block_only) return;
  if (mine.device != block_order.generation) ++fenced_now;
  mine.device = block_order.generation;
}

void counter_updated(const char* address, bool shared) {
  if (!anybody_fenced) return;
  std::vector<Publication>& counter = (shared ? shared_counters : counters)[address];
  for (const Publication& publication : counter) learn(publication);
  publish(counter);
}

bool is_published(const Accesses& accesses) {
  const std::uint32_t block = accesses.thread / threads_in_block;
  // Atomics on one word have an order of their own: the block that came last comes after all.
  if (accesses.flags & many_blocks) {
    return accesses.flags & atomic && block == running.block && !known_blocks.empty();
  }
  // Before a barrier that the publishing thread had passed, or by that thread itself.
  return generation_of(known_blocks, block) > accesses.generation ||
         generation_of(known_threads, accesses.thread) >= accesses.generation;
}

bool anybody_told() { return !told.empty(); }
bool has_told(std::uint32_t thread) { return told.contains(pair(thread, this_thread())); }

}  // namespace simt::check
