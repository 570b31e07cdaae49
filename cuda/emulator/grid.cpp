// The blocks of a grid, one after another. CUDA does not promise any order, nor that two blocks run
// at the same time. So a block may not wait for another one, and here it cannot. Forward, reverse
// or shuffled, the result must be the same.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <vector>

#include "cuda/emulator/block.h"
#include "cuda/emulator/check.h"
#include "cuda/emulator/errors.h"
#include "cuda/emulator/fault.h"
#include "cuda/emulator/launch.h"
#include "cuda/emulator/memory.h"

namespace simt {
namespace {

std::vector<std::uint32_t> block_order(std::size_t blocks) {
  std::vector<std::uint32_t> order(blocks);
  std::iota(order.begin(), order.end(), 0u);
  if (schedule == Schedule::reverse) std::reverse(order.begin(), order.end());
  if (schedule == Schedule::random) std::shuffle(order.begin(), order.end(), chance);
  return order;
}

using Snapshot = std::vector<std::vector<char>>;

Snapshot device_memory() {
  Snapshot all;
  each_range([&](char* p, std::size_t bytes) { all.emplace_back(p, p + bytes); });
  return all;
}

void restore(const Snapshot& all) {
  std::size_t i = 0;
  each_range([&](char* p, std::size_t bytes) { std::memcpy(p, all[i++].data(), bytes); });
}

/// Describes the first 4-byte word in which device memory differs from a snapshot, or returns "".
std::string difference(const Snapshot& before) {
  std::string text;
  std::size_t i = 0;
  each_range([&](char* p, std::size_t bytes) {
    const char* const old = before[i++].data();
    const std::size_t at = std::size_t(std::mismatch(old, old + bytes, p).first - old) & ~3u;
    if (!text.empty() || at >= bytes) return;
    float x = 0, y = 0;
    std::memcpy(&x, old + at, std::min<std::size_t>(4, bytes - at));
    std::memcpy(&y, p + at, std::min<std::size_t>(4, bytes - at));
    char line[192];
    std::snprintf(line, sizeof line,
                  "byte %zu of an allocation of %zu bytes is, as a float, %.9g forward and %.9g in "
                  "reverse",
                  at, bytes, double(x), double(y));
    text = line;
  });
  return text;
}

}  // namespace

bool run_grid(const Launch& launch) {
  schedule = config().schedule;
  chance.seed(config().seed + stats().launches);
  blockDim = launch.config.block;
  gridDim = launch.config.grid;
  begin_grid(launch);
  const FaultHandler handler;
  for (const std::uint32_t number : block_order(std::size_t(gridDim.x) * gridDim.y * gridDim.z)) {
    blockIdx = {number % gridDim.x, number / gridDim.x % gridDim.y, number / gridDim.x / gridDim.y};
    check::block_begins(number);
    if (!run_block(launch)) return false;
  }
  return true;
}

void run_replayed(const Launch& launch) {
  const Schedule chosen = config().schedule;
  const Snapshot before = device_memory();
  config().schedule = Schedule::forward;
  const bool ran = run_grid(launch);
  config().schedule = chosen;
  if (!ran) return;
  const Snapshot forward = device_memory();
  restore(before);
  check::grid_repeats();
  config().schedule = Schedule::reverse;
  run_grid(launch);
  config().schedule = chosen;
  if (sticky_error() != cudaSuccess) return;
  if (const std::string what = difference(forward); !what.empty())
    report_sticky_error(cudaErrorLaunchFailure,
                        "kernel " + std::string(launch.kernel.name) + " launched at " +
                            place(launch.config.where) +
                            ": the result depends on the order in which threads run: " + what);
}

}  // namespace simt
