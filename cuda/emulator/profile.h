// Counters for teaching: what a kernel asks of the memory system. Counted from the checked build's
// hooks, so they are exact and need no GPU; they are no times. GRADUS_CUDA_PROFILE=1 prints them at
// exit (profile_table.cpp); tests and programs read them with simt::profile().
//
// A GPU serves the 32 threads of a warp with one request. Global memory moves in sectors of 32
// bytes: what counts is how many different sectors a request touches. Shared memory has 32 banks, 4
// bytes wide: a request takes as many passes as the busiest bank has different words to give.
#pragma once
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "cuda/emulator/check.h"
#include "cuda/emulator/check_access.h"

namespace simt {

struct GlobalTraffic {
  std::uint64_t bytes = 0;     ///< that threads asked for
  std::uint64_t requests = 0;  ///< of warps
  std::uint64_t sectors = 0;   ///< that these requests touch
  std::uint64_t ideal = 0;     ///< that they would, were the same bytes packed together
};

struct SharedTraffic {
  std::uint64_t bytes = 0, requests = 0;
  std::uint64_t conflicts = 0;  ///< passes beyond those that conflict-free requests take
};

struct KernelProfile {
  std::string kernel;
  std::uint64_t launches = 0, threads = 0;
  std::uint64_t barriers = 0;  ///< __syncthreads passed, once for a block
  GlobalTraffic loads, stores;
  SharedTraffic shared;
  std::uint64_t global_atomics = 0, shared_atomics = 0;  ///< by threads; in none of the above
};

/// Counts from now on, from zero. GRADUS_CUDA_PROFILE=1 does it before the first launch.
void start_profile();
/// What has been counted, in the order of the kernels' first launches.
const std::vector<KernelProfile>& profile();
/// What has been counted for one kernel, by its name as C++ spells it; all zero if it never ran.
KernelProfile profile(const std::string& kernel);
void print_profile(std::FILE* to);

namespace check::profile {

extern bool active;
void grid_begins(const Grid& grid);
void grid_repeats();  ///< until it ends nothing is counted again
void grid_ends();
void block_begins(std::uint32_t threads);
void block_barrier();
void count(const Access& access, bool shared);

/// The cost of one request of a warp, from the addresses of its lanes (`count` of them).
struct SectorCount {
  std::uint32_t needed, ideal;
};
SectorCount sectors(const char* const* addresses, int count, std::size_t bytes);
/// Passes through the banks; a request of 8 or 16 bytes a thread is served in halves or quarters.
struct PassCount {
  std::uint32_t needed, ideal;
};
PassCount passes(const char* const* addresses, std::uint32_t lanes, std::size_t bytes);

}  // namespace check::profile
}  // namespace simt
