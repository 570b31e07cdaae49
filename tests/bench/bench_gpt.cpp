// The whole-program benchmark: training steps and generated tokens per second of a GPT.
//   build/bin/bench_gpt train|generate nano|small|gpt2
// A training step is forward, backward, clipping the gradient norm to 1, and AdamW, on random
// tokens; generation writes one token at a time with a key-value cache. One JSON line: tokens per
// second (median step), ms per step, peak memory, the speed of a large matrix product with the same
// threads in the same run, and mfu: the floating-point operations that the step needs, counted,
// over what that product reaches.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "autograd/autograd.h"
#include "examples/support/gpt.h"
#include "examples/support/sampling.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "tensor/runtime.h"

using namespace gradus;
using support::Gpt;
using support::GptConfig;

namespace {

struct Job {
  GptConfig config;
  int64_t batch;
};
const std::map<std::string, Job> kJobs = {
    {"nano", {{.vocabulary = 65, .context = 64, .layers = 4, .heads = 4, .channels = 128}, 12}},
    {"small", {{.vocabulary = 1024, .context = 256, .layers = 6, .heads = 6, .channels = 384}, 8}},
    {"gpt2", {{.vocabulary = 50257, .context = 64, .layers = 12, .heads = 12, .channels = 768}, 4}},
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<int64_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

double peak_gflops() {
  const int64_t n = 1024;
  const Tensor a = randn({n, n}), b = randn({n, n});
  std::vector<double> seconds;
  for (int i = 0; i < 7; ++i) {
    const double start = now();
    raw::matmul(a, b);
    seconds.push_back(now() - start);
  }
  return 2.0 * static_cast<double>(n * n * n) / *std::min_element(seconds.begin(), seconds.end()) *
         1e-9;
}

/// Multiply-adds count two. Per token and layer: 12 C^2 weights, and for attention T positions of C
/// in q k^T and in p v, half of them hidden by the causal mask. Backward costs twice the forward.
double flops_per_token(const GptConfig& c, double positions) {
  const double channels = static_cast<double>(c.channels), layers = static_cast<double>(c.layers);
  return 2 * (layers * (12 * channels * channels + 2 * positions * channels) +
              static_cast<double>(c.vocabulary) * channels);
}

void report(const std::string& job, double tokens, double flops, const std::vector<double>& seconds,
            double peak) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double step = median(seconds);
  const nlohmann::ordered_json line = {
      {"peer", "gradus " GRADUS_VERSION},
      {"threads", get_num_threads()},
      {"job", job},
      {"tokens_per_s", std::round(tokens / step * 10) / 10},
      {"ms", std::round(step * 1e6) / 1e3},
      {"peak_MiB", usage.ru_maxrss / 1024},
      {"gemm_peak_gflops", std::round(peak * 10) / 10},
      {"mfu", std::round(flops * tokens / step / peak * 1e-9 * 1e4) / 1e4}};
  std::puts(line.dump().c_str());
}

void train(const std::string& name, const Job& job) {
  const GptConfig& c = job.config;
  const double peak = peak_gflops();
  Gpt model(c);
  AdamW optimizer(model.parameters(), 1e-3);
  std::vector<double> seconds;
  const int steps = name == "nano" ? 60 : 12;
  for (int step = 0; step < steps; ++step) {
    const Tensor ids = randint(0, c.vocabulary, {job.batch, c.context}),
                 targets = randint(0, c.vocabulary, {job.batch, c.context});
    const double start = now();
    optimizer.zero_grad();
    backward(cross_entropy(model(ids), targets));
    clip_grad_norm(model.parameters(), 1.0);
    optimizer.step();
    seconds.push_back(now() - start);
  }
  seconds.erase(seconds.begin(), seconds.begin() + steps / 4);
  const double flops = 3 * flops_per_token(c, static_cast<double>(c.context) / 2);
  report("train " + name, static_cast<double>(job.batch * c.context), flops, seconds, peak);
}

void generate(const std::string& name, const Job& job) {
  const GptConfig& c = job.config;
  const double peak = peak_gflops();
  NoGrad guard;
  Gpt model(c);
  model.eval();
  std::vector<double> seconds;
  for (int run = 0; run < (name == "nano" ? 5 : 2); ++run) {
    std::vector<KvCache> caches = model.make_caches(1);
    Tensor ids = randint(0, c.vocabulary, {1, 1});
    for (int64_t position = 0; position < c.context; ++position) {
      const double start = now();
      ids = tensor<int64_t>({support::sample(model(ids, caches), {})}, {1, 1});
      seconds.push_back(now() - start);
    }
  }
  seconds.erase(seconds.begin(), seconds.begin() + static_cast<int64_t>(seconds.size() / 4));
  report("generate " + name, 1, flops_per_token(c, static_cast<double>(c.context) / 2), seconds,
         peak);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc == 3 ? argv[1] : "", name = argc == 3 ? argv[2] : "";
  if ((kind != "train" && kind != "generate") || !kJobs.contains(name)) {
    std::fputs("usage: bench_gpt train|generate nano|small|gpt2\n", stderr);
    return 2;
  }
  manual_seed(0);
  (kind == "train" ? train : generate)(name, kJobs.at(name));
}
