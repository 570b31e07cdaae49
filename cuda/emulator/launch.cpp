// launch<kernel>(…): refuses what a GPU refuses, copies the parameters, puts the grid into its
// stream.
#include "cuda/emulator/launch.h"

#include <dlfcn.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "cuda/emulator/block.h"
#include "cuda/emulator/check.h"
#include "cuda/emulator/errors.h"
#include "cuda/emulator/memory.h"
#include "cuda/emulator/shared.h"
#include "cuda/emulator/stream.h"

namespace simt {
namespace {

std::map<const void*, std::size_t> dynamic_limits;  // set by cudaFuncSetAttribute

/// Of static and dynamic shared memory together. A kernel that asked for more may have all there
/// is.
std::size_t shared_limit(const Kernel& kernel) {
  return dynamic_limits.contains(kernel.function) ? shared_memory_limit(config().arch)
                                                  : kSharedLimit;
}

std::string size_text(dim3 n) {
  return "(" + std::to_string(n.x) + ", " + std::to_string(n.y) + ", " + std::to_string(n.z) + ")";
}

const void* pointer_argument(const Parameter& parameter, const void* buffer) {
  const void* p = nullptr;
  std::memcpy(&p, static_cast<const char*>(buffer) + parameter.offset, sizeof p);
  return p;
}

/// Why a GPU would refuse a launch, and with which error. Empty for a good launch.
std::pair<cudaError_t, std::string> objection(const Kernel& kernel, const LaunchConfig& c) {
  const dim3 g = c.grid, b = c.block;
  const std::size_t limit = dynamic_limit(kernel.function);
  if (!(g.x && g.y && g.z && b.x && b.y && b.z))
    return {cudaErrorInvalidConfiguration,
            "no size may be 0 (or negative): grid " + size_text(g) + ", block " + size_text(b)};
  if (b.x > 1024 || b.y > 1024 || b.z > 64 || std::uint64_t(b.x) * b.y * b.z > kMaxThreads)
    return {cudaErrorInvalidConfiguration,
            "a block has at most 1024 threads, and (1024, 1024, 64) along x, y, z: block " +
                size_text(b)};
  if (g.x > unsigned(INT_MAX) || g.y > 65535 || g.z > 65535)
    return {
        cudaErrorInvalidConfiguration,
        "a grid has at most (2147483647, 65535, 65535) blocks along x, y, z: grid " + size_text(g)};
  if (std::uint64_t(g.x) * g.y * g.z > UINT_MAX)
    return {cudaErrorNotSupported,
            "2^32 or more blocks are too many to emulate: grid " + size_text(g)};
  if (c.shared_bytes > limit)
    return {cudaErrorInvalidValue,
            std::to_string(c.shared_bytes) + " bytes of dynamic shared memory, but the limit is " +
                std::to_string(limit) + "; cudaFuncSetAttribute can raise it"};
  if (!is_stream(c.stream)) return {cudaErrorInvalidResourceHandle, "the stream does not exist"};
  return {cudaSuccess, ""};
}

/// GRADUS_CUDA_LOG=file lists each kernel once. If the program exports the kernel's symbol
/// (-rdynamic), it writes that name, which is also its name in PTX.
void log(const Kernel& kernel) {
  static const char* const path = std::getenv("GRADUS_CUDA_LOG");
  static std::set<const void*> logged;
  if (!path || !logged.insert(kernel.function).second) return;
  std::FILE* const file = std::fopen(path, "a");
  if (!file) {
    std::fprintf(stderr, "simt: GRADUS_CUDA_LOG: cannot write %s\n", path);
    return;
  }
  Dl_info symbol;
  const bool exported = dladdr(kernel.function, &symbol) && symbol.dli_saddr == kernel.function;
  const std::string name = exported ? symbol.dli_sname : std::string(kernel.name);
  std::fprintf(file, "%s\n", name.c_str());
  std::fclose(file);
}

void run(const Launch& launch) {
  if (sticky_error() != cudaSuccess) return;
  const Kernel& kernel = launch.kernel;
  std::vector<const void*> pointers(kernel.parameter_count);
  for (std::size_t i = 0; i < pointers.size(); ++i)
    if (kernel.parameters[i].is_pointer)
      pointers[i] = pointer_argument(kernel.parameters[i], launch.parameters.get());
  check::grid_begins({kernel.name, launch.config.where,
                      launch.config.block.x * launch.config.block.y * launch.config.block.z,
                      launch.parameters.get(), kernel.parameter_bytes, pointers.data(),
                      int(pointers.size())});
  if (config().replay)
    run_replayed(launch);
  else
    run_grid(launch);
  check::grid_ends();
  for (const void* const p : pointers)
    if (p && !guards_intact(p, "kernel " + std::string(kernel.name) + " launched at " +
                                   place(launch.config.where)))
      return;
}

}  // namespace

std::size_t dynamic_limit(const void* function) {
  const auto asked = dynamic_limits.find(function);
  return asked == dynamic_limits.end() ? kSharedLimit : asked->second;
}

void launch_kernel(const Kernel& kernel, const LaunchConfig& c, const void* parameters) {
  const std::string what =
      "launch of kernel " + std::string(kernel.name) + " at " + place(c.where) + ": ";
  if (sticky_error() != cudaSuccess) return;
  if (const auto [error, reason] = objection(kernel, c); error != cudaSuccess) {
    report_error(error, what + reason);
    return;
  }
  for (std::size_t i = 0; i < kernel.parameter_count; ++i) {
    if (!kernel.parameters[i].is_pointer) continue;
    const void* const p = pointer_argument(kernel.parameters[i], parameters);
    if (!p || find_allocation(p)) continue;
    report_sticky_error(cudaErrorIllegalAddress, what + "argument " + std::to_string(i + 1) +
                                                     " points to " + describe_address(p) +
                                                     ", which a kernel cannot reach");
    return;
  }
  ++stats().launches;
  log(kernel);
  const std::shared_ptr<char[]> copy(new char[kernel.parameter_bytes + 1]);
  std::memcpy(copy.get(), parameters, kernel.parameter_bytes);
  Launch launch{kernel, c, shared_limit(kernel), copy, {kernel.call, copy}};
  ptx::substitute(kernel, copy.get(), launch.body);
  submit(c.stream, kernel.name, c.where, [launch = std::move(launch)] { run(launch); });
}

cudaError_t set_function_attribute(const void* function, cudaFuncAttribute attribute, int value) {
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return set_error(cudaSuccess);
  const std::size_t limit = shared_memory_limit(config().arch);
  if (value < 0 || std::size_t(value) > limit)
    return report_error(cudaErrorInvalidValue, "cudaFuncSetAttribute: " + std::to_string(value) +
                                                   " bytes of dynamic shared memory, but sm_" +
                                                   std::to_string(config().arch) + " has " +
                                                   std::to_string(limit));
  dynamic_limits[function] = std::size_t(value);
  return set_error(cudaSuccess);
}

}  // namespace simt
