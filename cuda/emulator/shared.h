// Shared memory of the running block: one arena, which each block fills from the start.
#pragma once
#include <cstddef>

namespace simt {

/// A block begins. It has its dynamic shared memory, and static arrays are added as threads reach
/// them. Together they may not exceed `limit`.
void begin_shared_memory(std::size_t dynamic_bytes, std::size_t limit);

inline constexpr std::size_t kSharedLimit = 48 * 1024;  // for a kernel that has not asked for more

/// The most static and dynamic shared memory that a kernel can ask for on sm_`arch`.
std::size_t shared_memory_limit(int arch);

}  // namespace simt
