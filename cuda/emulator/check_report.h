// Findings in words: who did what to which element where, and what would have made it right.
#pragma once
#include "cuda/emulator/check_access.h"
#include "cuda/emulator/check_shadow.h"

namespace simt::check {

/// The grid that runs from now: its kernel and pointers are named in reports.
void set_grid(const Grid& grid);

/// "file.cu:12", or "block_reduce.h:30 (from norm.cu:57)" for code inlined from another file.
/// Runs addr2line, so it is slow: for reports only.
std::string source_line(std::uint32_t pc);

// In a kernel each of these ends the thread (simt::fail). Outside, simt::report, once for each copy.
void report_bad_address(const Access& access);
void report_uninitialised(const Access& access);
void report_host_memory(const Access& access);
/// `other` is the earlier access, of a kind (load, store, atomic).
void report_race(const Access& access, const Accesses& other, Kind other_kind);
/// Host code reads or writes device memory: a segmentation fault on a GPU's machine, so abort.
[[noreturn]] void report_host_access(const Access& access);

}  // namespace simt::check
