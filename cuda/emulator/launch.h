// A launch on its way from launch<kernel>(…) to the blocks.
#pragma once
#include <cuda_runtime.h>

#include <memory>

namespace simt {

/// The code of one thread: the C++ function with its parameter buffer, or nvcc's PTX (ptx.h).
struct Body {
  void (*run)(const void* context);
  std::shared_ptr<const void> context;
};

struct Launch {
  Kernel kernel;
  LaunchConfig config;
  std::size_t shared_limit;  // of static and dynamic shared memory together
  std::shared_ptr<const void> parameters;
  Body body;
};

/// Runs all blocks of a grid in the schedule's order. False if one ended with a report.
bool run_grid(const Launch&);

/// Runs a grid forward, and again in reverse from the same memory. Reports any bit that differs.
void run_replayed(const Launch&);

/// How much dynamic shared memory a kernel may use: 48 KiB, or what cudaFuncSetAttribute has set.
std::size_t dynamic_limit(const void* function);

namespace ptx {
/// If GRADUS_CUDA_PTX is set, replaces the body with the kernel's entry in nvcc's PTX.
void substitute(const Kernel&, const void* parameters, Body&);
}  // namespace ptx

}  // namespace simt
