// The arena that holds all memory that kernels may touch, and its shadow.
//
// For every 4-byte word of the arena the shadow has a Cell: which of its bytes may be accessed,
// which have been written, and who accessed it last. Both arena and shadow are only reserved
// address space, and read as zero until used. A cell of zeros means "not memory". Freed memory is
// never reused, so that a pointer into it is always recognised.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cuda/emulator/check.h"

namespace simt::check {

/// The threads that made the latest accesses to a word: those after which no ordered access came.
///
/// For loads, and for atomics, which do not conflict with each other, this may be a set of threads.
/// It is exact within one warp. Otherwise `flags` say that it spans several warps, which no
/// __syncwarp orders, or several blocks.
struct Accesses {
  std::uint32_t run;         ///< the run of a kernel or copy that it belongs to; 0: no access
  std::uint32_t thread;      ///< the latest thread: block * 1024 + its number in the block
  std::uint32_t generation;  ///< of its block: how many __syncthreads it had passed
  std::uint32_t pc;          ///< of the latest access, relative to the start of the executable
  std::uint32_t lanes;       ///< of the thread's warp
  std::uint16_t stamp;       ///< which __syncwarp of the warp comes next in this generation
  std::uint8_t bytes;        ///< a mask of the word's four bytes
  std::uint8_t flags;
};
enum : std::uint8_t { atomic = 1, many_warps = 2, many_blocks = 4 };

struct Cell {
  Accesses write, read;
  std::uint8_t valid;    ///< a mask of the bytes that exist
  std::uint8_t written;  ///< a mask of the bytes that are initialised
};

/// The part of [p, p + bytes) that lies in the first word: a mask of its bytes, and their number.
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
/// The region that contains p, or else starts shortly after it, or else is the last one before it.
/// Null if there is none.
const Region* region_of(const char* p);

void forget_shared_arrays();

/// Marks bytes as valid or not and as written or not, and forgets their accesses.
void mark(char* p, std::size_t bytes, bool valid, bool written);

}  // namespace simt::check
