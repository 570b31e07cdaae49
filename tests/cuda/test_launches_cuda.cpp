// How many kernels a training step launches.
#include <doctest/doctest.h>

#include "cuda/cuda.h"
#include "tests/bench/gpt_bench.h"

using namespace gradus;

TEST_CASE("cuda launches: a training step of nano") {
  cuda::install();
  manual_seed(3);
  const GptConfig& c = bench::kJobs.at("nano").config;
  Gpt model(c);
  model.to(Device::CUDA);
  AdamW optimizer(model.parameters(), 1e-3);
  for (int step = 0; step < 2; ++step) {
    const Tensor ids = raw::to(randint(0, c.vocabulary, {12, c.context}), Device::CUDA), targets = raw::to(randint(0, c.vocabulary, {12, c.context}), Device::CUDA);
    const int64_t a = cuda::launches();
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(ids), targets);
    const int64_t b = cuda::launches();
    backward(loss);
    const int64_t d = cuda::launches();
    clip_grad_norm(model.parameters(), 1.0);
    const int64_t e = cuda::launches();
    optimizer.step();
    const int64_t f = cuda::launches();
    fmt::print("forward {} backward {} clip {} step {} all {}\n", b - a, d - b, e - d, f - e, f - a);
  }
}
