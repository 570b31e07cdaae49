// Device memory: host memory that the emulator keeps a list of.
#pragma once
#include <cuda_runtime.h>

#include <functional>
#include <string>

#include "cuda/emulator/check.h"

namespace simt {

struct Allocation {
  char* begin;
  std::size_t bytes;
  check::Space space;
};

/// The allocation in which p lies (or just behind which), or null.
const Allocation* find_allocation(const void* p);

/// Whether [p, p + bytes) lies in one allocation.
bool in_allocation(const void* p, std::size_t bytes);

/// "byte 400 of an allocation of 400 bytes", "freed memory", "host memory"
std::string describe_address(const void* p);

cudaError_t allocate(void** p, std::size_t bytes, check::Space);
/// Of what allocate gave; a report for anything else.
cudaError_t free_memory(void* p);
void free_all_memory();

/// A report, and false, if somebody wrote just before or behind the allocation in which p lies.
bool guards_intact(const void* p, const std::string& who);

/// A __constant__ or __device__ variable that a program has named.
void remember_symbol(void* begin, std::size_t bytes);

/// The same, of one whose address the program has asked for: it counts as an allocation.
void remember_address(void* begin, std::size_t bytes);

/// All memory that a kernel can write, as far as the emulator knows it: allocations and symbols.
void each_range(const std::function<void(char* begin, std::size_t bytes)>&);

inline constexpr std::size_t kDeviceBytes = std::size_t(4) << 30;
std::size_t allocated_bytes();

}  // namespace simt
