// Counters for teaching: what a kernel asks of the memory system. They count in the checked build's
// hooks, so they are exact and need no GPU. They do not measure time. GRADUS_CUDA_PROFILE=1 prints
// them at exit (profile_table.cpp). Tests and programs read them with simt::profile().
//
// A GPU serves the 32 threads of a warp with one request. Global memory moves in sectors of 32
// bytes, so what counts is how many different sectors a request touches. Shared memory has 32
// banks, 4 bytes wide. A request takes as many passes as the busiest bank has different words to
// deliver.
#pragma once
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "cuda/emulator/check.h"
#include "cuda/emulator/check_access.h"

namespace simt {

struct GlobalTraffic {
  std::uint64_t bytes = 0;     ///< that the threads asked for
  std::uint64_t requests = 0;  ///< of the warps
  std::uint64_t sectors = 0;   ///< that these requests touch
  std::uint64_t ideal = 0;     ///< sectors, if the same bytes were packed together
};

struct SharedTraffic {
  std::uint64_t bytes = 0, requests = 0;
  std::uint64_t conflicts = 0;  ///< passes more than conflict-free requests would take
};

struct KernelProfile {
  std::string kernel;
  std::uint64_t launches = 0, threads = 0;
  std::uint64_t barriers = 0;  ///< __syncthreads passed, counted once per block
  GlobalTraffic loads, stores;
  SharedTraffic shared;
  std::uint64_t global_atomics = 0, shared_atomics = 0;  ///< of threads; not counted above
};

/// Starts counting from zero. GRADUS_CUDA_PROFILE=1 does so before the first launch.
void start_profile();
/// The counters of all kernels, in the order of their first launches.
const std::vector<KernelProfile>& profile();
/// The counters of one kernel, by its name as C++ spells it. All are zero if it never ran.
KernelProfile profile(const std::string& kernel);
void print_profile(std::FILE* to);

namespace check::profile {

extern bool active;
void grid_begins(const Grid& grid);
void grid_repeats();  ///< a replay: nothing is counted until the grid ends
void grid_ends();
void block_begins(std::uint32_t threads);
void block_barrier();
void count(const Access& access, bool shared);

/// The sectors of one request of a warp, from the addresses of its `count` lanes.
struct SectorCount {
  std::uint32_t needed, ideal;
};
SectorCount sectors(const char* const* addresses, int count, std::size_t bytes);
/// The passes of one request through the banks. A request of 8 or 16 bytes per thread is served in
/// halves or quarters of a warp.
struct PassCount {
  std::uint32_t needed, ideal;
};
PassCount passes(const char* const* addresses, std::uint32_t lanes, std::size_t bytes);

}  // namespace check::profile
}  // namespace simt
