// Checkpoints: a resumed run equals an unbroken one bit for bit, on any number of threads, and a
// killed writer leaves a whole file.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "autograd/engine.h"
#include "nn/nn.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "tensor/runtime.h"
#include "tests/scratch.h"

using namespace gradus;
namespace fs = std::filesystem;

namespace {

struct Threads {
  int before = get_num_threads();
  explicit Threads(int n) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
};

/// A small language model with everything that has state: dropout, AdamW, a schedule, clipping.
struct Gpt : Module {
  Gpt()
      : table(add<Embedding>("table", 31, 32)),
        positions(add<Embedding>("positions", 16, 32)),
        first(add<TransformerBlock>("blocks.0", 32, 4, kOptions)),
        second(add<TransformerBlock>("blocks.1", 32, 4, kOptions)),
        norm(add<LayerNorm>("norm", 32)) {}
  Tensor operator()(const Tensor& ids) const {
    const Tensor x = table(ids) + positions(arange(ids.size(1)));
    return linear(norm(second(first(x))), table.weight);
  }
  static constexpr TransformerOptions kOptions{
      .causal = true, .dropout = 0.2, .attention_dropout = 0.1};
  Embedding &table, &positions;
  TransformerBlock &first, &second;
  LayerNorm& norm;
};

/// A run from scratch or from a checkpoint: everything that training touches.
struct Run {
  Gpt net;
  AdamW opt{net.parameters(), 1e-2, {.weight_decay = 0.1}};
  int64_t step = 0;
  std::vector<double> losses;

  Run() { reset(); }
  void reset() {
    manual_seed(7);
    for (const Tensor& p : net.parameters()) raw::copy_(p, normal(p.shape(), 0, 0.1));
  }
  void train(int64_t steps) {
    const CosineLr schedule{.peak = 1e-2, .warmup = 3, .total = 20};
    for (const int64_t end = step + steps; step < end; ++step) {
      opt.lr = schedule(step);
      opt.zero_grad();
      const Tensor ids = randint(0, 31, {8, 16}), targets = randint(0, 31, {8, 16});
      const Tensor loss = cross_entropy(net(ids), targets);
      backward(loss);
      clip_grad_norm(net.parameters(), 0.5);
      opt.step();
      losses.push_back(loss.item());
    }
  }
  void save(const std::string& path) const {
    save_checkpoint(path, {.model = net.state_dict(),
                           .optimizer = opt.state_dict(),
                           .generators = {{"default", default_generator().state()}},
                           .metadata = {{"step", std::to_string(step)}}});
  }
  void load(const std::string& path) {
    const Checkpoint c = load_checkpoint(path);
    net.load_state_dict(c.model);
    opt.load_state_dict(c.optimizer);
    default_generator().set_state(c.generators.at("default"));
    step = std::stoll(c.metadata.at("step"));
  }
  std::vector<std::vector<float>> values() const {
    std::vector<std::vector<float>> out;
    for (const auto& [_, x] : net.state_dict()) out.push_back(x.to_vector());
    for (const auto& [_, x] : opt.state_dict()) out.push_back(x.to_vector());
    return out;
  }
};

}  // namespace

TEST_CASE("checkpoint: ten steps, save, load, ten steps = twenty steps, on one thread and on two") {
  const Scratch scratch;
  const auto path = scratch / "run.ckpt";
  std::vector<std::vector<float>> first_values;
  for (int threads : {1, 2}) {
    CAPTURE(threads);
    const Threads guard(threads);
    Run unbroken;
    unbroken.train(20);
    const auto expected = unbroken.values();
    {
      Run begun;
      begun.train(10);
      begun.save(path);
    }
    manual_seed(99);
    Run resumed;
    manual_seed(99);
    resumed.load(path);
    CHECK(resumed.step == 10);
    resumed.train(10);
    CHECK(resumed.values() == expected);
    CHECK(std::vector<double>(unbroken.losses.begin() + 10, unbroken.losses.end()) ==
          resumed.losses);
    CHECK(unbroken.losses[19] != unbroken.losses[0]);
    if (first_values.empty()) first_values = expected;
    CHECK(expected == first_values);  // the same bits on any number of threads
  }
}

TEST_CASE("checkpoint: without the generator, or the optimizer, a resumed run differs") {
  const Scratch scratch;
  const auto path = scratch / "run.ckpt";
  Run unbroken;
  unbroken.train(3);
  unbroken.save(path);
  unbroken.train(3);
  for (bool forget_generator : {true, false}) {
    Run resumed;
    resumed.load(path);
    if (forget_generator)
      manual_seed(1);
    else
      resumed.opt = AdamW(resumed.net.parameters(), 1e-2, {.weight_decay = 0.1});
    resumed.train(3);
    CHECK(resumed.values() != unbroken.values());
  }
}

