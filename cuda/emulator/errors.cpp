// Errors as CUDA keeps them. Most belong to one call: it returns the code, and cudaGetLastError gives
// it once more and forgets it. A fault inside a kernel is sticky: every later call returns it. What
// CUDA leaves to a debugger, the report says in words; cudaGetErrorString returns it.
#include "cuda/emulator/errors.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "cuda/emulator/check.h"

namespace simt {
namespace {

cudaError_t last = cudaSuccess, sticky = cudaSuccess, reported = cudaSuccess;
std::string report_text;

void say(cudaError_t error, const std::string& text) {
  report_text = text;
  reported = error;
  if (!config().quiet) std::fprintf(stderr, "simt: %s\n", text.c_str());
}

const char* environment(const char* name) {
  const char* const value = std::getenv(name);
  return value && *value ? value : nullptr;
}

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* const value = environment(name);
  if (!value) return otherwise;
  char* end = nullptr;
  const std::uint64_t n = std::strtoull(value, &end, 10);
  if (*end != 0) throw std::invalid_argument(std::string(name) + ": '" + value + "' is no number");
  return n;
}

/// Which of `choices` a variable names, the first if it is not set.
std::size_t choice(const char* name, std::initializer_list<std::string_view> choices) {
  const char* const value = environment(name);
  if (!value) return 0;
  std::string list;
  std::size_t i = 0;
  for (const std::string_view c : choices) {
    if (c == value) return i;
    list.append(i++ ? ", " : "").append(c);
  }
  throw std::invalid_argument(std::string(name) + ": '" + value + "' is none of " + list);
}

Config from_environment() {
  Config c;
  c.schedule = Schedule(choice("GRADUS_CUDA_SCHEDULE", {"forward", "reverse", "random"}));
  c.seed = number("GRADUS_CUDA_SEED", 1);
  c.deferred = choice("GRADUS_CUDA_STREAMS", {"eager", "deferred"}) == 1;
  c.replay = choice("GRADUS_CUDA_REPLAY", {"0", "1"}) == 1;
  c.arch = int(number("GRADUS_CUDA_ARCH", 75));
  return c;
}

}  // namespace

Config& config() {
  static Config the_config = from_environment();
  return the_config;
}

Stats& stats() {
  static Stats the_stats;
  return the_stats;
}

const std::string& last_report() { return report_text; }
cudaError_t sticky_error() { return sticky; }

void clear_errors() {
  last = sticky = reported = cudaSuccess;
  report_text.clear();
}

cudaError_t set_error(cudaError_t error) {
  if (error != cudaSuccess) last = error;
  return sticky != cudaSuccess ? sticky : error;
}

cudaError_t complain(cudaError_t error, const std::string& text) {
  say(error, text);
  return set_error(error);
}

void stick(cudaError_t error, const std::string& text) {
  say(error, text);
  last = sticky = error;
}

void report(const std::string& what) { stick(cudaErrorLaunchFailure, what); }

std::string place(const Loc& where) {
  const std::string file = where.file_name();
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(where.line());
}

}  // namespace simt

cudaError_t cudaPeekAtLastError() {
  return simt::sticky != cudaSuccess ? simt::sticky : simt::last;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  simt::last = cudaSuccess;
  return error;
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define SIMT_NAME(e) \
  case e: return #e;
    SIMT_NAME(cudaSuccess)
    SIMT_NAME(cudaErrorInvalidValue)
    SIMT_NAME(cudaErrorMemoryAllocation)
    SIMT_NAME(cudaErrorInvalidConfiguration)
    SIMT_NAME(cudaErrorInvalidSymbol)
    SIMT_NAME(cudaErrorInvalidDevicePointer)
    SIMT_NAME(cudaErrorInvalidMemcpyDirection)
    SIMT_NAME(cudaErrorInsufficientDriver)
    SIMT_NAME(cudaErrorInvalidDeviceFunction)
    SIMT_NAME(cudaErrorNoDevice)
    SIMT_NAME(cudaErrorInvalidDevice)
    SIMT_NAME(cudaErrorInvalidResourceHandle)
    SIMT_NAME(cudaErrorNotReady)
    SIMT_NAME(cudaErrorIllegalAddress)
    SIMT_NAME(cudaErrorLaunchOutOfResources)
    SIMT_NAME(cudaErrorLaunchTimeout)
    SIMT_NAME(cudaErrorAssert)
    SIMT_NAME(cudaErrorMisalignedAddress)
    SIMT_NAME(cudaErrorLaunchFailure)
    SIMT_NAME(cudaErrorNotSupported)
    SIMT_NAME(cudaErrorUnknown)
#undef SIMT_NAME
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  const bool explained = error != cudaSuccess && error == simt::reported;
  return explained ? simt::report_text.c_str() : cudaGetErrorName(error);
}
