// A launch on its way from launch<kernel>(…) to the blocks.
#pragma once
#include <cuda_runtime.h>

#include <memory>

namespace simt {

/// What runs one thread: the C++ function with its parameter buffer, or nvcc's PTX (ptx.h).
struct Body {
  void (*run)(const void* context);
  std::shared_ptr<const void> context;
};

struct Launch {
  Kernel kernel;
  LaunchConfig config;
  std::size_t shared_limit;  // for its static and dynamic shared memory together
  std::shared_ptr<const void> parameters;
  Body body;
};

/// Runs all blocks of a grid in the schedule's order; false if one ended with a report.
bool run_grid(const Launch&);

/// Runs a grid forward, then again in reverse from the same memory; a report if that changes a bit.
void run_replayed(const Launch&);

/// What a kernel may have of dynamic shared memory: 48 KiB, or what cudaFuncSetAttribute said.
std::size_t dynamic_limit(const void* function);

namespace ptx {
/// With GRADUS_CUDA_PTX set: replaces the body by the kernel's entry in nvcc's PTX.
void substitute(const Kernel&, const void* parameters, Body&);
}  // namespace ptx

}  // namespace simt
