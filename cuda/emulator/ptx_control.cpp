// Branches and calls, barriers, and what a warp does together. PTX ISA, sections 9.7.12 (control
// flow) and 9.7.13 (synchronisation).
#include <algorithm>

#include "cuda/emulator/ptx_table.h"
#include "simt/sync.h"

namespace simt::ptx {
namespace {

// ---- Control flow -------------------------------------------------------------------------------

void branch(Machine& m, const Instruction& i) { m.jump(i.target); }
void branch_indexed(Machine& m, const Instruction& i) {
  const auto& table = m.function().tables[i.target];
  const auto index = m.get<uint32_t>(i.operand[0]);
  if (index >= table.size()) m.fault(i, "branches past the end of its table");
  m.jump(table[index]);
}
void call(Machine& m, const Instruction& i) { m.call(i); }
void leave(Machine& m, const Instruction&) { m.leave(); }
void end_thread(Machine& m, const Instruction&) { m.end_thread(); }
void trap(Machine& m, const Instruction& i) { m.fault(i, "executes a trap"); }

// ---- Barriers -----------------------------------------------------------------------------------

void require_barrier_0(Machine& m, const Instruction& i, Operand number) {
  if (m.get<uint32_t>(number) != 0) m.fault(i, "uses a named barrier, which is not emulated");
}
void barrier(Machine& m, const Instruction& i) {
  require_barrier_0(m, i, i.operand[0]);
  block_barrier(BarrierOp::plain, 0, Loc{});
}
template <BarrierOp Op>
void barrier_reduce(Machine& m, const Instruction& i) {  // bar.red.popc.u32 d, number, predicate
  require_barrier_0(m, i, i.operand[1]);
  const auto result = block_barrier(Op, m.get<bool>(i.operand[i.operands - 1]), Loc{});
  m.set(i.operand[0], static_cast<uint32_t>(result));
}
void warp_barrier(Machine& m, const Instruction& i) {
  warp_collective(WarpOp::sync, m.get<uint32_t>(i.operand[0]), 0, 0, Loc{});
}
void yield(Machine&, const Instruction&) { yield_point(false); }

// ---- Collectives of the warp --------------------------------------------------------------------

// shfl.sync.mode.b32 d|p, a, b, c, mask: c contains the width of the pieces and the last lane, as
// in the ISA's pseudocode of shfl. p tells whether the source lane was inside the piece.
template <WarpOp Op>
void shuffle(Machine& m, const Instruction& i) {
  const unsigned lane = lane_id(), b = m.get<uint32_t>(i.operand[2]) & 31;
  const auto c = m.get<uint32_t>(i.operand[3]);
  const unsigned segment = c >> 8 & 31, clamp = c & 31;
  const unsigned first = lane & segment, last = first | (clamp & ~segment);
  int source = 0;
  bool inside = false;
  switch (Op) {
    case WarpOp::shfl_up:
      source = static_cast<int>(lane) - static_cast<int>(b);
      inside = source >= static_cast<int>(last);
      break;
    case WarpOp::shfl_down: source = static_cast<int>(lane + b); break;
    case WarpOp::shfl_xor: source = static_cast<int>(lane ^ b); break;
    default: source = static_cast<int>(first | (b & ~segment)); break;
  }
  if (Op != WarpOp::shfl_up) inside = source <= static_cast<int>(last);
  if (!inside) source = static_cast<int>(lane);
  const auto mask = m.get<uint32_t>(i.operand[4]);
  const uint64_t value = warp_collective(Op, mask, m.get<uint32_t>(i.operand[1]), source, Loc{});
  m.set(i.operand[0], static_cast<uint32_t>(value));
  if (i.second.reg()) m.set(i.second, inside);
}

template <WarpOp Op>
void vote(Machine& m, const Instruction& i) {
  const auto mask = m.get<uint32_t>(i.operand[2]);
  m.set(i.operand[0], warp_collective(Op, mask, m.get<bool>(i.operand[1]), 0, Loc{}));
}

template <WarpOp Op, class T>
void match(Machine& m, const Instruction& i) {
  const auto mask = m.get<uint32_t>(i.operand[2]);
  const uint64_t lanes = warp_collective(Op, mask, m.get<T>(i.operand[1]), 0, Loc{});
  m.set(i.operand[0], lanes);
  if (i.second.reg()) m.set(i.second, lanes != 0);
}

template <WarpOp Op, bool Signed>
void reduce(Machine& m, const Instruction& i) {
  constexpr uint32_t flip = Signed ? 0x80000000u : 0;  // turns signed order into unsigned order
  const auto mask = m.get<uint32_t>(i.operand[2]);
  const uint32_t value = m.get<uint32_t>(i.operand[1]) ^ flip;
  m.set(i.operand[0], static_cast<uint32_t>(warp_collective(Op, mask, value, 0, Loc{})) ^ flip);
}

void active_mask(Machine& m, const Instruction& i) {
  m.set(i.operand[0], warp_collective(WarpOp::activemask, ~0u, 0, 0, Loc{}));
}

const Table& table() {
  static const Table t = {// clang-format off
      {"bra", branch}, {"bra.uni", branch},
      {"brx.idx", branch_indexed}, {"brx.idx.uni", branch_indexed},
      {"call", call}, {"call.uni", call},
      {"ret", leave}, {"ret.uni", leave},
      {"exit", end_thread}, {"trap", trap},
      {"bar.sync", barrier}, {"bar.cta.sync", barrier},
      {"barrier.sync", barrier}, {"barrier.sync.aligned", barrier},
      {"barrier.cta.sync", barrier}, {"barrier.cta.sync.aligned", barrier},
      {"bar.red.popc.u32", barrier_reduce<BarrierOp::count>},
      {"bar.cta.red.popc.u32", barrier_reduce<BarrierOp::count>},
      {"bar.red.and.pred", barrier_reduce<BarrierOp::all>},
      {"bar.cta.red.and.pred", barrier_reduce<BarrierOp::all>},
      {"bar.red.or.pred", barrier_reduce<BarrierOp::any>},
      {"bar.cta.red.or.pred", barrier_reduce<BarrierOp::any>},
      {"bar.warp.sync", warp_barrier},
      {"shfl.sync.idx.b32", shuffle<WarpOp::shfl>},
      {"shfl.sync.up.b32", shuffle<WarpOp::shfl_up>},
      {"shfl.sync.down.b32", shuffle<WarpOp::shfl_down>},
      {"shfl.sync.bfly.b32", shuffle<WarpOp::shfl_xor>},
      {"vote.sync.ballot.b32", vote<WarpOp::ballot>},
      {"vote.sync.any.pred", vote<WarpOp::any>},
      {"vote.sync.all.pred", vote<WarpOp::all>},
      {"match.any.sync.b32", match<WarpOp::match_any, uint32_t>},
      {"match.any.sync.b64", match<WarpOp::match_any, uint64_t>},
      {"match.all.sync.b32", match<WarpOp::match_all, uint32_t>},
      {"match.all.sync.b64", match<WarpOp::match_all, uint64_t>},
      {"redux.sync.add.u32", reduce<WarpOp::reduce_add, false>},
      {"redux.sync.add.s32", reduce<WarpOp::reduce_add, false>},
      {"redux.sync.min.u32", reduce<WarpOp::reduce_min, false>},
      {"redux.sync.min.s32", reduce<WarpOp::reduce_min, true>},
      {"redux.sync.max.u32", reduce<WarpOp::reduce_max, false>},
      {"redux.sync.max.s32", reduce<WarpOp::reduce_max, true>},
      {"redux.sync.and.b32", reduce<WarpOp::reduce_and, false>},
      {"redux.sync.or.b32", reduce<WarpOp::reduce_or, false>},
      {"redux.sync.xor.b32", reduce<WarpOp::reduce_xor, false>},
      {"activemask.b32", active_mask}, {"nanosleep.u32", yield}};
  // clang-format on
  return t;
}

}  // namespace

Handler find_control(const Name& name, Instruction&) {
  if (name.part[0] == "membar" || name.part[0] == "fence") return yield;
  return look_up(table(), name.full);
}

}  // namespace simt::ptx
