// The report when no thread of a block can go on: which threads wait where. It is the most useful
// thing that an emulator can say. A GPU never says it: there the kernel hangs, or carries on
// wrongly.
#include <map>
#include <vector>

#include "cuda/emulator/block.h"
#include "cuda/emulator/errors.h"

namespace simt {
namespace {

const char* spelling(WarpOp op) {
  switch (op) {
    case WarpOp::sync: return "__syncwarp";
    case WarpOp::shfl: return "__shfl_sync";
    case WarpOp::shfl_up: return "__shfl_up_sync";
    case WarpOp::shfl_down: return "__shfl_down_sync";
    case WarpOp::shfl_xor: return "__shfl_xor_sync";
    case WarpOp::ballot: return "__ballot_sync";
    case WarpOp::any: return "__any_sync";
    case WarpOp::all: return "__all_sync";
    case WarpOp::match_any: return "__match_any_sync";
    case WarpOp::match_all: return "__match_all_sync";
    case WarpOp::activemask: return "__activemask";
    case WarpOp::reduce_add: return "__reduce_add_sync";
    case WarpOp::reduce_min: return "__reduce_min_sync";
    case WarpOp::reduce_max: return "__reduce_max_sync";
    case WarpOp::reduce_and: return "__reduce_and_sync";
    case WarpOp::reduce_or: return "__reduce_or_sync";
    case WarpOp::reduce_xor: return "__reduce_xor_sync";
  }
  return "";
}

constexpr const char* kLeft = "left the kernel";

/// Where the thread waits, or kLeft.
std::string situation(const Thread& thread) {
  if (thread.state == State::finished) return kLeft;
  const std::string at = thread.where.line() ? " at " + place(thread.where) + ":" +
                                                   std::to_string(thread.where.column())
                                             : "";
  if (thread.state == State::in_barrier) return "__syncthreads" + at;
  char mask[24];
  std::snprintf(mask, sizeof mask, ", mask %08x", thread.mask);
  return spelling(thread.op) + at + mask;
}

/// "0-31, 40, 42", with at most six ranges.
std::string ranges(const std::vector<int>& numbers) {
  std::string text;
  int count = 0;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t j = i;
    while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1) ++j;
    if (count++ == 6) return text + ", …";
    text += (i ? ", " : "") + std::to_string(numbers[i]);
    if (j > i) text += "-" + std::to_string(numbers[j]);
    i = j + 1;
  }
  return text;
}

}  // namespace

std::string describe_deadlock() {
  std::map<std::string, std::vector<int>> groups;
  bool barrier = false;
  for (int i = 0; i < block.size; ++i) {
    groups[situation(block.threads[i])].push_back(i);
    barrier |= block.threads[i].state == State::in_barrier;
  }
  std::string text = "deadlock: threads wait for each other, and none can go on:";
  for (const auto& [what, numbers] : groups) {
    const bool many = numbers.size() > 1;
    text += (many ? "\n  threads " : "\n  thread ") + ranges(numbers) + " ";
    if (what != kLeft) text += many ? "wait in " : "waits in ";
    text += what;
  }
  return text + (barrier ? "\nevery thread of a block must reach the same __syncthreads; return "
                           "only after the last one"
                         : "\nall lanes named in a mask must call the same function with the same "
                           "mask");
}

}  // namespace simt
