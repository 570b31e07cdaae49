// Device memory: host memory of which the emulator keeps a list.
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

/// The allocation that contains p or ends at p, or null.
const Allocation* find_allocation(const void* p);

/// Whether [p, p + bytes) lies in one allocation.
bool in_allocation(const void* p, std::size_t bytes);

/// "byte 400 of an allocation of 400 bytes", "freed memory", "host memory" or "a null pointer"
std::string describe_address(const void* p);

cudaError_t allocate(void** p, std::size_t bytes, check::Space);
/// Frees what `allocate` returned, and reports any other pointer.
cudaError_t free_memory(void* p);
void free_all_memory();

/// Reports, and returns false, if the memory just before or after p's allocation has been written.
/// `who` is the subject of the report.
bool guards_intact(const void* p, const std::string& who);

/// Remembers a __constant__ or __device__ variable that the program has named.
void remember_symbol(void* begin, std::size_t bytes);

/// The same for a variable whose address the program has asked for. It counts as an allocation.
void remember_addressed_symbol(void* begin, std::size_t bytes);

/// Visits all memory that a kernel can write and the emulator knows of: allocations and symbols.
void each_range(const std::function<void(char* begin, std::size_t bytes)>&);

inline constexpr std::size_t kDeviceBytes = std::size_t(4) << 30;
std::size_t allocated_bytes();

}  // namespace simt
