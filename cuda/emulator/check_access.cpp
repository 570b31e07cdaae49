// The heart of the checker. Every load and store of instrumented code comes here, and is judged
// word by word:
//
//   Does the memory exist?     If not: out of bounds, freed, host memory in a kernel, or device
//                              memory on the host.
//   Has it been written?       If not: an uninitialised read.
//   Is it ordered after the    If not, and one of the two writes: a data race between two threads,
//   previous access?           between two streams, or between a stream and the host.
//
// The last question is answered by a happens-before detector in the manner of FastTrack (Flanagan
// and Freund, 2009). A word remembers its last accesses, but not their history, and the answer does
// not depend on the order in which the scheduler happened to run the threads.
#include "cuda/emulator/check_access.h"

#include "cuda/emulator/check_order.h"
#include "cuda/emulator/check_report.h"
#include "cuda/emulator/check_shadow.h"
#include "cuda/emulator/profile.h"

namespace simt::check {

void (*observer)(const Access& access);

namespace {

extern "C" char __executable_start[], end[];  // the linker's names for the bounds of the program

const char *arguments_begin, *arguments_end;
bool checking_before_grid;

bool between(const char* p, const char* low, const char* high) { return p >= low && p < high; }

/// Besides device memory and its locals, a kernel may touch its parameters, __constant__ and
/// __device__ variables, and threadIdx.
bool belongs_to_kernel(const char* p) {
  return between(p, arguments_begin, arguments_end) || between(p, __executable_start, end);
}

bool host_may_touch(const char* p) {
  const Region* region = region_of(p);
  return region && (region->space == Space::pinned || region->space == Space::managed);
}

/// Whether `last` is a plain store of the running thread since the last barrier.
bool wrote_just_now(const Accesses& last, std::uint8_t mask) {
  return last.run == current_run() && last.thread == this_thread() &&
         last.generation == block_order.generation && (last.bytes & mask) == mask &&
         !(last.flags & atomic);
}

void judge_word(Cell& cell, std::uint8_t mask, const Access& access) {
  const bool reads = access.kind != Kind::store;
  const bool writes = access.kind == Kind::store || access.kind == Kind::atomic;
  const bool atomically = access.kind == Kind::atomic || access.kind == Kind::atomic_load;
  const std::uint8_t flags = atomically ? atomic : 0;
  if ((cell.valid & mask) != mask) return report_bad_address(access);
  // A partly written word may belong to a struct, whose padding is never written.
  if (reads && !(cell.written & mask)) return report_uninitialised(access);

  const bool both_atomic = flags & cell.write.flags & atomic;
  if (cell.write.run && cell.write.bytes & mask && !both_atomic && !is_ordered(cell.write)) {
    report_race(access, cell.write, cell.write.flags & atomic ? Kind::atomic : Kind::store);
  }
  if (writes && cell.read.run && cell.read.bytes & mask && !is_ordered(cell.read)) {
    report_race(access, cell.read, Kind::load);
  }

  if (access.kind == Kind::atomic_load) return;
  if (access.kind == Kind::load) {
    join(cell.read, mask, flags, access.pc);
  } else if (both_atomic) {
    join(cell.write, mask, flags, access.pc);
  } else if (atomically && wrote_just_now(cell.write, mask)) {
    // The plain store stays on record, because the atomics of other threads may race with it.
  } else {
    const Accesses& last = cell.write;
    const bool same = last.run == current_run() && last.thread == this_thread() &&
                      last.generation == block_order.generation && last.flags == flags;
    replace(cell.write, std::uint8_t(same ? last.bytes | mask : mask), flags, access.pc);
  }
  if (writes) cell.written |= mask;
}

void judge_words(const Access& access) {
  const char* p = access.address;
  for (std::size_t left = access.bytes; left;) {
    const Piece piece = piece_at(p, left);
    judge_word(cell_of(p), piece.mask, access);
    p += piece.bytes;
    left -= piece.bytes;
  }
}

/// A copy or a library call runs as a single thread of its own.
void judge_range(Kind kind, const void* p, std::size_t bytes) {
  if (!inside(p)) return;
  const Pause pause;
  judge_words({kind, static_cast<const char*>(p), bytes, 0});
}

}  // namespace

void grid_begins(const Grid& grid) {
  checking_before_grid = running.checking;
  running.checking = false;
  new_run();
  forget_counters();
  set_threads_of_block(grid.threads);
  arguments_begin = static_cast<const char*>(grid.arguments);
  arguments_end = arguments_begin + grid.argument_bytes;
  running.in_kernel = true;
  set_grid(grid);
  profile::grid_begins(grid);
}

void grid_repeats() {
  new_run();
  forget_counters();
  profile::grid_repeats();
}

void grid_ends() {
  running = Running{};
  running.checking = false;
  block_order.generation = 0;
  forget_shared_arrays();
  profile::grid_ends();
  running.checking = checking_before_grid;
}

void range_read(const void* p, std::size_t bytes) { judge_range(Kind::load, p, bytes); }
void range_written(void* p, std::size_t bytes) { judge_range(Kind::store, p, bytes); }

void judge(const Access& access) {
  if (running.in_kernel) {
    if (!inside(access.address)) {
      if (belongs_to_kernel(access.address)) {
        if (access.kind == Kind::atomic) counter_updated(access.address, false);
        return;
      }
      const Pause pause;
      return report_host_memory(access);
    }
    const bool shared = between(access.address, shared_begin, shared_end);
    if (access.kind == Kind::atomic) counter_updated(access.address, shared);
    judge_words(access);
    if (profile::active && access.kind != Kind::atomic_load) { profile::count(access, shared); }
    if (observer) observer(access);
  } else if (inside(access.address)) {
    const Pause pause;
    if (!host_may_touch(access.address)) report_host_access(access);
    judge_words(access);
  }
}

}  // namespace simt::check
