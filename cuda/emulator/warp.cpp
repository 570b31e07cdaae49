// Collectives of a warp. A lane that arrives states its operation and its mask, and waits. When all
// lanes of the mask that are still in the kernel wait with the same operation and mask, the last
// one computes the results of all. If a lane in the mask never arrives, the others keep waiting,
// and deadlock.cpp says so. Shuffles exchange registers. Only __syncwarp orders memory accesses.
#include <bit>
#include <cstring>

#include "cuda/emulator/block.h"
#include "cuda/emulator/check.h"

namespace simt {
namespace {

Thread& lane_of(int warp, int lane) { return block.threads[warp * kWarp + lane]; }

template <class F>
void each_lane(std::uint32_t lanes, F f) {
  for (; lanes; lanes &= lanes - 1) f(std::countr_zero(lanes));
}

std::uint32_t reduce(WarpOp op, std::uint32_t a, std::uint32_t b) {
  switch (op) {
    case WarpOp::reduce_add: return a + b;
    case WarpOp::reduce_min: return a < b ? a : b;
    case WarpOp::reduce_max: return a < b ? b : a;
    case WarpOp::reduce_and: return a & b;
    case WarpOp::reduce_xor: return a ^ b;
    default: return a | b;
  }
}

/// The result of an operation that is the same for all of its lanes.
std::uint64_t fold(WarpOp op, std::uint32_t lanes, const std::uint64_t* values) {
  const int first = std::countr_zero(lanes);
  std::uint32_t set = 0, equal = 0, reduced = std::uint32_t(values[first]);
  each_lane(lanes, [&](int i) {
    set |= std::uint32_t(values[i] != 0) << i;
    equal |= std::uint32_t(values[i] == values[first]) << i;
    if (i != first) reduced = reduce(op, reduced, std::uint32_t(values[i]));
  });
  switch (op) {
    case WarpOp::ballot: return set;
    case WarpOp::any: return set != 0;
    case WarpOp::all: return set == lanes;
    case WarpOp::match_all: return equal == lanes ? lanes : 0;
    case WarpOp::activemask: return lanes;
    default: return reduced;
  }
}

bool is_shuffle(WarpOp op) { return op >= WarpOp::shfl && op <= WarpOp::shfl_xor; }

/// All of `lanes` have arrived: each gets its result and becomes ready.
void complete(int warp, std::uint32_t lanes, WarpOp op) {
  block.warps[warp].waiting &= ~lanes;
  std::uint64_t values[kWarp];
  each_lane(lanes, [&](int i) { values[i] = lane_of(warp, i).value; });
  if (op == WarpOp::sync) {
    check::warp_barrier(std::uint32_t(warp), lanes);
  } else if (is_shuffle(op)) {
    each_lane(lanes, [&](int i) {
      Thread& thread = lane_of(warp, i);
      thread.source_missing = !(lanes >> thread.source & 1);
      if (!thread.source_missing) thread.value = values[thread.source];
    });
  } else if (op == WarpOp::match_any) {
    each_lane(lanes, [&](int i) {
      std::uint32_t equal = 0;
      each_lane(lanes, [&](int j) { equal |= std::uint32_t(values[j] == values[i]) << j; });
      lane_of(warp, i).value = equal;
    });
  } else {
    const std::uint64_t result = fold(op, lanes, values);
    each_lane(lanes, [&](int i) { lane_of(warp, i).value = result; });
  }
  wake(warp, lanes);
}

/// The lanes that wait with the same operation and mask as this thread.
std::uint32_t companions(int warp, const Thread& thread) {
  std::uint32_t lanes = 0;
  each_lane(block.warps[warp].waiting, [&](int i) {
    const Thread& other = lane_of(warp, i);
    lanes |= std::uint32_t(other.op == thread.op && other.mask == thread.mask) << i;
  });
  return lanes;
}

}  // namespace

std::uint64_t warp_collective(WarpOp op, std::uint32_t mask, std::uint64_t value, int source,
                              Loc where) {
  const check::Pause pause;
  Thread& self = *block.current;
  const int number = block.number(self), warp = number / kWarp, lane = number % kWarp;
  if (!(mask >> lane & 1)) fail("calls a warp function with a mask that leaves it out", where);
  self.state = State::in_warp;
  self.op = op;
  self.mask = mask;
  self.value = value;
  self.source = source;
  self.source_missing = false;
  self.where = where;
  block.warps[warp].waiting |= 1u << lane;

  const std::uint32_t needed = mask & block.warps[warp].live;
  if (op != WarpOp::activemask && (block.warps[warp].waiting & needed) == needed &&
      companions(warp, self) == needed)
    complete(warp, needed, op);
  suspend();
  if (self.source_missing) {
    const check::Pause for_the_report;  // the checks have been on since the thread was resumed
    fail_at("shuffles from lane " + std::to_string(source) + ", which does not take part", where);
  }
  return self.value;
}

void complete_collectives(int warp) {
  std::uint32_t rest = block.warps[warp].waiting;
  while (rest) {
    const Thread& thread = lane_of(warp, std::countr_zero(rest));
    const std::uint32_t lanes = companions(warp, thread);
    rest &= ~lanes;
    if (thread.op != WarpOp::activemask && lanes == (thread.mask & block.warps[warp].live))
      complete(warp, lanes, thread.op);
  }
}

bool release_active_lanes() {
  bool any = false;
  for (int warp = 0; warp * kWarp < block.size; ++warp) {
    std::uint32_t together = 0;
    const Thread* first = nullptr;
    each_lane(block.warps[warp].waiting, [&](int i) {
      const Thread& thread = lane_of(warp, i);
      if (thread.op != WarpOp::activemask) return;
      if (!first) first = &thread;
      const bool same = thread.where.line() == first->where.line() &&
                        thread.where.column() == first->where.column();
      together |= std::uint32_t(same) << i;
    });
    if (!together) continue;
    complete(warp, together, WarpOp::activemask);
    any = true;
  }
  return any;
}

}  // namespace simt
