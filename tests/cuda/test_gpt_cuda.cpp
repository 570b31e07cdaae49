// End to end on Device::CUDA: a small GPT trains to the CPU's losses and writes the CPU's tokens.
// Everything that training needs is in it: products, embedding, layer norm, attention, gelu,
// cross-entropy, their gradients, clipping, AdamW.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "cuda/cuda.h"
#include "nn/models/gpt.h"
#include "nn/text/sampling.h"
#include "optim/clip.h"
#include "optim/optimizer.h"

using namespace gradus;

namespace {

constexpr int64_t kB = 2, kT = 16, kV = 50;

Gpt small_gpt(DType dtype, Device device) {
  manual_seed(11);  // the weights are drawn on the CPU: the same for both devices
  Gpt gpt({.vocabulary = kV, .context = kT, .layers = 2, .heads = 2, .channels = 32});
  gpt.to(dtype);
  gpt.to(device);
  return gpt;
}

struct Run {
  std::vector<double> losses, norms;
  std::vector<double> weights;  // after the last step, all of them
};

/// Ten steps on one text, with AdamW and clipping.
Run train(DType dtype, Device device) {
  const Gpt gpt = small_gpt(dtype, device);
  const Tensor text = raw::to(randint(0, kV, {kB, kT + 1}), device);
  ParamGroup matrices{.params = {}, .weight_decay = 0.1}, vectors{.params = {}, .weight_decay = 0};
  for (const Tensor& p : gpt.parameters()) (p.dim() > 1 ? matrices : vectors).params.push_back(p);
  AdamW opt({matrices, vectors}, 1e-2, {.beta2 = 0.95});
  Run run;
  for (int step = 0; step < 10; ++step) {
    opt.zero_grad();
    const Tensor loss = cross_entropy(gpt(slice(text, 1, 0, kT)), slice(text, 1, 1, kT + 1));
    backward(loss);
    run.norms.push_back(clip_grad_norm(gpt.parameters(), 1.0));
    opt.step();
    run.losses.push_back(loss.item());
  }
  for (const Tensor& p : gpt.parameters())
    for (const double w : p.detach().to_vector<double>()) run.weights.push_back(w);
  return run;
}

std::vector<int64_t> write(const Gpt& gpt, Device device, const SamplingOptions& options) {
  const NoGrad guard;
  Generator generator(5);
  std::vector<KvCache> caches = gpt.make_caches(1);
  std::vector<int64_t> text{7, 3, 1};
  Tensor next = tensor<int64_t>(text, {1, 3}, device);  // the prompt at once, then token by token
  while (text.size() < kT) {
    text.push_back(sample(gpt(next, caches), options, text, generator));
    next = tensor<int64_t>({text.back()}, {1, 1}, device);
  }
  return text;
}

}  // namespace

TEST_CASE("cuda: a GPT trains to the CPU's losses, and twice to the same bits") {
  cuda::install();
  for (const DType dtype : {F32, F64}) {
    const double tolerance = dtype == F32 ? 1e-4 : 1e-9;
    const Run here = train(dtype, Device::CPU), there = train(dtype, Device::CUDA);
    REQUIRE(here.losses.size() == 10);
    CHECK(here.losses.back() <
          0.5 * here.losses.front());  // it learns, so there is something to compare
    for (size_t i = 0; i < here.losses.size(); ++i) {
      CAPTURE(i);
      CHECK(std::abs(there.losses[i] - here.losses[i]) <= tolerance * here.losses[i]);
      CHECK(std::abs(there.norms[i] - here.norms[i]) <= 10 * tolerance * here.norms[i]);
    }
    CHECK(train(dtype, Device::CUDA).weights == there.weights);
  }
}

TEST_CASE("cuda: a GPT writes the CPU's tokens, with a cache") {
  cuda::install();
  const Gpt here = small_gpt(F32, Device::CPU), there = small_gpt(F32, Device::CUDA);
  for (const SamplingOptions& options :
       {SamplingOptions{.temperature = 0},
        SamplingOptions{.temperature = 1.2, .top_k = 20, .repetition_penalty = 1.3}}) {
    const std::vector<int64_t> expected = write(here, Device::CPU, options);
    CHECK(expected.size() == kT);
    CHECK(write(there, Device::CUDA, options) == expected);
  }
}
