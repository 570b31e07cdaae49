// A pool allocator. Training asks for the same sizes every step; keeping freed blocks by size makes
// the next step's malloc, mmap and page faults vanish. Sizes are rounded up to eight steps per
// power of two, so that at most an eighth is wasted; where no block of that size is free, one that
// is not much larger will do, so that batches of many lengths do not each get blocks of their own.
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
  #include <sys/mman.h>
#endif

#include "tensor/cpu/cpu_backend.h"
#include "tensor/error.h"
#include "tensor/runtime.h"

namespace gradus {

namespace {

constexpr size_t kAlignment = 64;       // one cache line, one AVX-512 register
constexpr size_t kHugePage = 2u << 20;  // worth aligning large blocks to

/// In front of what a block's user sees.
struct alignas(kAlignment) Header {
  size_t bytes;  // rounded, without this
};

size_t rounded(size_t bytes) {
  size_t step = kAlignment;
  while (step * 16 <= bytes) step *= 2;
  return std::max(kAlignment, (bytes + step - 1) / step * step);
}

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<Header*>> free_blocks;
  int64_t taken = 0;  // from the system, in use or kept

  /// A block of at least `bytes` that was given back; null if there is none.
  Header* reuse(size_t bytes) {
    std::lock_guard lock(mutex);
    for (auto it = free_blocks.lower_bound(bytes);
         it != free_blocks.end() && it->first <= 2 * bytes; ++it) {
      if (it->second.empty()) continue;
      Header* block = it->second.back();
      it->second.pop_back();
      return block;
    }
    return nullptr;
  }
  Header* take(size_t bytes) {
    if (Header* block = reuse(bytes)) return block;
    const size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kAlignment;
    const size_t aligned = (sizeof(Header) + bytes + alignment - 1) / alignment * alignment;
    void* block = std::aligned_alloc(alignment, aligned);
    if (!block) {  // what is kept for later may be what is missing now
      release();
      block = std::aligned_alloc(alignment, aligned);
    }
    check<Error>(block != nullptr, "out of memory: {} bytes asked for, {} bytes already taken",
                 bytes, pool_bytes());
#if defined(__linux__)
    if (alignment == kHugePage) madvise(block, aligned, MADV_HUGEPAGE);
#endif
    std::lock_guard lock(mutex);
    taken += static_cast<int64_t>(bytes);
    return new (block) Header{bytes};
  }
  void give(Header* block) {
    std::lock_guard lock(mutex);
    free_blocks[block->bytes].push_back(block);
  }
  void release() {
    std::lock_guard lock(mutex);
    for (auto& [bytes, blocks] : free_blocks) {
      for (Header* block : blocks) std::free(block);
      taken -= static_cast<int64_t>(bytes * blocks.size());
    }
    free_blocks.clear();
  }
};

// Never destroyed: tensors with static lifetime may be freed after it would be.
Pool& pool() {
  static Pool* p = new Pool;
  return *p;
}

}  // namespace

int64_t pool_bytes() {
  std::lock_guard lock(pool().mutex);
  return pool().taken;
}
void empty_cache() { pool().release(); }

namespace cpu {

// Under AddressSanitizer a pool would hide use after free and leaks, so each block is its own
// there.
#if defined(__has_feature)  // clang's way to say it; g++ defines a macro
  #define GRADUS_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
  #define GRADUS_ADDRESS_SANITIZER 1
#else
  #define GRADUS_ADDRESS_SANITIZER 0
#endif
#if GRADUS_ADDRESS_SANITIZER
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

void* CpuBackend::allocate(size_t bytes) {
  if (kPooled) return pool().take(rounded(bytes)) + 1;
  void* block = std::aligned_alloc(kAlignment, (bytes + kAlignment) / kAlignment * kAlignment);
  check<Error>(block != nullptr, "out of memory: {} bytes asked for", bytes);
  return block;
}
void CpuBackend::deallocate(void* pointer, size_t) noexcept {
  if (kPooled)
    pool().give(static_cast<Header*>(pointer) - 1);
  else
    std::free(pointer);
}
void CpuBackend::copy_from_host(void* to, const void* from, size_t bytes) {
  if (bytes) std::memcpy(to, from, bytes);
}
void CpuBackend::copy_to_host(void* to, const void* from, size_t bytes) {
  if (bytes) std::memcpy(to, from, bytes);
}
void CpuBackend::synchronize() {}

}  // namespace cpu
}  // namespace gradus
