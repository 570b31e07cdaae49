// cudaMalloc. Fresh memory has all bits set, which is NaN in a float, because it is undefined on a
// GPU too. On either side lies a guard with a pattern. The checked build has something better: it
// takes its memory from the checker (check.h).
#include "cuda/emulator/memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>

#include "cuda/emulator/errors.h"

namespace simt {
namespace {

constexpr std::size_t kGuard = 256;
constexpr unsigned char kPattern = 0xc5;

std::map<std::uintptr_t, Allocation> live;
std::map<std::uintptr_t, std::size_t> freed;  // recently freed memory, for the reports
std::map<char*, std::size_t> symbols;
std::map<std::uintptr_t, Allocation> addressed_symbols;
std::size_t allocated = 0;

std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

char* guarded(std::size_t bytes) {
  void* p = nullptr;
  if (posix_memalign(&p, kGuard, bytes + 2 * kGuard) != 0) return nullptr;
  char* const begin = static_cast<char*>(p) + kGuard;
  std::memset(begin - kGuard, kPattern, kGuard);
  std::memset(begin + bytes, kPattern, kGuard);
  return begin;
}

bool intact(const char* guard) {
  return std::all_of(guard, guard + kGuard,
                     [](char c) { return static_cast<unsigned char>(c) == kPattern; });
}

/// Memory that is used again is no longer "freed".
void forget_freed(std::uintptr_t begin, std::uintptr_t end) {
  auto i = freed.upper_bound(begin);
  if (i != freed.begin()) --i;
  while (i != freed.end() && i->first < end)
    i = i->first + i->second > begin ? freed.erase(i) : std::next(i);
}

bool was_freed(std::uintptr_t p) {
  auto i = freed.upper_bound(p);
  if (i == freed.begin()) return false;
  --i;
  return p - i->first < std::max<std::size_t>(i->second, 1);
}

void give_back(const Allocation& a) {
  allocated -= a.bytes;
  if (freed.size() > 4096) freed.clear();
  freed[address(a.begin)] = a.bytes;
  if (check::owns(a.begin))
    check::release(a.begin);
  else
    std::free(a.begin - kGuard);
}

const Allocation* find_among(const std::map<std::uintptr_t, Allocation>& all, const void* p) {
  auto i = all.upper_bound(address(p));
  if (i == all.begin()) return nullptr;
  const Allocation& a = (--i)->second;
  return static_cast<const char*>(p) <= a.begin + a.bytes ? &a : nullptr;
}

}  // namespace

const Allocation* find_allocation(const void* p) {
  if (const Allocation* const a = find_among(live, p)) return a;
  // There is no guard between two variables, so the end of one may be the start of the next.
  const Allocation* const symbol = find_among(addressed_symbols, p);
  return symbol && p != symbol->begin + symbol->bytes ? symbol : nullptr;
}

bool in_allocation(const void* p, std::size_t bytes) {
  const Allocation* const a = find_allocation(p);
  return a && bytes <= std::size_t(a->begin + a->bytes - static_cast<const char*>(p));
}

std::string describe_address(const void* p) {
  if (const Allocation* const a = find_allocation(p))
    return "byte " + std::to_string(static_cast<const char*>(p) - a->begin) +
           " of an allocation of " + std::to_string(a->bytes) + " bytes";
  if (was_freed(address(p))) return "freed memory";
  return p ? "host memory" : "a null pointer";
}

cudaError_t allocate(void** p, std::size_t bytes, check::Space space) {
  if (!p) return set_error(cudaErrorInvalidValue);
  *p = nullptr;
  if (bytes == 0) return set_error(cudaSuccess);
  if (bytes > kDeviceBytes - allocated)
    return report_error(cudaErrorMemoryAllocation, "out of memory: " + std::to_string(bytes) +
                                                       " bytes requested, " +
                                                       std::to_string(allocated) + " of " +
                                                       std::to_string(kDeviceBytes) + " allocated");
  char* begin = static_cast<char*>(check::allocate(bytes, space));
  if (!begin) begin = guarded(bytes);
  if (!begin) return set_error(cudaErrorMemoryAllocation);
  std::memset(begin, 0xff, bytes);
  forget_freed(address(begin), address(begin) + bytes);
  live[address(begin)] = {begin, bytes, space};
  allocated += bytes;
  *p = begin;
  return set_error(cudaSuccess);
}

cudaError_t free_memory(void* p) {
  const auto i = live.find(address(p));
  if (i == live.end())
    return report_error(cudaErrorInvalidValue,
                        "cudaFree: cudaMalloc did not return this pointer: it points to " +
                            describe_address(p) + (was_freed(address(p)) ? " (freed twice?)" : ""));
  guards_intact(p, "something");
  give_back(i->second);
  live.erase(i);
  return set_error(cudaSuccess);
}

void free_all_memory() {
  for (const auto& [begin, allocation] : live) give_back(allocation);
  live.clear();
}

bool guards_intact(const void* p, const std::string& who) {
  const Allocation* const a = find_among(live, p);
  if (!a || check::owns(a->begin)) return true;
  const bool before = intact(a->begin - kGuard);
  if (before && intact(a->begin + a->bytes)) return true;
  report_sticky_error(cudaErrorIllegalAddress,
                      who + " wrote " + (before ? "past the end" : "before the beginning") +
                          " of an allocation of " + std::to_string(a->bytes) +
                          " bytes; the checked build says where");
  std::memset(a->begin - kGuard, kPattern, kGuard);
  std::memset(a->begin + a->bytes, kPattern, kGuard);
  return false;
}

void remember_symbol(void* begin, std::size_t bytes) { symbols[static_cast<char*>(begin)] = bytes; }

void remember_addressed_symbol(void* begin, std::size_t bytes) {
  remember_symbol(begin, bytes);
  addressed_symbols[address(begin)] = {static_cast<char*>(begin), bytes, check::Space::device};
}

void each_range(const std::function<void(char*, std::size_t)>& f) {
  for (const auto& [begin, allocation] : live) f(allocation.begin, allocation.bytes);
  for (const auto& [begin, bytes] : symbols) f(begin, bytes);
}

std::size_t allocated_bytes() { return allocated; }

}  // namespace simt
