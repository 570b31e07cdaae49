// The scheduler. Fibers run the threads, but not every thread has its own fiber. When a thread
// ends, its fiber takes the next thread that has not started, so a kernel without barriers runs all
// its threads on one stack, like a loop. Only a thread that waits keeps its fiber.
#include "cuda/emulator/block.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "cuda/emulator/check.h"
#include "cuda/emulator/errors.h"
#include "cuda/emulator/launch.h"
#include "cuda/emulator/shared.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
const int warpSize = simt::kWarp;

namespace simt {

Block block;
Schedule schedule = Schedule::forward;
std::mt19937_64 chance;

namespace {

Fiber host;  // where run_block was called
std::vector<std::unique_ptr<Fiber>> fibers;
std::vector<Fiber*> idle;

void run_threads();

Fiber* idle_fiber() {
  if (idle.empty()) {
    fibers.push_back(std::make_unique<Fiber>(run_threads));
    stats().fibers = fibers.size();
    return fibers.back().get();
  }
  Fiber* const fiber = idle.back();
  idle.pop_back();
  return fiber;
}

/// The next thread that can run, or null if all have finished or wait for each other.
Thread* next_thread() {
  if (block.ready.empty() && !release_active_lanes()) return nullptr;
  return &block.threads[block.ready.pop()];
}

void enter(Thread& thread) {
  block.current = &thread;
  threadIdx = thread.index;
  check::thread_runs(std::uint32_t(block.number(thread)), thread.fiber->stack_low(),
                     thread.fiber->stack_high());
}

void switch_to(Fiber& from, Fiber& to) {
  if (&from == &to) return;
  ++stats().switches;
  Fiber::switch_to(from, to);
}

/// Leaves the running fiber and continues with a thread, or with the host if there is none.
void continue_with(Thread* thread, Fiber& from) {
  if (!thread) return switch_to(from, host);
  if (!thread->fiber) thread->fiber = idle_fiber();
  enter(*thread);
  switch_to(from, *thread->fiber);
}

void finish(Thread& thread) {
  const int number = block.number(thread);
  Warp& warp = block.warps[number / kWarp];
  thread.state = State::finished;
  thread.fiber = nullptr;
  block.idle_operations = 0;
  ++block.finished;
  warp.live &= ~(1u << number % kWarp);
  if (warp.waiting) complete_collectives(number / kWarp);
}

/// The endless loop of every fiber.
void run_threads() {
  block.current->fiber->arrived();
  for (;;) {
    Fiber& fiber = *block.current->fiber;
    block.current->state = State::ready;
    block.launch->body.run(block.launch->body.context.get());
    const check::Pause pause;
    finish(*block.current);
    Thread* const next = next_thread();
    if (next && !next->fiber) {
      next->fiber = &fiber;
      enter(*next);
    } else {
      idle.push_back(&fiber);
      continue_with(next, fiber);
    }
  }
}

void reset(const Launch& launch) {
  block.launch = &launch;
  block.finished = 0;
  block.failure.clear();
  block.error = cudaErrorLaunchFailure;
  block.idle_operations = 0;
  block.barrier = {};
  block.ready.clear();
  for (int i = 0; i < block.size; ++i) {
    block.threads[i].state = State::unstarted;
    block.threads[i].fiber = nullptr;
    block.ready.push(schedule == Schedule::reverse ? i : block.size - 1 - i);
  }
  for (int first = 0; first < block.size; first += kWarp) {
    const int lanes = std::min(kWarp, block.size - first);
    block.warps[first / kWarp] = {lanes == kWarp ? ~0u : (1u << lanes) - 1, 0};
  }
}

}  // namespace

void ReadyList::push_last(int thread) {
  std::copy_backward(threads_, threads_ + size_, threads_ + size_ + 1);
  threads_[0] = std::uint16_t(thread);
  ++size_;
}

int ReadyList::pop() {
  if (schedule == Schedule::random)
    std::swap(threads_[chance() % std::uint64_t(size_)], threads_[size_ - 1]);
  return threads_[--size_];
}

void suspend() {
  Thread* const self = block.current;
  if (self->state != State::ready) block.idle_operations = 0;
  Thread* const next = next_thread();
  if (next == self) return enter(*self);
  continue_with(next, *self->fiber);
}

void wake(int warp, std::uint32_t lanes) {
  while (lanes) {  // the last one pushed runs first
    const int lane =
        schedule == Schedule::reverse ? std::countr_zero(lanes) : 31 - std::countl_zero(lanes);
    lanes &= ~(1u << lane);
    block.threads[warp * kWarp + lane].state = State::ready;
    block.ready.push(warp * kWarp + lane);
  }
}

// The random schedule switches threads at about every fourth atomic. The others carry on, but a
// thread that seems to wait in a loop of atomics must let the others run at some point. If all
// threads that can run do nothing but wait, only another block could end their wait, and it never
// will.
void yield_point(bool changed) {
  static unsigned in_a_row = 0;  // calls of the same thread
  static const Thread* last = nullptr;
  constexpr std::uint64_t kMostIdle = 10'000'000;
  if (!block.launch) return;
  const check::Pause pause;
  block.idle_operations = changed ? 0 : block.idle_operations + 1;
  if (block.idle_operations > kMostIdle)
    fail(
        std::string("waits in a loop for something that no other thread of the block will do; "
                    "blocks run one after another and cannot wait for each other"));
  if (block.ready.empty()) return;
  in_a_row = last == block.current ? in_a_row + 1 : 0;
  last = block.current;
  if (schedule == Schedule::random ? chance() % 4 != 0 : in_a_row < 1000) return;
  in_a_row = 0;
  block.current->state = State::ready;
  block.ready.push_last(block.number(*block.current));
  suspend();
}

void fence(bool block_only) {
  check::fence(block_only);
  yield_point(false);
}

unsigned lane_id() { return unsigned(block.number(*block.current)) % kWarp; }

void fail(std::string what) { fail_with(cudaErrorLaunchFailure, std::move(what)); }

void fail_with(cudaError_t error, std::string what) {
  const check::Pause pause;
  if (!block.launch) {
    std::fprintf(stderr, "simt: host code %s\n", what.c_str());
    std::abort();
  }
  const uint3 i = block.current->index;
  block.failure = "thread (" + std::to_string(i.x) + "," + std::to_string(i.y) + "," +
                  std::to_string(i.z) + ") " + what;
  block.error = error;
  std::string().swap(what);
  Fiber& from = *block.current->fiber;
  continue_with(nullptr, from);
  std::abort();  // a thread that has failed is never resumed
}

void fail(const char* what, Loc where) {
  const check::Pause pause;
  fail_at(what, where);
}

void fail_at(std::string what, Loc where) {
  const check::Pause pause;
  what += " at ";
  what += place(where);
  fail(std::move(what));
}

std::string in_block(const Launch& launch) {
  return "kernel " + std::string(launch.kernel.name) + " launched at " +
         place(launch.config.where) + ", block (" + std::to_string(blockIdx.x) + "," +
         std::to_string(blockIdx.y) + "," + std::to_string(blockIdx.z) + "): ";
}

void begin_grid(const Launch& launch) {
  const dim3 size = launch.config.block;
  block.size = int(size.x * size.y * size.z);
  for (unsigned i = 0; i < unsigned(block.size); ++i)
    block.threads[i].index = {i % size.x, i / size.x % size.y, i / size.x / size.y};
}

bool run_block(const Launch& launch) {
  reset(launch);
  begin_shared_memory(launch.config.shared_bytes, launch.shared_limit);
  continue_with(next_thread(), host);
  std::string what = block.failure;
  if (what.empty() && block.finished < block.size) what = describe_deadlock();
  block.launch = nullptr;
  ++stats().blocks;
  stats().threads += std::uint64_t(block.size);
  if (what.empty()) return true;
  if (block.error == cudaErrorInvalidValue)
    report_error(block.error, in_block(launch) + what);
  else
    report_sticky_error(block.error, in_block(launch) + what);
  idle.clear();
  for (const auto& fiber : fibers) {  // threads that were stopped never end
    fiber->reset();
    idle.push_back(fiber.get());
  }
  return false;
}

}  // namespace simt
