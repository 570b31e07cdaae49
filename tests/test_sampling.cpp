// From logits to a token, and a GPT that writes one token at a time: greedy, top-k, top-p, penalty;
// the cache against the whole forward; the configuration in a checkpoint.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "nn/models/gpt_checkpoint.h"
#include "nn/text/sampling.h"
#include "tests/child.h"

using namespace gradus;

namespace {

/// Logits whose softmax is (0.1, 0.4, 0.05, 0.25, 0.2).
Tensor logits() { return log(tensor<float>({0.1f, 0.4f, 0.05f, 0.25f, 0.2f})) + 3.0; }

void check_candidates(const std::vector<Candidate>& got,
                      const std::vector<std::pair<int64_t, double>>& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].id == wanted[i].first);
    CHECK(got[i].probability == doctest::Approx(wanted[i].second).epsilon(1e-5));
  }
}

constexpr GptConfig kSmall{
    .vocabulary = 29, .context = 12, .layers = 2, .heads = 3, .channels = 24};

Gpt small_gpt(const GptConfig& config = kSmall) {
  manual_seed(11);
  Gpt gpt(config);
  for (const Tensor& p : gpt.parameters())
    if (p.dim() == 2) raw::mul_(p, 4);  // far from uniform
  gpt.eval();
  return gpt;
}

/// kSmall, and with each other choice that a model can make.
std::vector<GptConfig> choices() {
  std::vector<GptConfig> all(5, kSmall);
  all[1].positions = Positions::Rotary;
  all[2].qk_norm = true;
  all[3].norm = NormForm::Rms;
  all[4].lookback = 3;
  return all;
}

}  // namespace

TEST_CASE("sampling: the distribution that is drawn from") {
  check_candidates(candidates(logits(), {}), {{1, 0.4}, {3, 0.25}, {4, 0.2}, {0, 0.1}, {2, 0.05}});
  check_candidates(candidates(logits(), {}, {}, 2), {{1, 0.4}, {3, 0.25}});
  check_candidates(candidates(logits(), {.top_k = 2}), {{1, 0.4 / 0.65}, {3, 0.25 / 0.65}});
  check_candidates(candidates(logits(), {.top_k = 99}),
                   {{1, 0.4}, {3, 0.25}, {4, 0.2}, {0, 0.1}, {2, 0.05}});
  check_candidates(candidates(logits(), {.top_p = 0.7}),  // 0.65 is not enough: the third as well
                   {{1, 0.4 / 0.85}, {3, 0.25 / 0.85}, {4, 0.2 / 0.85}});
  check_candidates(candidates(logits(), {.top_p = 0.01}), {{1, 1}});  // never none
  check_candidates(candidates(logits(), {.top_k = 3, .top_p = 0.6}),  // 0.4 + 0.25 of 0.85
                   {{1, 0.4 / 0.65}, {3, 0.25 / 0.65}});
  const double half = std::sqrt(0.4) + std::sqrt(0.25);
  check_candidates(candidates(logits(), {.temperature = 2, .top_k = 2}),
                   {{1, std::sqrt(0.4) / half}, {3, std::sqrt(0.25) / half}});
  check_candidates(candidates(reshape(logits(), {1, 5}), {.temperature = 0}), {{1, 1}});
}

TEST_CASE("sampling: the penalty makes what was seen less likely, once") {
  const Tensor x = tensor<float>({2, -1, 2, 0});
  const int64_t seen[] = {0, 1, 0, 0, 1};
  const double z = std::exp(1.0) + std::exp(-2.0) + std::exp(2.0) + 1;
  check_candidates(
      candidates(x, {.repetition_penalty = 2}, seen),
      {{2, std::exp(2.0) / z}, {0, std::exp(1.0) / z}, {3, 1 / z}, {1, std::exp(-2.0) / z}});
  CHECK(sample(x, {.temperature = 0}, seen) == 0);  // a tie: the smaller id
  CHECK(sample(x, {.temperature = 0, .repetition_penalty = 1.5}, seen) == 2);
}

