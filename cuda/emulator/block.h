// The block that runs: its threads, what each of them waits for, and who is next. One block runs at
// a time, and one thread of it; a thread runs until it waits for others (barrier.cpp, warp.cpp).
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
  Loc where;     // the barrier or collective in which it waits; for the latter:
  WarpOp op;
  std::uint32_t mask;
  int source;           // the lane that a shuffle reads
  std::uint64_t value;  // what it brings, then what it gets
};

struct Warp {
  std::uint32_t live;     // lanes that have not left the kernel
  std::uint32_t waiting;  // lanes in a collective
};

struct Barrier {
  int arrived, agreed;  // how many came, and how many of them with a true predicate
  int result;
  bool divergent;  // they came at different places
  Loc where;
};

/// Threads that can go on, last in first out: the threads of a warp that were woken together run
/// on together, and few stacks are in use at a time.
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
  std::string failure;      // what fail() was told
  cudaError_t error;        // what that is for CUDA
  std::uint64_t fruitless;  // atomics in a row, of all threads, that changed nothing
  Barrier barrier;
  ReadyList ready;
  Warp warps[kMaxThreads / kWarp];
  Thread threads[kMaxThreads];

  int number(const Thread& thread) const { return int(&thread - threads); }
};
extern Block block;
extern Schedule schedule;       // of the running grid
extern std::mt19937_64 chance;  // for Schedule::random

/// Before the first block of a grid: numbers the threads.
void begin_grid(const Launch&);

/// Runs the block `blockIdx` of a grid; false if it ended with a report.
bool run_block(const Launch&);

/// fail() with an error of its own. cudaErrorInvalidValue is a launch that a GPU would have refused:
/// it is forgotten when it has been asked for.
[[noreturn]] void fail_with(cudaError_t, std::string what);

/// fail() with " at file:line" behind the text.
[[noreturn]] void fail_at(std::string what, Loc where);

/// Suspends the current thread; returns when it has been woken and its turn has come.
void suspend();

/// Makes lanes of a warp ready, so that they run in the schedule's order.
void wake(int warp, std::uint32_t lanes);

/// Lets lanes waiting in __activemask go on together; true if there were any (warp.cpp).
bool release_active_lanes();

/// After a lane has left the kernel: collectives that waited only for it are complete (warp.cpp).
void complete_collectives(int warp);

/// Who waits where, when nobody can go on (deadlock.cpp).
std::string describe_deadlock();

/// "kernel softmax launched at norm.cu:31, block (0,0,0): "
std::string in_block(const Launch&);

}  // namespace simt
