// The settings of matmul_options.h: set by the program, or read from the environment when first
// asked for.
#include "cuda/matmul_options.h"

#include <cstdlib>
#include <string_view>

#include "tensor/error.h"

namespace gradus::cuda {

const char* name(MatmulKernel kernel) {
  constexpr const char* names[] = {"naive", "coalesced", "tiled", "registers", "cublas"};
  return names[static_cast<size_t>(kernel)];
}

MatmulKernel matmul_kernel_named(const char* wanted) {
  for (const MatmulKernel kernel : kMatmulKernels)
    if (std::string_view(name(kernel)) == wanted) return kernel;
  throw ValueError(
      fmt::format("matmul: there is no kernel \"{}\": the names are naive, coalesced, tiled, "
                  "registers and cublas (GRADUS_CUDA_MATMUL, or bench_cuda's argument)",
                  wanted));
}

namespace {

MatmulKernel& kernel_setting() {
  static MatmulKernel kernel = [] {
    const char* wanted = std::getenv("GRADUS_CUDA_MATMUL");
    return wanted != nullptr ? matmul_kernel_named(wanted) : MatmulKernel::Cublas;
  }();
  return kernel;
}

bool& tf32_setting() {
  static bool on = [] {
    const char* wanted = std::getenv("GRADUS_TF32");
    return wanted != nullptr && std::string_view(wanted) == "1";
  }();
  return on;
}

}  // namespace

MatmulKernel matmul_kernel() { return kernel_setting(); }
void set_matmul_kernel(MatmulKernel kernel) { kernel_setting() = kernel; }
bool tf32() { return tf32_setting(); }
void set_tf32(bool on) { tf32_setting() = on; }

}  // namespace gradus::cuda
