// How many kernels a training step launches. A launch costs the host some microseconds whatever it
// computes, so a small model on a large GPU takes as long as its launches.
#include <doctest/doctest.h>

#include "cuda/cuda.h"
#include "tests/bench/gpt_bench.h"

using namespace gradus;

namespace {

/// A step of nano before clipping and optimizers took all tensors at once.
constexpr int64_t kOneTensorAtATime = 571;

struct Cost {
  int64_t launches, waits;
};
template <class F>
Cost cost_of(F f) {
  const Cost before{cuda::launches(), cuda::waits()};
  f();
  return {cuda::launches() - before.launches, cuda::waits() - before.waits};
}

}  // namespace

TEST_CASE("cuda launches: a training step of nano") {
  cuda::install();
  manual_seed(3);
  const bench::Job& nano = bench::kJobs.at("nano");
  Gpt model(nano.config);
  model.to(Device::CUDA);
  AdamW optimizer(model.parameters(), 1e-3);
  const auto tokens = [&] {
    return raw::to(randint(0, nano.config.vocabulary, {nano.batch, nano.config.context}),
                   Device::CUDA);
  };
  Cost passes{}, update{};
  for (int step = 0; step < 2; ++step) {  // the first one also makes the optimizer's state
    const Tensor ids = tokens(), targets = tokens();
    passes = cost_of([&] {
      optimizer.zero_grad();
      backward(cross_entropy(model(ids), targets));
    });
    update = cost_of([&] {
      CHECK(clip_grad_norm(model.parameters(), 1e-3) > 1e-3);  // so that it has to scale, too
      optimizer.step();
    });
  }
  CAPTURE(passes.launches);
  CAPTURE(update.launches);
  CHECK(model.parameters().size() == 52);
  CHECK(passes.waits == 0);
  CHECK(update.launches <= 4);  // two for the norm, one for the scaling, one for AdamW
  CHECK(update.waits == 1);
  CHECK(passes.launches + update.launches <= kOneTensorAtATime * 6 / 10);
}

TEST_CASE("cuda launches: an embedding and its gradient wait for nothing") {
  cuda::install();
  const Tensor weight = ones({7, 3}, {F32, Device::CUDA}).set_requires_grad();
  const Tensor ids = raw::to(randint(0, 7, {2, 5}), Device::CUDA);
  CHECK(cost_of([&] { backward(sum(embedding(weight, ids))); }).waits == 0);
}