TEST_CASE("sampling: draws follow the distribution; the seed repeats them") {
  for (const SamplingOptions& options :
       {SamplingOptions{}, SamplingOptions{.temperature = 0.7, .top_k = 3},
        SamplingOptions{.top_p = 0.9, .repetition_penalty = 1.2}}) {
    const int64_t seen[] = {1, 3};
    Generator generator(5);
    std::map<int64_t, double> counts;
    const int n = 10'000;
    for (int i = 0; i < n; ++i) counts[sample(logits(), options, seen, generator)] += 1.0 / n;
    const std::vector<Candidate> wanted = candidates(logits(), options, seen);
    CHECK(counts.size() == wanted.size());
    for (const Candidate& c : wanted)
      CHECK(std::abs(counts[c.id] - c.probability) <
            5 * std::sqrt(c.probability * (1 - c.probability) / n));
  }
  Generator a(6), b(6);
  for (int i = 0; i < 100; ++i) CHECK(sample(logits(), {}, {}, a) == sample(logits(), {}, {}, b));
  Generator untouched(6);
  sample(logits(), {.temperature = 0}, {}, untouched);  // greedy draws nothing
  CHECK(untouched.state().offset == 0);
}

TEST_CASE("sampling: what it refuses") {
  CHECK_THROWS_AS(sample(logits(), {.temperature = -1}), ValueError);
  CHECK_THROWS_AS(sample(logits(), {.temperature = NAN}), ValueError);
  CHECK_THROWS_AS(sample(logits(), {.top_k = -1}), ValueError);
  CHECK_THROWS_AS(sample(logits(), {.top_p = 0}), ValueError);
  CHECK_THROWS_AS(sample(logits(), {.top_p = 1.1}), ValueError);
  CHECK_THROWS_AS(sample(logits(), {.repetition_penalty = 0}), ValueError);
  const int64_t outside[] = {5};
  CHECK_THROWS_AS(sample(logits(), {.repetition_penalty = 2}, outside), IndexError);
  CHECK_THROWS_AS(sample(tensor<float>({1, NAN}), {}), ValueError);
  CHECK_THROWS_AS(sample(tensor<float>({1, INFINITY}), {.temperature = 0}), ValueError);
  CHECK_THROWS_AS(sample(zeros({2, 3}), {}), ShapeError);
  CHECK_THROWS_AS(sample(zeros({0}), {}), ShapeError);
}

TEST_CASE("gpt: with a cache, token by token or in pieces, as without") {
  const NoGrad guard;
  for (const GptConfig& config : choices()) {
    const Gpt gpt = small_gpt(config);
    const Tensor ids = randint(0, 29, {2, 12});
    const Tensor whole = gpt(ids);  // (2, 12, 29)
    CHECK(whole.shape() == Shape{2, 12, 29});
    for (const std::vector<int64_t>& pieces :
         {std::vector<int64_t>(12, 1), {5, 1, 1, 1, 4}, {12}}) {
      std::vector<KvCache> caches = gpt.make_caches(2);
      int64_t at = 0;
      for (int64_t n : pieces) {
        const Tensor last = gpt(slice(ids, 1, at, at + n), caches);  // (2, 29)
        at += n;
        CHECK(max(abs(last - select(whole, 1, at - 1))).item() < 1e-4);
      }
      CHECK_THROWS_AS(gpt(slice(ids, 1, 0, 1), caches), ValueError);  // the context is full
    }
  }
}

TEST_CASE("gpt: greedy generation with a cache writes what full forwards write") {
  const NoGrad guard;
  for (const GptConfig& config : choices()) {
    const Gpt gpt = small_gpt(config);
    std::vector<int64_t> slow = {3, 1, 4}, fast = slow;
    std::vector<KvCache> caches = gpt.make_caches(1);
    Tensor next = gpt(tensor(fast, {1, 3}), caches);
    while (fast.size() < 12) {
      fast.push_back(sample(next, {.temperature = 0}));
      if (fast.size() < 12) next = gpt(full({1, 1}, static_cast<double>(fast.back()), I64), caches);
      const auto n = static_cast<int64_t>(slow.size());
      slow.push_back(sample(select(gpt(tensor(slow, {1, n})), 1, -1), {.temperature = 0}));
    }
    CHECK(slow == fast);
  }
}

