// The checker's memory: reserving, allocating, marking, looking up. See check_shadow.h.
#include "cuda/emulator/check_shadow.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

namespace simt::check {

char *arena_begin, *arena_end;
char *shared_begin, *shared_end;
Cell* shadow;

namespace {

constexpr std::size_t most_bytes = std::size_t(256) << 30, least_bytes = std::size_t(1) << 30;
constexpr std::size_t alignment = 256;  // what cudaMalloc promises
// After each allocation come invalid bytes: as many as it has, so that even a wrong row stride ends
// there, but within these limits.
constexpr std::size_t least_red_zone = 512, most_red_zone = std::size_t(1) << 20;
constexpr std::ptrdiff_t most_below = 128;  // this close before a region, it is a negative index

char *next, *limit;                     // the free part of the arena
std::map<const char*, Region> regions;  // by address
std::vector<Region> shared_arrays;      // of the running block

/// Reserves address space without memory behind it. Null if there is not enough.
char* reserve(std::size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<char*>(p);
}

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "simt: the checker %s\n", why);
  std::abort();
}

/// Reserves as much as the machine allows, because freed memory is never reused.
void reserve_arena() {
  for (std::size_t bytes = most_bytes; bytes >= least_bytes; bytes /= 2) {
    arena_begin = reserve(bytes);
    shadow = reinterpret_cast<Cell*>(reserve(bytes / 4 * sizeof(Cell)));
    if (arena_begin && shadow) {
      arena_end = arena_begin + bytes;
      next = arena_begin + least_red_zone;
      limit = arena_end;
      return;
    }
    if (arena_begin) munmap(arena_begin, bytes);
    if (shadow) munmap(shadow, bytes / 4 * sizeof(Cell));
  }
  give_up("cannot reserve address space for its shadow memory");
}

/// Returns the whole pages between two addresses to the system. They read as zero from then on.
void give_back(void* from, void* to) {
  constexpr std::uintptr_t page = 4096;
  const auto first = (reinterpret_cast<std::uintptr_t>(from) + page - 1) & ~(page - 1);
  const auto last = reinterpret_cast<std::uintptr_t>(to) & ~(page - 1);
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace

void* allocate(std::size_t bytes, Space space) {
  const Pause pause;
  if (!arena_begin) reserve_arena();
  const std::size_t red_zone = std::clamp(bytes, least_red_zone, most_red_zone);
  const std::size_t room = (bytes + red_zone + alignment - 1) & ~(alignment - 1);
  if (room < bytes || room > std::size_t(limit - next)) {
    give_up("has run out of address space: it never reuses freed memory");
  }
  char* p;
  if (space == Space::shared) {  // at the far end, where no wrong index into an allocation leads
    limit -= room;
    p = limit;
    shared_begin = p;
    shared_end = p + bytes;
  } else {
    p = next;
    next += room;
    // Code that is not instrumented may fill the host's memory, so it counts as initialised.
    mark(p, bytes, true, space != Space::device);
  }
  regions[p] = {p, bytes, space};
  return p;
}

void release(void* p) {
  const Pause pause;
  const auto found = regions.find(static_cast<const char*>(p));
  if (found == regions.end() || found->second.freed) return;
  Region& region = found->second;
  mark(region.begin, region.bytes, false, false);
  region.freed = true;
  char* end = region.begin + region.bytes;
  give_back(region.begin, end);
  give_back(&cell_of(region.begin), &cell_of(end));
}

bool owns(const void* p) { return inside(p); }

void mark(char* p, std::size_t bytes, bool valid, bool written) {
  while (bytes) {
    const Piece piece = piece_at(p, bytes);
    Cell& cell = cell_of(p);
    cell.write = cell.read = {};
    cell.valid = std::uint8_t(valid ? cell.valid | piece.mask : cell.valid & ~piece.mask);
    cell.written = std::uint8_t(written ? cell.written | piece.mask : cell.written & ~piece.mask);
    p += piece.bytes;
    bytes -= piece.bytes;
  }
}

void shared_array(void* p, std::size_t bytes, const char* name, std::size_t element_bytes) {
  const Pause pause;
  shared_arrays.push_back(
      {static_cast<char*>(p), bytes, Space::shared, false, name, element_bytes});
  mark(static_cast<char*>(p), bytes, true, false);
}

void forget_shared_arrays() {
  for (const Region& array : shared_arrays) mark(array.begin, array.bytes, false, false);
  shared_arrays.clear();
}

const Region* region_of(const char* p) {
  const auto after = regions.upper_bound(p);
  const Region* region = after == regions.begin() ? nullptr : &std::prev(after)->second;
  const bool holds = region && p < region->begin + region->bytes;
  if (!holds && after != regions.end() && after->first - p <= most_below) region = &after->second;
  if (!region || region->space != Space::shared) return region;
  const Region* nearest = nullptr;
  for (const Region& array : shared_arrays) {
    if (!nearest || (array.begin <= p && array.begin > nearest->begin)) nearest = &array;
  }
  return nearest;
}

}  // namespace simt::check
