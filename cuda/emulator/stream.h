// Streams: queues of work. Eager streams do their work when it is submitted. Deferred streams do it
// when the host waits for it, the latest that a GPU may do it.
#pragma once
#include <cuda_runtime.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string_view>

namespace simt {

struct Operation {
  std::function<void()> work;
  std::uint32_t number;  // the checker's
};

struct Stream {
  std::deque<Operation> queue;
  bool blocking = true;  // ordered with the null stream
};

struct Event {
  Stream* stream = nullptr;
  std::uint64_t recorded = 0, done = 0;  // how many records were queued, and how many have run
  std::chrono::steady_clock::time_point time;
  bool timed = true;
};

/// Puts work into a stream. Null is the default stream.
void submit(Stream*, std::string_view what, Loc where, std::function<void()> work);

/// Whether a handle is the default stream, or one that was created and not yet destroyed.
bool is_stream(const Stream*);

/// Do all work of a stream, all work of all streams, or the work up to the latest record of an
/// event.
void drain(Stream*);
void drain_all();
void drain(Event&);

}  // namespace simt