TEST_CASE("gpt: each choice makes another model, and survives a checkpoint") {
  const NoGrad guard;
  const Scratch folder;
  const Tensor ids = randint(0, 29, {2, 12}), plain = small_gpt()(ids);
  for (const GptConfig& config : choices()) {
    const Gpt gpt = small_gpt(config);
    const bool same = max(abs(gpt(ids) - plain)).item() == 0;
    CHECK(same == (to_metadata(config) == to_metadata(kSmall)));
    CHECK(num_parameters(config) == gpt.num_parameters());
    const std::string path = folder / "choice.safetensors";
    save_checkpoint(path, {.model = gpt.state_dict(), .metadata = to_metadata(config)});
    Gpt again = load_gpt(load_checkpoint(path));
    again.eval();
    CHECK(to_metadata(again.config) == to_metadata(config));
    CHECK(max(abs(again(ids) - gpt(ids))).item() == 0);
  }
}

TEST_CASE("gpt: a lookback adds what stood before, each channel by its own weight") {
  const NoGrad guard;
  GptConfig c = kSmall;
  c.lookback = 2;
  const Gpt gpt = small_gpt(c);
  const Tensor ids = randint(0, 29, {1, 6});
  const Tensor x = gpt.wte(ids) + slice(gpt.wpe->weight, 0, 0, 6);
  Tensor seen = x;
  for (int64_t i = 1; i <= 2; ++i)
    seen = seen + select(gpt.shift, 0, i - 1) * cat({zeros({1, i, 24}), slice(x, 1, 0, 6 - i)}, 1);
  for (const GptBlock* block : gpt.blocks) seen = (*block)(seen);
  CHECK(max(abs(gpt(ids) - linear(gpt.ln_f(seen), gpt.wte.weight))).item() < 1e-5);
  c.lookback = -1;
  CHECK_THROWS_WITH_AS(Gpt{c}, doctest::Contains("a lookback of -1"), ValueError);
  raw::fill_(gpt.shift, 0);
  Tensor alone = x;
  for (const GptBlock* block : gpt.blocks) alone = (*block)(alone);
  CHECK(max(abs(gpt(ids) - linear(gpt.ln_f(alone), gpt.wte.weight))).item() < 1e-5);
}

TEST_CASE("gpt: rotary positions have no parameters") {
  GptConfig c = kSmall;
  c.positions = Positions::Rotary;
  Gpt gpt = small_gpt(c);
  CHECK(gpt.wpe == nullptr);
  CHECK(gpt.num_parameters() == small_gpt().num_parameters() - 12 * 24);
  c.heads = 8;  // of 3 channels each
  CHECK_THROWS_WITH_AS(Gpt{c}, doctest::Contains("a head has 3"), ValueError);
  CHECK_THROWS_WITH_AS(gpt_config(to_metadata(c)), doctest::Contains("odd size"), IoError);
  Metadata newer = to_metadata(kSmall);
  CHECK_FALSE(newer.contains("gpt.positions"));
  newer["gpt.positions"] = "relative";
  CHECK_THROWS_WITH_AS(gpt_config(newer), doctest::Contains("\"relative\" means nothing"), IoError);
}

TEST_CASE("gpt: the future does not show, and the batch does not mix") {
  const Gpt gpt = small_gpt();
  const NoGrad guard;
  const Tensor ids = randint(0, 28, {2, 8}), before = gpt(ids);
  Tensor changed = raw::clone(ids);
  raw::fill_(slice(slice(changed, 0, 1, 2), 1, 5, 6), 28);
  const Tensor difference = max(abs(gpt(changed) - before), {2});  // (2, 8)
  for (int64_t t = 0; t < 8; ++t) {
    CHECK(select(select(difference, 0, 0), 0, t).item() == 0);
    CHECK((select(select(difference, 0, 1), 0, t).item() > 1e-6) == (t >= 5));
  }
}