TEST_CASE("checkpoint: parts keep their names; other files are refused") {
  const Scratch scratch;
  const auto path = scratch / "run.ckpt";
  Checkpoint c{.model = {{"model.w", ones({2})}, {"optimizer.", ones({3})}},
               .optimizer = {{"lr", full({}, 0.1, F64)}},
               .generators = {{"a", {~uint64_t{0}, 5}}, {"", {1, 2}}},
               .metadata = {{"step", "7"}}};
  save_checkpoint(path, c);
  const Checkpoint got = load_checkpoint(path);
  CHECK(got.model[0].first == "model.w");
  CHECK(got.model[1].first == "optimizer.");
  CHECK(got.optimizer.size() == 1);
  CHECK(got.optimizer[0].second.item() == 0.1);
  CHECK(got.generators.at("a").seed == ~uint64_t{0});
  CHECK(got.generators.at("").offset == 2);
  CHECK(got.metadata == c.metadata);

  const auto refuse = [&](const NamedTensors& tensors, const Metadata& metadata, const char* part) {
    save_safetensors(path, tensors, metadata);
    CHECK_THROWS_WITH_AS(load_checkpoint(path), doctest::Contains(part), IoError);
  };
  refuse({}, {}, "is not a checkpoint");
  refuse({}, {{"gradus.checkpoint", "2"}}, "of version 2");
  refuse({{"w", ones({2})}}, {{"gradus.checkpoint", "1"}}, "belongs to no part");
  refuse({{"generator.a", ones({2})}}, {{"gradus.checkpoint", "1"}}, "belongs to no part");
  refuse({{"generator.a", arange(3)}}, {{"gradus.checkpoint", "1"}}, "belongs to no part");
}

TEST_CASE("checkpoint: a writer killed at any moment leaves a whole file") {
  const Scratch scratch;
  const auto path = scratch / "run.ckpt";
  // Number n's tensors all hold n: a mixture of two files would show.
  const auto save = [&](int64_t n) {
    NamedTensors model;
    for (int i = 0; i < 8; ++i)
      model.emplace_back(fmt::format("w{}", i), full({50000}, static_cast<double>(n)));
    save_checkpoint(path, {.model = model, .metadata = {{"step", std::to_string(n)}}});
  };
  save(0);
  std::mt19937 random(1);
  int64_t last = 0;
  uint32_t window = 20000;  // microseconds; a busy machine may need more for one file
  for (int round = 0; round < 40; ++round) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      set_num_threads(1);  // the thread pool does not survive a fork
      for (int64_t n = last + 1;; ++n) save(n);
    }
    usleep(static_cast<useconds_t>(500 + random() % window));
    kill(child, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));  // it was still writing: not dead of an exception
    const Checkpoint c = load_checkpoint(path);
    const int64_t step = std::stoll(c.metadata.at("step"));
    CHECK(step >= last);
    if (step == last && window < 1000000) window *= 2;
    last = step;
    for (const auto& [_, x] : c.model)
      REQUIRE(x.to_vector() == std::vector<float>(50000, static_cast<float>(step)));
  }
  CHECK(last > 0);
}

TEST_CASE("checkpoint: what its metadata lacks, or has out of range, is an IoError that names it") {
  const Metadata metadata{{"step", "7"}, {"name", "seven"}, {"negative", "-1"}, {"long", "7 "}};
  CHECK(metadata_text(metadata, "name") == "seven");
  CHECK(metadata_number(metadata, "step") == 7);
  CHECK(metadata_number(metadata, "step", 7) == 7);
  CHECK_THROWS_WITH_AS(metadata_text(metadata, "none"), doctest::Contains("\"none\""), IoError);
  CHECK_THROWS_WITH_AS(metadata_number(metadata, "step", 6), doctest::Contains("0 to 6"), IoError);
  for (const char* key : {"name", "negative", "long", "none"}) {
    CAPTURE(key);
    CHECK_THROWS_AS(metadata_number(metadata, key), IoError);
  }
  CHECK_THROWS_WITH_AS(generator_state({}), doctest::Contains("cannot be resumed"), IoError);
  CHECK(generator_state({.generators = {{"default", {3, 4}}}}).offset == 4);
}
