// Speed on a GPU:
//   build/bin/bench_cuda matmul [naive|coalesced|tiled|registers|cublas|all] [M N K]
//   build/bin/bench_cuda train|generate nano|small|gpt2
// The first times the steps of the matmul staircase, in F32 and in GFLOP/s; the others are what
// bench_gpt does on the CPU. On the emulator times mean nothing; there the checked build counts
// what a GPU would have fetched: GRADUS_CUDA_PROFILE=1 bench_cuda matmul all.
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "cuda/cuda.h"
#include "cuda/matmul_options.h"
#include "tests/bench/gpt_bench.h"

using namespace gradus;

namespace {

struct Size {
  int64_t m, n, k;
};

/// One product after the other, and one wait at the end: launching is not what is measured.
double seconds_per_product(const Tensor& a, const Tensor& b) {
  const auto run = [&](int times) {
    const double start = bench::now(Device::CUDA);
    for (int i = 0; i < times; ++i) raw::matmul(a, b);
    return (bench::now(Device::CUDA) - start) / times;
  };
  run(3);  // the first calls load the kernel and fill the pool
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) seconds.push_back(run(10));
  return bench::median(seconds);
}

void matmul(const std::vector<cuda::MatmulKernel>& kernels, Size size) {
  const Tensor a = raw::to(randn({size.m, size.k}), Device::CUDA),
               b = raw::to(randn({size.k, size.n}), Device::CUDA);
  const double flops = 2e-9 * static_cast<double>(size.m * size.n * size.k);
  fmt::print("({}, {}) @ ({}, {}), F32{}, on {}\n", size.m, size.k, size.k, size.n,
             cuda::tf32() ? " with TF32" : "", cuda::device_name());
  if (cuda::emulated())
    fmt::print(
        "This is the emulator: times mean nothing. {}\n",
        std::getenv("GRADUS_CUDA_PROFILE") != nullptr
            ? "What the kernels fetch is counted below, in the checked build."
            : "Run the checked build with GRADUS_CUDA_PROFILE=1 to count what the kernels fetch.");
  for (const cuda::MatmulKernel kernel : kernels) {
    cuda::set_matmul_kernel(kernel);
    if (cuda::emulated()) {
      raw::matmul(a, b);
    } else {
      const double seconds = seconds_per_product(a, b);
      fmt::print("{:>10} {:10.3f} ms {:10.1f} GFLOP/s\n", name(kernel), seconds * 1e3,
                 flops / seconds);
    }
  }
}

/// matmul's arguments; false if they make no sense.
bool run_matmul(const std::vector<std::string>& args) {
  std::vector<cuda::MatmulKernel> kernels(std::begin(cuda::kMatmulKernels),
                                          std::end(cuda::kMatmulKernels));
  size_t at = 0;
  if (!args.empty() && std::isalpha(static_cast<unsigned char>(args[0][0]))) {
    if (args[0] != "all") kernels = {cuda::matmul_kernel_named(args[0].c_str())};
    at = 1;
  }
  const int64_t side = cuda::emulated() ? 128 : 2048;
  int64_t sizes[] = {side, side, side};
  if (args.size() != at && args.size() != at + 3) return false;
  for (size_t i = 0; at + i < args.size(); ++i) {
    const std::string& text = args[at + i];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sizes[i]);
    if (error != std::errc{} || end != text.data() + text.size() || sizes[i] < 1) return false;
  }
  matmul(kernels, {sizes[0], sizes[1], sizes[2]});
  return true;
}

bool run(const std::vector<std::string>& args) {
  if (args.empty()) return false;
  cuda::install();
  manual_seed(0);
  if (args[0] == "matmul") return run_matmul({args.begin() + 1, args.end()});
  return args.size() == 2 &&
         bench::run(
             {Device::CUDA, fmt::format("gradus {}, {}", GRADUS_VERSION, cuda::device_name()),
              cuda::pool_bytes},
             args[0], args[1]);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (run({argv + 1, argv + argc})) return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "bench_cuda: {}\n", error.what());
    return 1;
  }
  std::fputs(
      "usage: bench_cuda matmul [naive|coalesced|tiled|registers|cublas|all] [M N K]\n"
      "       bench_cuda train|generate nano|small|gpt2\n",
      stderr);
  return 2;
}
