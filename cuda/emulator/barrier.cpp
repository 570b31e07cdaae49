// __syncthreads and its three relatives. Arrivals are counted: the barrier opens when all threads
// of the block have arrived, and only if all arrived at the same one. In CUDA, anything else is
// undefined. Hardware often counts any arrival, and the result is a wrong sum somewhere. Here all
// threads keep waiting. The scheduler finds none to run and reports where each of them is.
#include <cstring>

#include "cuda/emulator/block.h"
#include "cuda/emulator/check.h"

namespace simt {
namespace {

bool same_place(const Loc& a, const Loc& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         std::strcmp(a.file_name(), b.file_name()) == 0;
}

int result(BarrierOp op, int agreed) {
  switch (op) {
    case BarrierOp::all: return agreed == block.size;
    case BarrierOp::any: return agreed > 0;
    default: return agreed;
  }
}

void open(BarrierOp op) {
  Barrier& barrier = block.barrier;
  barrier.arrived = 0;
  barrier.result = result(op, barrier.agreed);
  check::block_barrier();
  const int warps = (block.size + kWarp - 1) / kWarp;
  for (int i = 0; i < warps; ++i) {  // the last one woken runs first
    const int warp = schedule == Schedule::reverse ? i : warps - 1 - i;
    wake(warp, block.warps[warp].live);
  }
}

}  // namespace

int block_barrier(BarrierOp op, int predicate, Loc where) {
  const check::Pause pause;
  Barrier& barrier = block.barrier;
  if (barrier.arrived++ == 0) {
    barrier.agreed = 0;
    barrier.divergent = false;
    barrier.where = where;
  } else if (!same_place(where, barrier.where)) {
    barrier.divergent = true;
  }
  barrier.agreed += predicate != 0;
  block.current->where = where;
  block.current->state = State::in_barrier;
  if (barrier.arrived == block.size && !barrier.divergent) open(op);
  suspend();
  return barrier.result;  // the next barrier cannot open before all threads have read it
}

}  // namespace simt
