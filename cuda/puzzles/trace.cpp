// The checker calls `watch` before each access of a kernel that it finds right. So what a load is
// going to read is there to see; what a store writes is there when the next access comes.
#include "cuda/puzzles/trace.h"

#if defined(SIMT_CHECK)
  #include <algorithm>
  #include <cstdio>
  #include <cstring>
  #include <map>
  #include <set>
  #include <utility>

  #include "cuda/emulator/check_access.h"
  #include "cuda/emulator/check_shadow.h"
  #include "cuda/puzzles/report.h"

namespace puzzle::trace {
namespace {

using simt::check::Access;
using simt::check::Kind;

constexpr std::size_t kMostSteps = 100000;  // remembered; more are only counted
constexpr std::size_t kMostThreads = 16, kMostShown = 12;

using Thread = std::pair<unsigned, unsigned>;  // its block, and itself

struct Step {
  Thread thread;
  bool load;
  const char* address;
  std::string what;  // "bead[3]", known while the array exists
  float value;
};

std::vector<const Array*> arrays;
std::vector<Step> steps;
bool value_is_due;  // the last step is a store that was about to happen
std::map<const Array*, std::size_t> array_loads;
std::map<Thread, std::size_t> thread_loads[2];
std::set<Thread> named;  // in what was said before print()
dim3 grid_size, block_size;

const Array* array_at(const char* p) {
  for (const Array* a : arrays) {
    const auto* begin = reinterpret_cast<const char*>(a->device());
    if (p >= begin && p < begin + a->size() * sizeof(float)) return a;
  }
  return nullptr;
}

std::string place(const char* p) {
  if (const Array* a = array_at(p)) {
    return element(*a, int((p - reinterpret_cast<const char*>(a->device())) / sizeof(float)));
  }
  const simt::check::Region* region = simt::check::region_of(p);
  if (!region) return "?";
  return region->name + ("[" + std::to_string((p - region->begin) / region->element_bytes) + "]");
}

float value_at(const char* p) {
  float value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

void settle() {
  if (value_is_due) steps.back().value = value_at(steps.back().address);
  value_is_due = false;
}

void watch(const Access& access) {
  const simt::check::Pause pause;
  settle();
  grid_size = gridDim;
  block_size = blockDim;
  const Thread thread = {simt::check::running.block, simt::check::running.thread};
  const Array* array = array_at(access.address);
  const bool load = access.kind == Kind::load;
  const Memory memory = array ? Memory::global : Memory::shared;
  const std::size_t numbers = (access.bytes + sizeof(float) - 1) / sizeof(float);
  if (load) {
    if (array) array_loads[array] += numbers;
    thread_loads[int(memory)][thread] += numbers;
  }
  for (std::size_t i = 0; i < numbers && steps.size() < kMostSteps; ++i) {
    settle();
    const char* p = access.address + i * sizeof(float);
    steps.push_back({thread, load, p, place(p), load ? value_at(p) : 0});
    value_is_due = !load;
  }
}

std::string coordinates(unsigned i, dim3 size) {
  const std::string x = std::to_string(i % size.x), y = std::to_string(i / size.x % size.y);
  return size.y > 1 ? "(" + x + ", " + y + ")" : x;
}

/// "reads a[0] = 3, a[1] = 1; writes out[0] = 9": the steps of one thread, in their order.
std::string story(const std::vector<const Step*>& mine) {
  std::string text;
  for (std::size_t i = 0; i < std::min(mine.size(), kMostShown); ++i) {
    const Step& step = *mine[i];
    const bool goes_on = i > 0 && mine[i - 1]->load == step.load;
    text += goes_on ? ", " : i > 0 ? "; " : "";
    if (!goes_on) text += step.load ? "reads " : "writes ";
    text += step.what + " = " + number(step.value);
  }
  const std::size_t more = mine.size() - std::min(mine.size(), kMostShown);
  return more > 0 ? text + "; and " + std::to_string(more) + " more" : text;
}

}  // namespace

void begin() {
  simt::check::observer = watch;
  steps.clear();
  value_is_due = false;
  array_loads.clear();
  for (auto& loads : thread_loads) loads.clear();
  named.clear();
}

void array_made(const Array* array) { arrays.push_back(array); }
void array_gone(const Array* array) { std::erase(arrays, array); }

std::size_t loads_of(const Array& array) { return array_loads[&array]; }

Busiest busiest(Memory memory) {
  Busiest most;
  for (const auto& [who, loads] : thread_loads[int(memory)]) {
    if (loads > most.loads) most = {loads, who.first, who.second};
  }
  named.insert({most.block, most.thread});
  return most;
}

std::string writer_of(const Array& array, int i) {
  const auto* address = reinterpret_cast<const char*>(array.device() + i);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->load || step->address != address) continue;
    named.insert(step->thread);
    return thread_name(step->thread.first, step->thread.second);
  }
  return "";
}

std::string thread_name(unsigned block, unsigned thread) {
  const std::string name = "thread " + coordinates(thread, block_size);
  const bool alone = grid_size.x * grid_size.y * grid_size.z == 1;
  return alone ? name : name + " of block " + coordinates(block, grid_size);
}

void print(bool stopped) {
  settle();
  if (steps.empty() && stopped) return;
  if (steps.empty()) return say("No thread has read or written anything.");
  std::map<Thread, std::vector<const Step*>> threads;
  for (const Step& step : steps) threads[step.thread].push_back(&step);
  const bool all = threads.size() <= kMostThreads;
  if (!all && named.empty()) named.insert(threads.begin()->first);

  say(stopped ? "What the threads had done until then:" : "What the threads did:");
  std::size_t quiet = std::size_t(grid_size.x) * grid_size.y * grid_size.z * block_size.x *
                      block_size.y * block_size.z;
  std::size_t others = 0;
  for (const auto& [thread, mine] : threads) {
    --quiet;
    if (!all && !named.count(thread)) {
      ++others;
      continue;
    }
    say("  %s %s", thread_name(thread.first, thread.second).c_str(), story(mine).c_str());
  }
  if (others > 0) say("  and so on, %zu other threads", others);
  if (quiet > 0 && !stopped) {
    say("  %zu %s did nothing", quiet, quiet == 1 ? "thread" : "threads");
  }
}

}  // namespace puzzle::trace

#else
namespace puzzle::trace {

void begin() {}
void array_made(const Array*) {}
void array_gone(const Array*) {}
std::size_t loads_of(const Array&) { return 0; }
Busiest busiest(Memory) { return {}; }
std::string thread_name(unsigned, unsigned) { return ""; }
std::string writer_of(const Array&, int) { return ""; }
void print(bool) {}

}  // namespace puzzle::trace
#endif
