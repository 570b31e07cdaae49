// End to end: ten training steps of a small GPT against PyTorch's losses (golden/gpt.py says how
// the weights are made: the same bits here and there, without a file).
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "nn/models/gpt.h"
#include "optim/clip.h"
#include "optim/optimizer.h"

using namespace gradus;
using nlohmann::json;

namespace {

constexpr int64_t kB = 2, kT = 16, kV = 50;

/// golden/gpt.py: n numbers in [0, 2^32), from a name and the position.
std::vector<uint32_t> words(const std::string& name, int64_t n) {
  uint32_t seed = 2166136261u;
  for (const char c : name) seed = (seed ^ static_cast<uint8_t>(c)) * 16777619u;
  std::vector<uint32_t> out;
  for (int64_t i = 0; i < n; ++i) {
    uint32_t x = seed + static_cast<uint32_t>(i) * 2654435769u;
    x = (x ^ x >> 16) * 2146121005u;
    x = (x ^ x >> 15) * 2221713035u;
    out.push_back(x ^ x >> 16);
  }
  return out;
}

void set_weights(const Gpt& gpt) {
  for (const auto& [name, p] : gpt.named_parameters()) {
    std::vector<double> values;
    const bool norm = p.dim() == 1 && name.ends_with("weight");
    for (uint32_t w : words(name, p.numel()))
      values.push_back((w / 4294967296.0 - 0.5) / 5 + (norm ? 1 : 0));
    raw::copy_(p, raw::to(tensor(values, p.shape()), p.dtype()));
  }
}

struct Run {
  std::vector<double> losses, norms;
  std::map<std::string, double> sums;  // of |p|, after the last step
};

Run train(DType dtype, int64_t steps) {
  Gpt gpt({.vocabulary = kV, .context = kT, .layers = 2, .heads = 2, .channels = 32});
  gpt.to(dtype);
  set_weights(gpt);
  std::vector<int64_t> ids;
  for (uint32_t w : words("ids", kB * (kT + 1))) ids.push_back(w % kV);
  const Tensor text = tensor(ids, {kB, kT + 1});
  ParamGroup matrices{.params = {}, .weight_decay = 0.1}, vectors{.params = {}, .weight_decay = 0};
  for (const Tensor& p : gpt.parameters()) (p.dim() > 1 ? matrices : vectors).params.push_back(p);
  AdamW opt({matrices, vectors}, 1e-2, {.beta2 = 0.95});
  Run run;
  for (int64_t step = 0; step < steps; ++step) {
    opt.zero_grad();
    const Tensor loss = cross_entropy(gpt(slice(text, 1, 0, kT)), slice(text, 1, 1, kT + 1));
    backward(loss);
    run.norms.push_back(clip_grad_norm(gpt.parameters(), 1.0));
    opt.step();
    run.losses.push_back(loss.item());
  }
  for (const auto& [name, p] : gpt.named_parameters())
    run.sums[name] = sum(abs(raw::to(p.detach(), F64))).item();
  return run;
}

void check_run(DType dtype, double tolerance) {
  std::ifstream in(std::filesystem::path(__FILE__).parent_path() / "golden/gpt.json");
  REQUIRE(in);
  const json golden = json::parse(in)[name(dtype)];
  const auto losses = golden["losses"].get<std::vector<double>>();
  const Run run = train(dtype, static_cast<int64_t>(losses.size()));
  const auto near = [&](double got, double wanted) {
    return std::abs(got - wanted) <= tolerance * std::abs(wanted);
  };
  for (size_t i = 0; i < losses.size(); ++i) {
    CAPTURE(i);
    CHECK_MESSAGE(near(run.losses[i], losses[i]), run.losses[i], " against ", losses[i]);
    const double norm = golden["norms"][i];
    CHECK_MESSAGE(near(run.norms[i], norm), run.norms[i], " against ", norm);
  }
  CHECK(run.sums.size() == golden["sums"].size());
  for (const auto& entry : run.sums) {
    const std::string& name = entry.first;
    const double sum = entry.second;
    CAPTURE(name);
    // Softmax ignores a constant added to all scores, so the gradient of the keys' bias is nothing
    // but rounding, and Adam divides it by its own size.
    if (dtype == F32 && name.ends_with("attn.qkv.bias")) continue;
    const double wanted = golden["sums"].at(name);
    CHECK_MESSAGE(near(sum, wanted), sum, " against ", wanted);
  }
}

}  // namespace

TEST_CASE("gpt: ten training steps equal PyTorch's, float64") { check_run(F64, 1e-9); }
TEST_CASE("gpt: ten training steps equal PyTorch's, float32") { check_run(F32, 1e-4); }
