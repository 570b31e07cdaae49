// __syncthreads and its three relatives. Arrivals are counted: the barrier opens when all threads of
// the block have come, and only if all came to the same one. CUDA says no more than that anything
// else is undefined; hardware often counts whatever arrives, and the result is a wrong sum somewhere.
// Here everybody keeps waiting, and the scheduler, finding nobody to run, reports who is where.
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
  for (int i = 0; i < warps; ++i) {  // what is woken last runs first
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
  return barrier.result;  // the next barrier cannot open before everybody has read it
}

}  // namespace simt
