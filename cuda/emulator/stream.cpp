// Deferred streams show what eager ones hide: a result that was read without waiting for the copy,
// an event that was never recorded. The work of several streams is done in an order drawn from the
// seed.
#include "cuda/emulator/stream.h"

#include <algorithm>
#include <random>
#include <vector>

#include "cuda/emulator/check.h"
#include "cuda/emulator/errors.h"

namespace simt {
namespace {

Stream default_stream;
std::vector<Stream*> streams{&default_stream};
std::vector<Event*> events;

Stream& stream_of(Stream* handle) { return handle ? *handle : default_stream; }
const void* handle_of(const Stream& stream) {
  return &stream == &default_stream ? nullptr : &stream;
}

/// Does a stream's next piece of work, if there is one.
bool do_next(Stream& stream) {
  if (stream.queue.empty()) return false;
  const Operation next = std::move(stream.queue.front());
  stream.queue.pop_front();
  check::operation_begins(next.number);
  next.work();
  check::operation_ends();
  return true;
}

void run_until(const Event& event, std::uint64_t record) {
  while (event.done < record && do_next(*event.stream)) {}
}

template <class T>
bool exists(const std::vector<T*>& all, const T* one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

bool is_stream(const Stream* stream) { return !stream || exists(streams, stream); }

void drain(Stream* stream) {
  while (do_next(stream_of(stream))) {}
}

void drain_all() {
  static std::mt19937_64 draw(config().seed);
  for (;;) {
    std::vector<Stream*> busy;
    for (Stream* const s : streams)
      if (!s->queue.empty()) busy.push_back(s);
    if (busy.empty()) return;
    do_next(*busy[draw() % busy.size()]);
  }
}

void drain(Event& event) { run_until(event, event.recorded); }

void submit(Stream* handle, std::string_view what, Loc where, std::function<void()> work) {
  Stream& stream = stream_of(handle);
  const std::uint32_t number = check::queued(handle_of(stream), what, where);
  // The default stream waits for all blocking streams, and they for it.
  if (&stream == &default_stream) {
    for (Stream* const other : streams)
      if (other->blocking && other != &stream) drain(other);
  } else if (stream.blocking) {
    drain(nullptr);
  }
  stream.queue.push_back({std::move(work), number});
  if (!config().deferred) drain(&stream);
}

}  // namespace simt

using namespace simt;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  *stream = new Stream;
  (*stream)->blocking = !(flags & cudaStreamNonBlocking);
  streams.push_back(*stream);
  check::stream_created(*stream, (*stream)->blocking);
  return set_error(cudaSuccess);
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (!stream || !is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  drain(stream);
  check::stream_destroyed(stream);
  std::erase(streams, stream);
  for (Event* const event : events)
    if (event->stream == stream) event->stream = &default_stream;  // its work is done
  delete stream;
  return set_error(cudaSuccess);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  drain(stream);
  check::host_waits_for_stream(stream);
  return set_error(cudaSuccess);
}

// Each query does one piece of work, so that a loop of queries comes to an end.
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  if (do_next(stream_of(stream))) return cudaErrorNotReady;
  check::host_waits_for_stream(stream);
  return set_error(cudaSuccess);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (!is_stream(stream) || !exists(events, event))
    return set_error(cudaErrorInvalidResourceHandle);
  check::stream_waits(stream, event);
  if (event->recorded == 0) return set_error(cudaSuccess);
  submit(stream, "cudaStreamWaitEvent", Loc{}, [event, record = event->recorded] {
    if (exists(events, event)) run_until(*event, record);
  });
  return set_error(cudaSuccess);
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  if (!function) return set_error(cudaErrorInvalidValue);
  submit(stream, "cudaLaunchHostFunc", Loc{}, [=] { function(argument); });
  return set_error(cudaSuccess);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  *event = new Event;
  (*event)->timed = !(flags & cudaEventDisableTiming);
  events.push_back(*event);
  return set_error(cudaSuccess);
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (!exists(events, event)) return set_error(cudaErrorInvalidResourceHandle);
  drain(*event);
  std::erase(events, event);
  delete event;
  return set_error(cudaSuccess);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (!is_stream(stream) || !exists(events, event))
    return set_error(cudaErrorInvalidResourceHandle);
  drain(*event);  // an earlier record in another stream
  event->stream = &stream_of(stream);
  const std::uint64_t record = ++event->recorded;
  check::event_recorded(event, stream);
  submit(stream, "cudaEventRecord", Loc{}, [event, record] {
    event->done = record;
    event->time = std::chrono::steady_clock::now();
  });
  return set_error(cudaSuccess);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (!exists(events, event)) return set_error(cudaErrorInvalidResourceHandle);
  drain(*event);
  check::host_waits_for_event(event);
  return set_error(cudaSuccess);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (!exists(events, event)) return set_error(cudaErrorInvalidResourceHandle);
  if (event->done < event->recorded && do_next(*event->stream)) return cudaErrorNotReady;
  check::host_waits_for_event(event);
  return set_error(cudaSuccess);
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  if (!exists(events, from) || !exists(events, to) || !from->timed || !to->timed ||
      !from->recorded || !to->recorded)
    return set_error(cudaErrorInvalidResourceHandle);
  if (from->done < from->recorded || to->done < to->recorded) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return set_error(cudaSuccess);
}
