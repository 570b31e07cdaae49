// Assembles the requests of the warps and works out their cost. See profile.h.
//
// The emulator runs the threads of a warp one after another, so a request arrives in pieces. The
// accesses of one instruction in the 32 lanes belong together: those of the first time that each
// lane executes it, those of the second time, and so on. A barrier completes all open requests.
#include "cuda/emulator/profile.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <unordered_map>

namespace simt {
namespace {

std::vector<KernelProfile> profiles;
std::map<std::string, std::size_t, std::less<>> index_of;

KernelProfile named(std::string_view kernel) {
  KernelProfile result;
  result.kernel = kernel;
  return result;
}

void print_at_exit() {
  std::fflush(stdout);  // the program's own output comes before the table
  print_profile(stderr);
}

bool wanted_by_environment() {
  const char* value = std::getenv("GRADUS_CUDA_PROFILE");
  if (!value || std::string_view(value) != "1") return false;
  std::atexit(print_at_exit);
  return true;
}

}  // namespace

void start_profile() {
  profiles.clear();
  index_of.clear();
  check::profile::active = true;
}

const std::vector<KernelProfile>& profile() { return profiles; }

KernelProfile profile(const std::string& kernel) {
  const auto found = index_of.find(kernel);
  return found == index_of.end() ? named(kernel) : profiles[found->second];
}

namespace check::profile {

bool active = wanted_by_environment();

namespace {

struct Request {
  std::uint32_t lanes = 0;
  const char* address[32];
};

/// What one instruction of one warp has asked for since the last barrier.
struct Instruction {
  Kind kind;
  bool shared;
  std::size_t bytes;
  std::uint32_t executions[32] = {};  // by lane
  std::vector<Request> requests;
};

std::unordered_map<std::uint32_t, Instruction> warps[32];  // by program counter
bool repeating;                                            // counting is suspended
std::size_t current;                                       // index of the running kernel

void add_cost(const Request& request, const Instruction& instruction, KernelProfile& kernel) {
  const auto threads = std::uint64_t(std::popcount(request.lanes));
  if (instruction.kind == Kind::atomic) {
    (instruction.shared ? kernel.shared_atomics : kernel.global_atomics) += threads;
    return;
  }
  if (instruction.shared) {
    const PassCount cost = passes(request.address, request.lanes, instruction.bytes);
    kernel.shared.bytes += threads * instruction.bytes;
    kernel.shared.requests += 1;
    kernel.shared.conflicts += cost.needed - cost.ideal;
    return;
  }
  const char* packed[32];
  int count = 0;
  for (int lane = 0; lane < 32; ++lane) {
    if (request.lanes >> lane & 1) packed[count++] = request.address[lane];
  }
  const SectorCount cost = sectors(packed, count, instruction.bytes);
  GlobalTraffic& traffic = instruction.kind == Kind::load ? kernel.loads : kernel.stores;
  traffic.bytes += threads * instruction.bytes;
  traffic.requests += 1;
  traffic.sectors += cost.needed;
  traffic.ideal += cost.ideal;
}

void complete_requests() {
  if (!active || profiles.empty()) return;
  for (auto& warp : warps) {
    for (auto& [pc, instruction] : warp) {
      for (const Request& request : instruction.requests) {
        add_cost(request, instruction, profiles[current]);
      }
      instruction.requests.clear();
      std::fill(std::begin(instruction.executions), std::end(instruction.executions), 0u);
    }
  }
}

}  // namespace

SectorCount sectors(const char* const* addresses, int count, std::size_t bytes) {
  std::uintptr_t sorted[32];
  for (int i = 0; i < count; ++i) sorted[i] = reinterpret_cast<std::uintptr_t>(addresses[i]);
  std::sort(sorted, sorted + count);
  std::uint32_t needed = 0;
  std::uintptr_t distinct = 0;                  // how many different bytes there are
  std::uintptr_t covered = 0, next_sector = 0;  // one past the last byte and the last sector so far
  for (int i = 0; i < count; ++i) {
    const std::uintptr_t begin = std::max(sorted[i], covered), end = sorted[i] + bytes;
    if (begin >= end) continue;
    distinct += end - begin;
    covered = end;
    const std::uintptr_t first = std::max(begin / 32, next_sector), last = (end - 1) / 32;
    if (first <= last) needed += std::uint32_t(last - first + 1);
    next_sector = last + 1;
  }
  return {needed, std::uint32_t((distinct + 31) / 32)};
}

PassCount passes(const char* const* addresses, std::uint32_t lanes, std::size_t bytes) {
  const std::size_t words = std::max<std::size_t>(1, bytes / 4);
  const int group = int(32 / words);  // lanes that are served together
  PassCount result{0, 0};
  for (int begin = 0; begin < 32; begin += group) {
    std::vector<std::uintptr_t> asked;  // the words that this group wants
    for (int lane = begin; lane < begin + group; ++lane) {
      if (!(lanes >> lane & 1)) continue;
      const std::uintptr_t word = reinterpret_cast<std::uintptr_t>(addresses[lane]) / 4;
      for (std::size_t w = 0; w < words; ++w) asked.push_back(word + w);
    }
    if (asked.empty()) continue;
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    std::uint32_t in_bank[32] = {};
    for (const std::uintptr_t word : asked) ++in_bank[word % 32];
    result.needed += *std::max_element(in_bank, in_bank + 32);
    result.ideal += 1;
  }
  return result;
}

void grid_begins(const Grid& grid) {
  if (!active) return;
  const auto found = index_of.find(grid.kernel);
  current = found != index_of.end() ? found->second : profiles.size();
  if (found == index_of.end()) {
    index_of.emplace(grid.kernel, current);
    profiles.push_back(named(grid.kernel));
  }
  profiles[current].launches += 1;
}

void grid_repeats() {
  complete_requests();
  repeating = active;
  active = false;
}

void grid_ends() {
  active = active || repeating;
  repeating = false;
  complete_requests();
  for (auto& warp : warps) warp.clear();
}

void block_begins(std::uint32_t threads) {
  if (!active) return;
  complete_requests();
  profiles[current].threads += threads;
}

void block_barrier() {
  if (!active) return;
  complete_requests();
  profiles[current].barriers += 1;
}

void count(const Access& access, bool shared) {
  Instruction& instruction = warps[running.thread / 32][access.pc];
  instruction.kind = access.kind;
  instruction.shared = shared;
  instruction.bytes = access.bytes;
  const std::uint32_t lane = running.thread % 32;
  const std::uint32_t execution = instruction.executions[lane]++;
  if (instruction.requests.size() <= execution) instruction.requests.resize(execution + 1);
  Request& request = instruction.requests[execution];
  request.lanes |= 1u << lane;
  request.address[lane] = access.address;
}

}  // namespace check::profile
}  // namespace simt
