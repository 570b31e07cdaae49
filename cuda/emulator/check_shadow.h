// The arena from which all memory comes that kernels may touch, and its shadow.
//
// For every 4-byte word of the arena the shadow keeps a Cell: which of its bytes may be touched,
// which have been written, and who touched it last. Both are reserved as address space only, and
// zero where nothing is: a cell of zeros means "not memory". Freed memory is never given out again,
// so that a pointer into it is recognised for ever.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cuda/emulator/check.h"

namespace simt::check {

/// The threads that have accessed a word and not been followed, in order, by another.
///
/// For loads (and atomics, which do not conflict among themselves) that is a set. It is exact as
/// long as it lies in one warp; beyond, `flags` say that it spans warps or blocks, and then no
/// barrier inside a block orders all of it before anybody.
struct Accesses {
  std::uint32_t run;         ///< the run of a kernel, copy, … that it belongs to; 0: nobody
  std::uint32_t thread;      ///< the latest: block * 1024 + thread of the block
  std::uint32_t generation;  ///< __syncthreads that its block had passed
  std::uint32_t pc;          ///< where, relative to the executable's start
  std::uint32_t lanes;       ///< of the thread's warp
  std::uint16_t stamp;       ///< __syncwarp of that warp in this generation, counted from 1
  std::uint8_t bytes;        ///< which of the word's four
  std::uint8_t flags;
};
enum : std::uint8_t { atomic = 1, many_warps = 2, many_blocks = 4 };

struct Cell {
  Accesses write, read;
  std::uint8_t valid;    ///< bytes that exist
  std::uint8_t written;  ///< bytes that are initialised
};

/// The bytes of a word that [p, p + bytes) covers, and how many they are.
struct Piece {
  std::uint8_t mask;
  std::size_t bytes;
};
inline Piece piece_at(const char* p, std::size_t bytes) {
  const unsigned offset = unsigned(reinterpret_cast<std::uintptr_t>(p) & 3);
  const std::size_t length = bytes < 4 - offset ? bytes : 4 - offset;
  return {std::uint8_t(((1u << length) - 1) << offset), length};
}

extern char *arena_begin, *arena_end;
extern char *shared_begin, *shared_end;  ///< the part that holds shared arrays
extern Cell* shadow;

inline bool inside(const void* p) { return p >= arena_begin && p < arena_end; }
inline Cell& cell_of(const char* p) { return shadow[std::size_t(p - arena_begin) / 4]; }

/// An allocation, alive or freed, or a shared array.
struct Region {
  char* begin = nullptr;
  std::size_t bytes = 0;
  Space space = Space::device;
  bool freed = false;
  const char* name = "";          ///< of a shared array
  std::size_t element_bytes = 1;  ///< of a shared array
};
/// The region that holds p, or else begins shortly behind it, or else lies before it. Null if there
/// is none.
const Region* region_of(const char* p);

void forget_shared_arrays();

/// Declares bytes as valid or not, written or not, and forgets who touched them.
void mark(char* p, std::size_t bytes, bool valid, bool written);

}  // namespace simt::check
