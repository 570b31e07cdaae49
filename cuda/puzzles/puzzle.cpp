// The arrays of a puzzle, and the comparison of its results.
#include "cuda/puzzles/puzzle.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "cuda/puzzles/report.h"
#include "cuda/puzzles/trace.h"

namespace puzzle {
namespace {

constexpr int kMostListed = 3;  // wrong elements that are listed if there is no drawing

void require_success(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  say("%s: %s", what, cudaGetErrorString(error));
  throw Failed{};
}

/// The same numbers in every run and on every machine, but different ones for each name.
std::mt19937 generator(const char* name) {
  std::uint32_t seed = 0;
  for (; *name; ++name) seed = seed * 31 + std::uint32_t(*name);
  return std::mt19937(seed);
}

std::string size_of(const Array& array) {
  const auto [rows, columns, flat] = array.shape();
  if (!flat) return "is " + std::to_string(rows) + " x " + std::to_string(columns);
  return "has " + std::to_string(columns) + (columns == 1 ? " element" : " elements");
}

void say_wrong(const Array& result, int i, float wanted, float got) {
  const std::string name = element(result, i), want = number(wanted), have = number(got);
  const std::string writer = trace::writer_of(result, i);
  if (!writer.empty()) {
    say("%s should be %s, but %s wrote %s.", name.c_str(), want.c_str(), writer.c_str(),
        have.c_str());
  } else if (is_untouched(got)) {
    say("%s should be %s, but no thread has written it.", name.c_str(), want.c_str());
  } else {
    say("%s should be %s, but it is %s.", name.c_str(), want.c_str(), have.c_str());
  }
}

}  // namespace

Array::Array(const char* name, Shape shape, const std::vector<float>& values)
    : name_(name), shape_(shape), values_(values) {
  const std::size_t bytes = values_.size() * sizeof(float);
  require_success(cudaMalloc(reinterpret_cast<void**>(&device_), bytes), "cudaMalloc");
  require_success(cudaMemcpy(device_, values_.data(), bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
  trace::array_made(this);
}

Array::~Array() {
  trace::array_gone(this);
  (void)cudaFree(device_);  // fails after a kernel that was stopped, which has been reported
}

std::vector<float> Array::fetch() const {
  std::vector<float> values(values_.size());
  const std::size_t bytes = values.size() * sizeof(float);
  require_success(cudaMemcpy(values.data(), device_, bytes, cudaMemcpyDeviceToHost), "cudaMemcpy");
  return values;
}

Array Tests::numbers(const char* name, Shape shape, int low) {
  // From a shuffled deck, so that a small array has no number twice and a wrong index shows.
  std::vector<float> deck, values;
  std::mt19937 random = generator(name);
  while (int(values.size()) < shape.size()) {
    if (deck.empty()) {
      for (int v = low; v <= 9; ++v) deck.push_back(float(v));
    }
    const std::size_t i = random() % deck.size();
    values.push_back(deck[i]);
    deck.erase(deck.begin() + std::ptrdiff_t(i));
  }
  return Array(name, shape, values);
}

Array Tests::reals(const char* name, Shape shape, float centre, float spread) {
  std::vector<float> values;
  std::mt19937 random = generator(name);
  for (int i = 0; i < shape.size(); ++i) {
    values.push_back(centre + spread * (float(random() >> 8) / float(1 << 23) - 1));
  }
  return Array(name, shape, values);
}

Array Tests::result(const char* name, Shape shape) {
  trace::begin();
  return Array(name, shape, std::vector<float>(std::size_t(shape.size()), untouched()));
}

void Tests::limit_loads(const Array& array, int loads) {
  limits_.push_back({&array, Memory::global, loads});
}

void Tests::limit_loads_per_thread(Memory memory, int loads) {
  limits_.push_back({nullptr, memory, loads});
}

void Tests::compare(const Array& result, const std::vector<float>& wanted, float tolerance) {
  const std::string test =
      "Test " + std::to_string(test_) + ", where " + result.name() + " " + size_of(result);
  cudaError_t error = cudaGetLastError();
  if (error == cudaSuccess) error = cudaDeviceSynchronize();
  if (error != cudaSuccess) {
    say("%s: the kernel was stopped.\n%s", test.c_str(), cudaGetErrorString(error));
    trace::print(true);
    throw Failed{};
  }

  const std::vector<float> got = result.fetch();
  std::vector<bool> wrong(got.size());
  for (std::size_t i = 0; i < got.size(); ++i) {  // written so that a NaN is wrong
    wrong[i] = !(std::fabs(got[i] - wanted[i]) <= tolerance * (1 + std::fabs(wanted[i])));
  }
  const int count = int(std::count(wrong.begin(), wrong.end(), true));
  if (count > 0) {
    say("%s: %d of %d numbers are wrong.", test.c_str(), count, result.size());
    int listed = draw(result, wanted, got, wrong) ? kMostListed - 1 : 0;
    for (int i = 0; i < result.size() && listed < kMostListed; ++i) {
      if (!wrong[i]) continue;
      say_wrong(result, i, wanted[i], got[i]);
      ++listed;
    }
    trace::print(false);
    throw Failed{};
  }

  for (const Limit& limit : limits_) enforce(limit, test);
  limits_.clear();
  say("%s: passed.", test.c_str());
  ++test_;
}

void Tests::enforce(const Limit& limit, const std::string& test) const {
  if (!trace::available) return;
  const std::size_t allowed = std::size_t(limit.loads);
  if (limit.array) {
    const std::size_t loads = trace::loads_of(*limit.array);
    if (loads <= allowed) return;
    say("%s: the result is right.", test.c_str());
    say("But the kernel made %zu loads from %s in global memory, and %zu are enough.", loads,
        limit.array->name(), allowed);
  } else {
    const trace::Busiest busiest = trace::busiest(limit.memory);
    if (busiest.loads <= allowed) return;
    say("%s: the result is right.", test.c_str());
    say("But %s alone loaded %zu numbers from %s memory. If the threads share the work, no thread "
        "needs to load more than %zu.",
        trace::thread_name(busiest.block, busiest.thread).c_str(), busiest.loads,
        limit.memory == Memory::shared ? "shared" : "global", allowed);
  }
  trace::print(false);
  throw Failed{};
}

}  // namespace puzzle
