// The order of kernels, copies and the host, by vector clocks. The first entry of a clock is for
// the host, and each stream has one. An operation carries the clock that its stream had when the
// operation was queued. It is ordered after an earlier operation if its clock has reached that
// one's serial number.
#include <algorithm>
#include <map>
#include <vector>

#include "cuda/emulator/check_order.h"

namespace simt::check {

std::uint32_t operation_run;

namespace {

using Clock = std::vector<std::uint32_t>;
constexpr std::uint32_t host = 0;  // its entry in clocks, and its number as a stream

struct Stream {
  std::uint32_t index = 1;  // its entry in clocks
  bool blocking = true;     // whether it and the null stream wait for each other
  Clock clock;
};
struct Operation {
  std::uint32_t stream, serial;
  std::string_view what;
  Loc site;
};

std::uint32_t clock_entries = 2;  // so far: the host's and the null stream's
std::map<const void*, Stream> streams{{nullptr, {1, true, {}}}};
Clock destroyed;  // of the streams that have been destroyed
std::map<const void*, Clock> events;
std::vector<Operation> operations{{}};  // by number; 0: none
std::map<std::uint32_t, Clock> clocks;  // of the operations that have not ended
Clock host_clock{1};                    // [host]: what the host has done until now
std::vector<Run> runs{{}};              // by number; 0: none
Clock operation_clock;                  // of the running operation
std::uint32_t running_operation;        // 0: none
std::uint32_t latest_host_run;          // 0: the host has not accessed anything since its last call

std::uint32_t at(const Clock& clock, std::uint32_t i) { return i < clock.size() ? clock[i] : 0; }

void advance(Clock& clock, std::uint32_t i, std::uint32_t to) {
  if (clock.size() <= i) clock.resize(i + 1);
  clock[i] = std::max(clock[i], to);
}

void merge(Clock& into, const Clock& from) {
  for (std::uint32_t i = 0; i < from.size(); ++i) advance(into, i, from[i]);
}

/// Brings a stream's clock up to date for its next operation. That comes after what the host has
/// done so far. By CUDA's rule, in a blocking stream it also comes after the null stream's
/// operations, and in the null stream after those of all blocking streams.
Stream& next_in(const void* name) {
  Stream& stream = streams[name];
  merge(stream.clock, host_clock);
  if (!name) {
    for (const auto& [other, s] : streams) {
      if (s.blocking) merge(stream.clock, s.clock);
    }
  } else if (stream.blocking) {
    merge(stream.clock, streams.at(nullptr).clock);
  }
  return stream;
}

/// What the host does from here on is not ordered before the operations that it has queued.
void start_new_host_run() {
  advance(host_clock, host, at(host_clock, host) + 1);
  latest_host_run = 0;
}

}  // namespace

void stream_created(const void* stream, bool blocking) {
  const Pause pause;
  streams[stream] = {clock_entries++, blocking, {}};
}

void stream_destroyed(const void* stream) {
  const Pause pause;
  merge(destroyed, streams[stream].clock);
  streams.erase(stream);
}

std::uint32_t queued(const void* name, std::string_view what, Loc site) {
  const Pause pause;
  Stream& stream = next_in(name);
  const std::uint32_t serial = at(stream.clock, stream.index) + 1;
  advance(stream.clock, stream.index, serial);
  const auto number = std::uint32_t(operations.size());
  operations.push_back({stream.index, serial, what, site});
  clocks[number] = stream.clock;
  start_new_host_run();
  return number;
}

void new_run() {
  const Operation& operation = operations[running_operation];
  operation_run = std::uint32_t(runs.size());
  runs.push_back({operation.stream, operation.serial, operation.what, operation.site});
}

void operation_begins(std::uint32_t number) {
  const Pause pause;
  running_operation = number;
  operation_clock = clocks[number];
  new_run();
}

void operation_ends() {
  const Pause pause;
  clocks.erase(running_operation);
  running_operation = operation_run = 0;
}

void event_recorded(const void* event, const void* stream) {
  const Pause pause;
  events[event] = next_in(stream).clock;
}

void stream_waits(const void* stream, const void* event) {
  const Pause pause;
  merge(next_in(stream).clock, events[event]);
}

void host_waits_for_event(const void* event) {
  const Pause pause;
  merge(host_clock, events[event]);
  start_new_host_run();
}

void host_waits_for_stream(const void* name) {
  const Pause pause;
  merge(host_clock, next_in(name).clock);
  start_new_host_run();
}

void host_waits_for_device() {
  const Pause pause;
  merge(host_clock, destroyed);
  for (const auto& [name, stream] : streams) merge(host_clock, stream.clock);
  start_new_host_run();
}

std::uint32_t host_run() {
  if (!latest_host_run) {
    latest_host_run = std::uint32_t(runs.size());
    runs.push_back({host, at(host_clock, host), "", {}});
  }
  return latest_host_run;
}

const Run& run_info(std::uint32_t run) { return runs[run]; }

bool run_is_ordered(std::uint32_t earlier) {
  const Run& run = runs[earlier];
  if (!operation_run && run.stream == host) return true;  // the host's own earlier accesses
  return at(operation_run ? operation_clock : host_clock, run.stream) >= run.serial;
}

}  // namespace simt::check
