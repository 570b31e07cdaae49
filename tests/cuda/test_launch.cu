// The library's launch: if a kernel cannot be launched, the error names it. A grid that is too
// small for all elements still reaches each of them once.
#include "cuda/launch.h"
#include "tests/cuda/device.h"

#include <exception>

namespace gradus::cuda {

__global__ void count_visits_kernel(int* visits, int64_t n) {
  for (int64_t i = first_element(); i < n; i += element_step()) ++visits[i];
}

}  // namespace gradus::cuda

namespace {

using gradus::cuda::count_visits_kernel;

/// What the launch throws.
std::string refusal(const LaunchConfig& config, int* visits) {
  try {
    gradus::cuda::launch<count_visits_kernel>(config, visits, 0);
  } catch (const std::exception& e) { return e.what(); }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("cuda launch: a refusal names the kernel, and does not affect the next launch") {
  const Device<int> visits(std::vector<int>(1, 0));
  for (const LaunchConfig& config :
       {LaunchConfig(1, 2048), LaunchConfig(0, 32), LaunchConfig(dim3(1, 70000), 32)}) {
    const std::string text = refusal(config, visits.data());
    CHECK_MESSAGE(text.find("count_visits_kernel") != std::string::npos, text);
    CHECK_MESSAGE(text.find("cudaErrorInvalidConfiguration") != std::string::npos, text);
    CHECK_MESSAGE(text.find("GRADUS_SYNC=1") != std::string::npos, text);
  }
  gradus::cuda::launch<count_visits_kernel>({1, 32}, visits.data(), 1);
  CHECK(visits.host() == std::vector<int>{1});
}

TEST_CASE("cuda launch: every element is visited once") {
  for (const int64_t n : {1, 255, 256, 257, 5000})
    for (const bool small : {false, true}) {
      const Device<int> visits(std::vector<int>(static_cast<std::size_t>(n), 0));
      const LaunchConfig config = gradus::cuda::elements(n, nullptr);
      gradus::cuda::launch<count_visits_kernel>(small ? LaunchConfig(3, 32) : config, visits.data(),
                                                n);
      CHECK(visits.host() == std::vector<int>(static_cast<std::size_t>(n), 1));
    }
  CHECK(gradus::cuda::elements(int64_t{1} << 60, nullptr).grid.x == gradus::cuda::max_blocks);
}
