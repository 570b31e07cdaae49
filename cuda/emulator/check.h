// What the emulator tells its checker, and what the checker asks of the emulator.
//
// In the checked build (-DSIMT_CHECK) the kernels are compiled with -fsanitize=thread: the compiler
// puts a call before every load and store. check_hooks.cpp answers those calls. To judge an access
// it must know which thread runs, which memory exists, and which barriers, streams and events order
// what. The emulator tells it by calling the functions below. In a plain build they are empty.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "simt/location.h"

namespace simt {

// ---- What the checker asks of the emulator (block.cpp, errors.cpp define these) -----------------

/// Ends the running kernel thread, its block and its grid with a sticky error. The report reads
/// "kernel K launched at F:L, block (x,y,z): thread (x,y,z) " + what. The text is passed by value,
/// because the thread's stack is abandoned, and what it still owned would leak.
[[noreturn]] void fail(std::string what);

/// Reports a finding outside a kernel, with a sticky error as well.
void report(const std::string& what);

namespace check {

/// device: cudaMalloc. pinned: cudaMallocHost. managed: cudaMallocManaged. shared: the arena from
/// which the emulator takes the shared arrays of the running block.
enum class Space : std::uint8_t { device, pinned, managed, shared };

/// A grid that starts to run.
struct Grid {
  std::string_view kernel;
  Loc site;               ///< of the launch
  std::uint32_t threads;  ///< per block
  const void* arguments;  ///< the parameters that every thread copies, and their size
  std::size_t argument_bytes;
  const void* const* pointers;  ///< the value of parameter i if it is a pointer, else null
  int parameters;
};

#if defined(SIMT_CHECK)
inline constexpr bool enabled = true;

/// The running thread, written at every switch and read at every access.
struct Running {
  bool checking = true;  ///< false while the emulator's own code runs
  bool in_kernel = false;
  std::uint32_t block = 0, thread = 0;  ///< linear indices
  const char* stack_low = nullptr;      ///< the fiber's own stack: locals are not checked
  const char* stack_high = nullptr;
};
extern Running running;

/// Turns the checks off in a scope. Every entry point of the emulator that does more than return a
/// value starts with one. The linker may use an instrumented copy of std::vector's inline functions
/// for the emulator's code too, and their accesses must not be mistaken for the kernel's.
class Pause {
 public:
  Pause() : before_(running.checking) { running.checking = false; }
  ~Pause() { running.checking = before_; }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  bool before_;
};

// Memory. Addresses from `allocate` lie in one arena that has a shadow, and are never reused.
void* allocate(std::size_t bytes, Space);  ///< 256-byte aligned; ends the program if none is left
void release(void* p);                     ///< takes only what `allocate` returned
bool owns(const void* p);                  ///< whether p points into the arena, freed or not
/// The running operation (a copy, a memset, cuBLAS) reads or writes a range of memory. Ranges
/// outside the arena are ignored. A race with another stream or with the host is reported.
void range_read(const void* p, std::size_t bytes);
void range_written(void* p, std::size_t bytes);
/// From now on, the running block has this shared array, static or dynamic. It is uninitialised.
void shared_array(void* p, std::size_t bytes, const char* name, std::size_t element_bytes);

// A grid runs.
void grid_begins(const Grid&);
void grid_repeats();  ///< the same grid runs again, from the memory it had before (replay)
void block_begins(std::uint32_t block);  ///< forgets the shared arrays of the previous block
void grid_ends();
/// The emulator switches to a thread, perhaps back to one after a wait. Checks are on from here.
inline void thread_runs(std::uint32_t thread, const char* stack_low, const char* stack_high) {
  running.thread = thread;
  running.stack_low = stack_low;
  running.stack_high = stack_high;
  running.checking = true;
}
void block_barrier();  ///< all threads have met in __syncthreads
void warp_barrier(std::uint32_t warp, std::uint32_t lanes);  ///< these have met in __syncwarp
void fence(bool block_only);  ///< the running thread calls __threadfence or __threadfence_block

// Streams: what is ordered before what. Streams and events are identified by their addresses. The
// null stream, nullptr, exists from the start. Each call is reported in program order, even if its
// work is deferred.
void stream_created(const void* stream, bool blocking);
void stream_destroyed(const void* stream);
/// An operation joins a stream. Returns its number, for `operation_begins` when it runs.
std::uint32_t queued(const void* stream, std::string_view what, Loc site);
void operation_begins(std::uint32_t operation);
void operation_ends();
void event_recorded(const void* event, const void* stream);
void stream_waits(const void* stream, const void* event);
void host_waits_for_event(const void* event);  ///< also when cudaEventQuery says that it is done
void host_waits_for_stream(const void* stream);
void host_waits_for_device();

#else
inline constexpr bool enabled = false;

struct Pause {
  Pause() {}
};
inline void* allocate(std::size_t, Space) { return nullptr; }
inline void release(void*) {}
inline bool owns(const void*) { return false; }
inline void range_read(const void*, std::size_t) {}
inline void range_written(void*, std::size_t) {}
inline void shared_array(void*, std::size_t, const char*, std::size_t) {}
inline void grid_begins(const Grid&) {}
inline void block_begins(std::uint32_t) {}
inline void grid_repeats() {}
inline void grid_ends() {}
inline void thread_runs(std::uint32_t, const char*, const char*) {}
inline void block_barrier() {}
inline void warp_barrier(std::uint32_t, std::uint32_t) {}
inline void fence(bool) {}
inline void stream_created(const void*, bool) {}
inline void stream_destroyed(const void*) {}
inline std::uint32_t queued(const void*, std::string_view, Loc) { return 0; }
inline void operation_begins(std::uint32_t) {}
inline void operation_ends() {}
inline void event_recorded(const void*, const void*) {}
inline void stream_waits(const void*, const void*) {}
inline void host_waits_for_event(const void*) {}
inline void host_waits_for_stream(const void*) {}
inline void host_waits_for_device() {}
#endif

}  // namespace check
}  // namespace simt
