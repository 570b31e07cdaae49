// An array gets its place when the first thread of a block reaches its declaration. The others find
// it in the list. It starts with all bits set, which is NaN in a float and -1 in an int: shared
// memory is undefined until it is written, and a zero would hide that. Its address is a multiple of
// its declared alignment and of no higher power of two, so that a float4 load from an array of
// floats, which a GPU may refuse, is caught here too. There is a gap on either side.
#include "cuda/emulator/shared.h"

#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "cuda/emulator/block.h"
#include "cuda/emulator/check.h"

namespace simt {
namespace {

constexpr std::size_t kArena = 512 * 1024, kGap = 64, kStaticLimit = kSharedLimit;

struct StaticArray {
  const SharedDeclaration* declaration;
  char* place;
};

char* arena = nullptr;
std::size_t used = 0, static_bytes = 0, dynamic_bytes = 0, most_bytes = 0;
char* dynamic_place = nullptr;
bool dynamic_known = false;
std::vector<StaticArray> static_arrays;

void make_arena() {
  arena = static_cast<char*>(check::allocate(kArena, check::Space::shared));
  if (!arena) arena = static_cast<char*>(std::aligned_alloc(4096, kArena));
}

char* take(std::size_t bytes, std::size_t align) {
  const std::size_t twice = 2 * align;
  const std::size_t begin = (used + kGap + twice - 1) / twice * twice + align;
  if (begin + bytes + kGap > kArena) fail("uses more shared memory than any GPU has");
  used = begin + bytes;
  std::memset(arena + begin, 0xff, bytes);
  return arena + begin;
}

}  // namespace

void begin_shared_memory(std::size_t bytes, std::size_t limit) {
  if (!arena) make_arena();
  static_arrays.clear();
  used = static_bytes = 0;
  dynamic_bytes = bytes;
  most_bytes = limit;
  dynamic_place = take(bytes, 16);
  dynamic_known = false;
}

void* static_shared(const SharedDeclaration& declaration) {
  const check::Pause pause;
  for (const StaticArray& array : static_arrays)
    if (array.declaration == &declaration) return array.place;
  static_bytes += declaration.bytes;
  if (static_bytes > kStaticLimit)
    fail("uses " + std::to_string(static_bytes) + " bytes of static shared memory, more than " +
         std::to_string(kStaticLimit) + "; dynamic shared memory can be larger");
  // A GPU refuses such a launch. Here static arrays turn up one by one, as threads reach them.
  if (static_bytes + dynamic_bytes > most_bytes)
    fail_with(cudaErrorInvalidValue, "needs " + std::to_string(static_bytes) +
                                         " bytes of static and " + std::to_string(dynamic_bytes) +
                                         " of dynamic shared memory, together more than " +
                                         std::to_string(most_bytes));
  char* const place = take(declaration.bytes, declaration.align);
  check::shared_array(place, declaration.bytes, declaration.name, declaration.element_bytes);
  static_arrays.push_back({&declaration, place});
  return place;
}

void* dynamic_shared(std::size_t element_bytes) {
  const check::Pause pause;
  if (!dynamic_known) {
    check::shared_array(dynamic_place, dynamic_bytes, "dynamic shared memory", element_bytes);
    dynamic_known = true;
  }
  return dynamic_place;
}

// CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
std::size_t shared_memory_limit(int arch) {
  switch (arch) {
    case 75: return 64 * 1024;
    case 80:
    case 87: return 163 * 1024;
    case 86:
    case 89:
    case 120:
    case 121: return 99 * 1024;
    default: return 227 * 1024;
  }
}

}  // namespace simt
