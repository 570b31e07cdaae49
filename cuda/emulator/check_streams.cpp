// Order among kernels, copies and the host: vector clocks, one entry for each stream and, first,
// one for the host. An operation carries the clock of its stream at the time it was queued; it is
// ordered after an earlier one if its clock has reached that one's serial number.
#include <algorithm>
#include <map>
#include <vector>

#include "cuda/emulator/check_order.h"

namespace simt::check {

std::uint32_t run_now;

namespace {

using Clock = std::vector<std::uint32_t>;
constexpr std::uint32_t host = 0;

struct Stream {
  std::uint32_t index = 1;  // of its entry in clocks
  bool blocking = true;     // whether it and the null stream wait for each other
  Clock clock;
};
struct Operation {
  std::uint32_t stream, serial;
  std::string_view what;
  Loc site;
};

std::uint32_t entries = 2;  // the host's and the null stream's
std::map<const void*, Stream> streams{{nullptr, {1, true, {}}}};
Clock destroyed;  // what streams did that are gone
std::map<const void*, Clock> events;
std::vector<Operation> operations{{}};  // by number; 0: none
std::map<std::uint32_t, Clock> clocks;  // of operations that have not ended
Clock host_clock{1};                    // [host]: what the host did until now
std::vector<Run> runs{{}};              // by number; 0: nobody
Clock run_clock;                        // of the current run
std::uint32_t operation_now, host_run;

std::uint32_t at(const Clock& clock, std::uint32_t i) { return i < clock.size() ? clock[i] : 0; }

void advance(Clock& clock, std::uint32_t i, std::uint32_t to) {
  if (clock.size() <= i) clock.resize(i + 1);
  clock[i] = std::max(clock[i], to);
}

void merge(Clock& into, const Clock& from) {
  for (std::uint32_t i = 0; i < from.size(); ++i) advance(into, i, from[i]);
}

/// What a stream's next operation comes after: the host's program so far, and by CUDA's rule for
/// the null stream, that one for a blocking stream, all blocking streams for the null stream.
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

/// What the host does from here on is not ordered before what it has queued until now.
void host_moves_on() {
  advance(host_clock, host, at(host_clock, host) + 1);
  host_run = 0;
}

}  // namespace

void stream_created(const void* stream, bool blocking) {
  const Pause pause;
  streams[stream] = {entries++, blocking, {}};
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
  host_moves_on();
  return number;
}

void new_run() {
  const Operation& operation = operations[operation_now];
  run_now = std::uint32_t(runs.size());
  runs.push_back({operation.stream, operation.serial, operation.what, operation.site});
}

void operation_begins(std::uint32_t number) {
  const Pause pause;
  operation_now = number;
  run_clock = clocks[number];
  new_run();
}

void operation_ends() {
  const Pause pause;
  clocks.erase(operation_now);
  operation_now = run_now = 0;
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
  host_moves_on();
}

void host_waits_for_stream(const void* name) {
  const Pause pause;
  merge(host_clock, next_in(name).clock);
  host_moves_on();
}

void host_waits_for_device() {
  const Pause pause;
  merge(host_clock, destroyed);
  for (const auto& [name, stream] : streams) merge(host_clock, stream.clock);
  host_moves_on();
}

std::uint32_t run_of_host() {
  if (!host_run) {
    host_run = std::uint32_t(runs.size());
    runs.push_back({host, at(host_clock, host), "", {}});
  }
  return host_run;
}

const Run& run_info(std::uint32_t run) { return runs[run]; }

bool run_is_ordered(std::uint32_t earlier) {
  const Run& run = runs[earlier];
  if (!run_now && run.stream == host) return true;  // the host's own earlier accesses
  return at(run_now ? run_clock : host_clock, run.stream) >= run.serial;
}

}  // namespace simt::check
