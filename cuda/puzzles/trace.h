// What the threads of a kernel did: each load and store, as the checked emulator sees them. On a
// GPU nothing is seen, and `available` is false.
#pragma once
#include <cstddef>

#include "cuda/puzzles/puzzle.h"

namespace puzzle::trace {

#if defined(SIMT_CHECK)
inline constexpr bool available = true;
#else
inline constexpr bool available = false;
#endif

/// Forgets what was seen, and looks on from here.
void begin();

/// Arrays say when they come and go, to be known by their names.
void array_made(const Array* array);
void array_gone(const Array* array);

/// How many numbers all threads together have loaded from an array.
std::size_t loads_of(const Array& array);

/// The thread that has loaded most numbers from one kind of memory.
struct Busiest {
  std::size_t loads = 0;
  unsigned block = 0, thread = 0;
};
Busiest busiest(Memory memory);

/// "thread 3", "thread (3, 1) of block (0, 2)": of the last kernel, from linear numbers.
std::string thread_name(unsigned block, unsigned thread);

/// Who wrote the i-th number of an array last; "" if that is not known.
std::string writer_of(const Array& array, int i);

/// What each thread read and wrote, a line for each, if a reader can take that in; of larger grids
/// the threads that `writer_of` and `busiest` have named. `stopped`: before the kernel's end.
void print(bool stopped);

}  // namespace puzzle::trace
