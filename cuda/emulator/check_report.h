// The text of a report: who did what to which element, where, and what would have made it right.
#pragma once
#include "cuda/emulator/check_access.h"
#include "cuda/emulator/check_shadow.h"

namespace simt::check {

/// A grid starts to run. Reports name its parameters.
void set_grid(const Grid& grid);

/// "file.cu:12", or "block_reduce.h:30 (from norm.cu:57)" for code inlined from another file.
/// Slow, because it runs addr2line: for reports only.
std::string source_line(std::uint32_t pc);

// In a kernel, each of these ends the thread (simt::fail). Elsewhere it reports each copy once.
void report_bad_address(const Access& access);
void report_uninitialised(const Access& access);
void report_host_memory(const Access& access);
/// `other` is the earlier access: a load, store or atomic.
void report_race(const Access& access, const Accesses& other, Kind other_kind);
/// Host code accesses device memory. With a real GPU that is a segmentation fault, so this aborts.
[[noreturn]] void report_host_access(const Access& access);

}  // namespace simt::check
