// Shared memory of the running block: one arena, filled anew for each block.
#pragma once
#include <cstddef>

namespace simt {

/// A block begins: nothing is allocated but its dynamic shared memory. Together with its static
/// arrays it may not have more than `limit`.
void begin_shared_memory(std::size_t dynamic_bytes, std::size_t limit);

inline constexpr std::size_t kSharedLimit = 48 * 1024;  // of a kernel that has not asked for more

/// What 48 KiB of static and dynamic shared memory can be raised to on sm_`arch`.
std::size_t shared_memory_limit(int arch);

}  // namespace simt
