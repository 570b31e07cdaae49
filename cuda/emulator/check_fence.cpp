// Order between blocks. A launch gives none, but a program can make some: a thread writes, calls
// __threadfence(), and updates a counter atomically; whoever updates that counter later has seen
// what came before the fence. "The last block to finish adds up the others' results" rests on this.
//
// A counter remembers who published through it. The block that updates it learns that, all of it at
// once: an acquiring fence is not asked for, so a missing one is not found.
#include <algorithm>
#include <unordered_map>
#include <vector>

#include "cuda/emulator/check_order.h"

namespace simt::check {
namespace {

struct Publication {
  std::uint32_t thread, generation;  // of its block, when it passed the fence
};
std::unordered_map<const char*, std::vector<Publication>> counters;  // of the running grid
std::uint32_t fenced[threads_in_block];  // generation of each thread's last fence; 0: none

// What the running block has learnt: generations up to which others' accesses are ordered.
std::unordered_map<std::uint32_t, std::uint32_t> known_threads, known_blocks;

void learn(const Publication& publication) {
  std::uint32_t& of_thread = known_threads[publication.thread];
  of_thread = std::max(of_thread, publication.generation);
  std::uint32_t& of_block = known_blocks[publication.thread / threads_in_block];
  of_block = std::max(of_block, publication.generation);
}

std::uint32_t generation_of(const std::unordered_map<std::uint32_t, std::uint32_t>& known,
                            std::uint32_t key) {
  const auto found = known.find(key);
  return found == known.end() ? 0 : found->second;
}

}  // namespace

void forget_counters() { counters.clear(); }

void forget_fences() {
  std::fill(std::begin(fenced), std::end(fenced), 0u);
  known_threads.clear();
  known_blocks.clear();
}

void fence() {
  if (running.in_kernel) fenced[running.thread] = block_order.generation;
}

void counter_updated(const char* address) {
  const auto found = counters.find(address);
  if (found != counters.end()) {
    for (const Publication& publication : found->second) learn(publication);
  }
  if (fenced[running.thread]) counters[address].push_back({this_thread(), fenced[running.thread]});
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

}  // namespace simt::check