TEST_CASE("gpt: the output layer is the embedding, and the start is GPT-2's") {
  manual_seed(1);
  const Gpt gpt({.vocabulary = 300, .context = 32, .layers = 2, .heads = 4, .channels = 64});
  const int64_t block = 12 * 64 * 64 + 13 * 64;  // 4 C^2 + 8 C^2 weights, 9 C biases, 4 C of norms
  CHECK(gpt.num_parameters() == 300 * 64 + 32 * 64 + 2 * block + 2 * 64);
  CHECK(std::sqrt(var(gpt.wte.weight.detach()).item()) == doctest::Approx(0.02).epsilon(0.05));
  CHECK(std::sqrt(var(gpt.blocks[1]->mlp.proj.weight.detach()).item()) ==
        doctest::Approx(0.02 / 2).epsilon(0.05));
  CHECK(max(abs(gpt.blocks[0]->attn.qkv.bias.detach())).item() == 0);
  CHECK_THROWS_AS(gpt(zeros({1, 33}, I64)), ValueError);
  CHECK_THROWS_AS(gpt(full({1, 2}, 300, I64)), IndexError);
  CHECK_THROWS_AS(gpt(zeros({3}, I64)), ShapeError);
  GptConfig flat = gpt.config, odd = gpt.config;
  flat.layers = 0;
  odd.heads = 5;
  CHECK_THROWS_WITH_AS(Gpt{flat}, doctest::Contains("layers 0"), ValueError);
  CHECK_THROWS_WITH_AS(Gpt{odd}, doctest::Contains("64 channels"), ValueError);
}

TEST_CASE("gpt: the configuration survives a checkpoint, and a false one is refused") {
  const GptConfig c{
      .vocabulary = 29, .context = 12, .layers = 2, .heads = 3, .channels = 24, .dropout = 0.1};
  const Metadata written = to_metadata(c);
  const GptConfig r = gpt_config(written);
  CHECK(r.vocabulary == 29);
  CHECK(r.context == 12);
  CHECK(r.layers == 2);
  CHECK(r.heads == 3);
  CHECK(r.channels == 24);
  CHECK(r.dropout == 0.1);
  for (const auto& entry : written) {
    const std::string& key = entry.first;
    CAPTURE(key);
    Metadata missing = written;
    missing.erase(key);
    CHECK_THROWS_AS(gpt_config(missing), IoError);
    for (const std::string wrong : {"", "-1", "nan", "1e99", "2x", "99999999999999999999"}) {
      CAPTURE(wrong);
      Metadata spoilt = written;
      spoilt[key] = wrong;
      CHECK_THROWS_AS(gpt_config(spoilt), IoError);
    }
  }
  Metadata odd = written;
  odd["gpt.heads"] = std::string("5");
  CHECK_THROWS_WITH_AS(gpt_config(odd), doctest::Contains("24 channels"), IoError);
}

TEST_CASE("gpt: a configuration is compared with the checkpoint before a model is built") {
  const Scratch folder;
  const std::string path = folder / "claims.safetensors";
  GptConfig c{.vocabulary = 29, .context = 12, .layers = 2, .heads = 3, .channels = 24};
  CHECK(num_parameters(c) == Gpt(c).num_parameters());
  save_checkpoint(path, {.model = Gpt(c).state_dict(), .metadata = to_metadata(c)});
  const Gpt again = load_gpt(load_checkpoint(path));
  CHECK(again.num_parameters() == num_parameters(c));
  c.vocabulary = 1 << 20, c.channels = 1536;  // 6 GB of embeddings
  save_checkpoint(path, {.model = again.state_dict(), .metadata = to_metadata(c)});
  const bool refused = within_memory(64 << 20, [&] {
    std::string said;
    try {
      load_gpt(load_checkpoint(path));
    } catch (const IoError& e) { said = e.what(); }
    if (said.find("but the file holds") == std::string::npos)
      throw std::runtime_error("not refused: " + said);
  });
  CHECK(refused);
}
