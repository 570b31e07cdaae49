// The checker calls `watch` just before each correct access of a kernel. The value that a load will
// read is already in memory. The value that a store writes is there when the next access comes.
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

constexpr std::size_t kMostSteps = 100000;  // recorded; any more are only counted
constexpr std::size_t kMostThreads = 16, kMostShown = 12;

using Thread = std::pair<unsigned, unsigned>;  // the linear numbers of its block and of itself

struct Step {
  Thread thread;
  bool load;
  const char* address;
  std::string element;  // "bead[3]", written down while the array exists
  float value;
};

std::vector<const Array*> arrays;
std::vector<Step> steps;
bool store_is_pending;  // the last step is a store whose value is not known yet
std::map<const Array*, std::size_t> array_loads;
std::map<Thread, std::size_t> thread_loads[2];
std::set<Thread> mentioned;  // in a message before print()
dim3 grid_size, block_size;

const Array* array_at(const char* p) {
  for (const Array* a : arrays) {
    const auto* begin = reinterpret_cast<const char*>(a->device());
    if (p >= begin && p < begin + a->size() * sizeof(float)) return a;
  }
  return nullptr;
}

std::string element_at(const char* p) {
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

void complete_store() {
  if (store_is_pending) steps.back().value = value_at(steps.back().address);
  store_is_pending = false;
}

void watch(const Access& access) {
  const simt::check::Pause pause;
  complete_store();
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
    complete_store();
    const char* p = access.address + i * sizeof(float);
    steps.push_back({thread, load, p, element_at(p), load ? value_at(p) : 0});
    store_is_pending = !load;
  }
}

std::string coordinates(unsigned i, dim3 size) {
  const std::string x = std::to_string(i % size.x), y = std::to_string(i / size.x % size.y);
  return size.y > 1 ? "(" + x + ", " + y + ")" : x;
}

/// The steps of one thread, in order: "reads a[0] = 3, a[1] = 1; writes out[0] = 9".
std::string describe(const std::vector<const Step*>& mine) {
  std::string text;
  for (std::size_t i = 0; i < std::min(mine.size(), kMostShown); ++i) {
    const Step& step = *mine[i];
    const bool same_verb = i > 0 && mine[i - 1]->load == step.load;
    if (i > 0) text += same_verb ? ", " : "; ";
    if (!same_verb) text += step.load ? "reads " : "writes ";
    text += step.element + " = " + number(step.value);
  }
  const std::size_t more = mine.size() - std::min(mine.size(), kMostShown);
  return more > 0 ? text + "; and " + std::to_string(more) + " more" : text;
}

}  // namespace

void begin() {
  simt::check::observer = watch;
  steps.clear();
  store_is_pending = false;
  array_loads.clear();
  for (auto& loads : thread_loads) loads.clear();
  mentioned.clear();
}

void array_made(const Array* array) { arrays.push_back(array); }
void array_gone(const Array* array) { std::erase(arrays, array); }

std::size_t loads_of(const Array& array) { return array_loads[&array]; }

Busiest busiest(Memory memory) {
  Busiest most;
  for (const auto& [who, loads] : thread_loads[int(memory)]) {
    if (loads > most.loads) most = {loads, who.first, who.second};
  }
  mentioned.insert({most.block, most.thread});
  return most;
}

std::string writer_of(const Array& array, int i) {
  const auto* address = reinterpret_cast<const char*>(array.device() + i);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->load || step->address != address) continue;
    mentioned.insert(step->thread);
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
  complete_store();
  if (steps.empty() && stopped) return;
  if (steps.empty()) return say("No thread read or wrote anything.");
  std::map<Thread, std::vector<const Step*>> threads;
  for (const Step& step : steps) threads[step.thread].push_back(&step);
  const bool all = threads.size() <= kMostThreads;
  if (!all && mentioned.empty()) mentioned.insert(threads.begin()->first);

  say(stopped ? "What the threads had done by then:" : "What the threads did:");
  std::size_t idle = std::size_t(grid_size.x) * grid_size.y * grid_size.z * block_size.x *
                     block_size.y * block_size.z;
  std::size_t others = 0;
  for (const auto& [thread, mine] : threads) {
    --idle;
    if (!all && !mentioned.count(thread)) {
      ++others;
      continue;
    }
    say("  %s %s", thread_name(thread.first, thread.second).c_str(), describe(mine).c_str());
  }
  if (others > 0) say("  and so on, for %zu more threads", others);
  if (idle > 0 && !stopped) { say("  %zu %s did nothing", idle, idle == 1 ? "thread" : "threads"); }
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
