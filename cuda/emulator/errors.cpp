// Errors the way CUDA handles them. Most belong to one call: it returns the code, and
// cudaGetLastError returns it once more and forgets it. A fault inside a kernel is sticky: every
// later call returns it. What CUDA leaves to a debugger, a report explains, and cudaGetErrorString
// returns it.
#include "cuda/emulator/errors.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

#include "cuda/emulator/check.h"

namespace simt {
namespace {

cudaError_t last = cudaSuccess, sticky = cudaSuccess, reported = cudaSuccess;
std::string report_text;

void print_report(cudaError_t error, const std::string& text) {
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
  if (*end != 0 || *value < '0' || *value > '9')
    throw std::invalid_argument(std::string(name) + ": '" + value + "' is not a whole number");
  return n;
}

/// The index of the choice that a variable names, or 0 if it is not set.
std::size_t choice(const char* name, std::initializer_list<std::string_view> choices) {
  const char* const value = environment(name);
  if (!value) return 0;
  std::string list;
  std::size_t i = 0;
  for (const std::string_view c : choices) {
    if (c == value) return i;
    list.append(i++ ? ", " : "").append(c);
  }
  throw std::invalid_argument(std::string(name) + ": '" + value + "' is not one of " + list);
}

/// One of those that nvcc 13 knows: 75, 80, 86, …
int architecture() {
  constexpr std::uint64_t known[] = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};
  const std::uint64_t asked = number("GRADUS_CUDA_ARCH", known[0]);
  if (std::find(std::begin(known), std::end(known), asked) != std::end(known)) return int(asked);
  std::string list;
  for (const std::uint64_t arch : known)
    list.append(list.empty() ? "" : ", ").append(std::to_string(arch));
  throw std::invalid_argument("GRADUS_CUDA_ARCH: '" + std::to_string(asked) + "' is not one of " +
                              list);
}

Config from_environment() {
  Config c;
  c.schedule = Schedule(choice("GRADUS_CUDA_SCHEDULE", {"forward", "reverse", "random"}));
  c.seed = number("GRADUS_CUDA_SEED", 1);
  c.deferred = choice("GRADUS_CUDA_STREAMS", {"eager", "deferred"}) == 1;
  c.replay = choice("GRADUS_CUDA_REPLAY", {"0", "1"}) == 1;
  c.arch = architecture();
  if (choice("GRADUS_CUDA_PROFILE", {"0", "1"}) == 1 && !check::enabled)
    std::fprintf(stderr, "simt: GRADUS_CUDA_PROFILE counts only in the checked build\n");
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

cudaError_t report_error(cudaError_t error, const std::string& text) {
  print_report(error, text);
  return set_error(error);
}

void report_sticky_error(cudaError_t error, const std::string& text) {
  print_report(error, text);
  last = sticky = error;
}

void report(const std::string& what) { report_sticky_error(cudaErrorLaunchFailure, what); }

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

namespace {

struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
constexpr ErrorText kErrors[] = {
#define SIMT_ERROR(error, text) \
  { error, #error, text }
    SIMT_ERROR(cudaSuccess, "no error"),
    SIMT_ERROR(cudaErrorInvalidValue, "invalid argument"),
    SIMT_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    SIMT_ERROR(cudaErrorInvalidConfiguration,
               "a grid, a block or its shared memory has an impossible size"),
    SIMT_ERROR(cudaErrorInvalidPitchValue, "a row is longer than its pitch"),
    SIMT_ERROR(cudaErrorInvalidSymbol, "no such __device__ or __constant__ variable"),
    SIMT_ERROR(cudaErrorInvalidDevicePointer, "not a pointer to device memory"),
    SIMT_ERROR(cudaErrorInvalidMemcpyDirection, "no such copy direction"),
    SIMT_ERROR(cudaErrorInsufficientDriver, "the driver is too old for this runtime"),
    SIMT_ERROR(cudaErrorInvalidDeviceFunction, "no such kernel for this device"),
    SIMT_ERROR(cudaErrorNoDevice, "no GPU was found"),
    SIMT_ERROR(cudaErrorInvalidDevice, "no device has this number"),
    SIMT_ERROR(cudaErrorInvalidResourceHandle, "no such stream or event, or it was destroyed"),
    SIMT_ERROR(cudaErrorNotReady, "the work is not done yet"),
    SIMT_ERROR(cudaErrorIllegalAddress, "a kernel used an address outside its memory"),
    SIMT_ERROR(cudaErrorLaunchOutOfResources,
               "the kernel needs more registers or memory than a block can have"),
    SIMT_ERROR(cudaErrorLaunchTimeout, "the kernel ran too long"),
    SIMT_ERROR(cudaErrorAssert, "an assert() in a kernel failed"),
    SIMT_ERROR(cudaErrorMisalignedAddress, "a kernel used an address that is not aligned"),
    SIMT_ERROR(cudaErrorLaunchFailure, "a kernel failed"),
    SIMT_ERROR(cudaErrorNotSupported, "not supported"),
    SIMT_ERROR(cudaErrorUnknown, "unknown error"),
#undef SIMT_ERROR
};

ErrorText text_of(cudaError_t error) {
  for (const ErrorText& text : kErrors)
    if (text.error == error) return text;
  return {error, "unrecognized error code", "unrecognized error code"};
}

}  // namespace

const char* cudaGetErrorName(cudaError_t error) { return text_of(error).name; }

const char* cudaGetErrorString(cudaError_t error) {
  const bool explained = error != cudaSuccess && error == simt::reported;
  return explained ? simt::report_text.c_str() : text_of(error).text;
}
