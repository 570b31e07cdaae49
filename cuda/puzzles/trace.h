// What the threads of a kernel did: each load and store, as the checked emulator sees them. On a
// GPU there is nothing to see, and `available` is false.
#pragma once
#include <cstddef>

#include "cuda/puzzles/puzzle.h"

namespace puzzle::trace {

#if defined(SIMT_CHECK)
inline constexpr bool available = true;
#else
inline constexpr bool available = false;
#endif

/// Forgets what was recorded, and records from here on.
void begin();

/// Arrays announce themselves, so that the trace knows their names.
void array_made(const Array* array);
void array_gone(const Array* array);

/// How many numbers all threads together loaded from an array.
std::size_t loads_of(const Array& array);

/// The thread that loaded the most numbers from one kind of memory.
struct Busiest {
  std::size_t loads = 0;
  unsigned block = 0, thread = 0;
};
Busiest busiest(Memory memory);

/// The name of a thread of the last kernel, from linear numbers: "thread 3" or "thread (3, 1) of
/// block (0, 2)".
std::string thread_name(unsigned block, unsigned thread);

/// The thread that wrote the i-th number of an array last, or "" if that is not known.
std::string writer_of(const Array& array, int i);

/// Prints what each thread read and wrote, one line per thread. For a grid that is too large to
/// take in, only the threads that `writer_of` and `busiest` have named. `stopped`: the kernel did
/// not end.
void print(bool stopped);

}  // namespace puzzle::trace
