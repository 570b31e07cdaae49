#pragma once
// The whole-program benchmark of a GPT, on any device: bench_gpt.cpp and cuda/bench_cuda.cpp.
// A training step is forward, backward, clipping the gradient norm to 1, and AdamW, on random
// tokens; generation writes one token at a time with a key-value cache. One JSON line: tokens per
// second (median step), ms per step, peak memory, the speed of a large matrix product on the same
// device in the same run, and mfu: the floating-point operations that the step needs, counted, over
// what that product reaches.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "nn/models/gpt.h"
#include "nn/text/sampling.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "tensor/runtime.h"

namespace gradus::bench {

struct Job {
  GptConfig config;
  int64_t batch;
};
inline const std::map<std::string, Job> kJobs = {
    {"nano", {{.vocabulary = 65, .context = 64, .layers = 4, .heads = 4, .channels = 128}, 12}},
    {"small", {{.vocabulary = 1024, .context = 256, .layers = 6, .heads = 6, .channels = 384}, 8}},
    {"gpt2", {{.vocabulary = 50257, .context = 64, .layers = 12, .heads = 12, .channels = 768}, 4}},
};

/// Where to run, and what the report says of it.
struct Machine {
  Device device;
  std::string name;
  std::function<int64_t()> peak_bytes;
};

/// Seconds, when the device has done all that it was given.
inline double now(Device device) {
  backend(device).synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<int64_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

/// The best of thirty products of n x n matrices.
inline double peak_gflops(Device device, int64_t n = 1024) {
  const Tensor a = raw::to(randn({n, n}), device), b = raw::to(randn({n, n}), device);
  std::vector<double> seconds;
  for (int i = 0; i < 30; ++i) {
    const double start = now(device);
    raw::matmul(a, b);
    seconds.push_back(now(device) - start);
  }
  return 2.0 * static_cast<double>(n * n * n) / *std::min_element(seconds.begin(), seconds.end()) *
         1e-9;
}

/// Multiply-adds count two. Per token and layer: 12 C^2 weights, and for attention T positions of C
/// in q k^T and in p v, half of them hidden by the causal mask. Backward costs twice the forward.
inline double flops_per_token(const GptConfig& c, double positions) {
  const double channels = static_cast<double>(c.channels), layers = static_cast<double>(c.layers);
  return 2 * (layers * (12 * channels * channels + 2 * positions * channels) +
              static_cast<double>(c.vocabulary) * channels);
}

inline void report(const Machine& machine, const std::string& job, double tokens, double flops,
                   const std::vector<double>& seconds, double peak) {
  const double step = median(seconds);
  const nlohmann::ordered_json line = {
      {"peer", machine.name},
      {"threads", get_num_threads()},
      {"job", job},
      {"tokens_per_s", std::round(tokens / step * 10) / 10},
      {"ms", std::round(step * 1e6) / 1e3},
      {"peak_MiB", machine.peak_bytes() / (1 << 20)},
      {"gemm_peak_gflops", std::round(peak * 10) / 10},
      {"mfu", std::round(flops * tokens / step / peak * 1e-9 * 1e4) / 1e4}};
  std::puts(line.dump().c_str());
}

inline void train(const Machine& machine, const std::string& name, const Job& job) {
  const GptConfig& c = job.config;
  const double peak = peak_gflops(machine.device);
  Gpt model(c);
  model.to(machine.device);
  AdamW optimizer(model.parameters(), 1e-3);
  std::vector<double> seconds;
  const int steps = name == "nano" ? 60 : 12;
  for (int step = 0; step < steps; ++step) {
    const auto tokens = [&] {
      return raw::to(randint(0, c.vocabulary, {job.batch, c.context}), machine.device);
    };
    const Tensor ids = tokens(), targets = tokens();
    const double start = now(machine.device);
    optimizer.zero_grad();
    backward(cross_entropy(model(ids), targets));
    clip_grad_norm(model.parameters(), 1.0);
    optimizer.step();
    seconds.push_back(now(machine.device) - start);
  }
  seconds.erase(seconds.begin(), seconds.begin() + steps / 4);
  const double flops = 3 * flops_per_token(c, static_cast<double>(c.context) / 2);
  report(machine, "train " + name, static_cast<double>(job.batch * c.context), flops, seconds,
         peak);
}

inline void generate(const Machine& machine, const std::string& name, const Job& job) {
  const GptConfig& c = job.config;
  const double peak = peak_gflops(machine.device);
  NoGrad guard;
  Gpt model(c);
  model.to(machine.device);
  model.eval();
  std::vector<double> seconds;
  for (int run = 0; run < (name == "nano" ? 5 : 2); ++run) {
    std::vector<KvCache> caches = model.make_caches(1);
    Tensor ids = raw::to(randint(0, c.vocabulary, {1, 1}), machine.device);
    for (int64_t position = 0; position < c.context; ++position) {
      const double start = now(machine.device);
      ids = tensor<int64_t>({sample(model(ids, caches), {})}, {1, 1}, machine.device);
      seconds.push_back(now(machine.device) - start);
    }
  }
  seconds.erase(seconds.begin(), seconds.begin() + static_cast<int64_t>(seconds.size() / 4));
  report(machine, "generate " + name, 1, flops_per_token(c, static_cast<double>(c.context) / 2),
         seconds, peak);
}

/// What `program train|generate nano|small|gpt2` does; false if the arguments are something else.
inline bool run(const Machine& machine, const std::string& kind, const std::string& name) {
  if ((kind != "train" && kind != "generate") || !kJobs.contains(name)) return false;
  manual_seed(0);
  (kind == "train" ? train : generate)(machine, name, kJobs.at(name));
  return true;
}

}  // namespace gradus::bench
