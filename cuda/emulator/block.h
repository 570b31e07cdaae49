// The running block: its threads, what each of them waits for, and which comes next. One block runs
// at a time, and one of its threads. A thread runs until it waits for others (barrier.cpp,
// warp.cpp).
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <random>
#include <string>

#include "cuda/emulator/fiber.h"

namespace simt {

struct Launch;

inline constexpr int kMaxThreads = 1024, kWarp = 32;

enum class State : std::uint8_t { unstarted, ready, in_barrier, in_warp, finished };

struct Thread {
  uint3 index;
  State state;
  Fiber* fiber;  // null until it has run
  Loc where;     // of the barrier or collective in which it waits

  // In a collective:
  WarpOp op;
  std::uint32_t mask;
  int source;           // the lane that a shuffle reads
  bool source_missing;  // that lane does not take part
  std::uint64_t value;  // its contribution, later its result
};

struct Warp {
  std::uint32_t live;     // lanes that have not left the kernel
  std::uint32_t waiting;  // lanes in a collective
};

struct Barrier {
  int arrived, agreed;  // how many threads, and how many of them with a true predicate
  int result;
  bool divergent;  // they arrived at different places
  Loc where;
};

/// The threads that are ready to run, last in first out. So the threads of a warp that were woken
/// together continue together, and few stacks are in use at a time.
class ReadyList {
 public:
  bool empty() const { return size_ == 0; }
  void clear() { size_ = 0; }
  void push(int thread) { threads_[size_++] = std::uint16_t(thread); }
  void push_last(int thread);
  int pop();

 private:
  std::uint16_t threads_[kMaxThreads];
  int size_ = 0;
};

struct Block {
  const Launch* launch = nullptr;  // null: no kernel runs
  int size = 0, finished = 0;
  Thread* current = nullptr;
  std::string failure;  // the text given to fail()
  cudaError_t error;    // and CUDA's code for it
  std::uint64_t
      idle_operations;  // of all threads in a row: atomics that changed nothing, and fences
  Barrier barrier;
  ReadyList ready;
  Warp warps[kMaxThreads / kWarp];
  Thread threads[kMaxThreads];

  int number(const Thread& thread) const { return int(&thread - threads); }
};
extern Block block;
extern Schedule schedule;       // of the running grid
extern std::mt19937_64 chance;  // for Schedule::random

/// Numbers the threads, before the first block of a grid.
void begin_grid(const Launch&);

/// Runs the block `blockIdx` of a grid. False if it ended with a report.
bool run_block(const Launch&);

/// fail() with another error code. cudaErrorInvalidValue means a launch that a GPU would have
/// refused. It is not sticky.
[[noreturn]] void fail_with(cudaError_t, std::string what);

/// fail() with " at file:line" after the text.
[[noreturn]] void fail_at(std::string what, Loc where);

/// Suspends the current thread. Returns when it has been woken and its turn has come.
void suspend();

/// Makes lanes of a warp ready, to run in the schedule's order.
void wake(int warp, std::uint32_t lanes);

/// Lets the lanes that wait in __activemask continue together. True if there were any (warp.cpp).
bool release_active_lanes();

/// Completes the collectives that waited only for a lane that has left the kernel (warp.cpp).
void complete_collectives(int warp);

/// Says which threads wait where, when none can go on (deadlock.cpp).
std::string describe_deadlock();

/// "kernel softmax launched at norm.cu:31, block (0,0,0): "
std::string in_block(const Launch&);

}  // namespace simt
