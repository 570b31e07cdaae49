// What threads may do at once (autograd/engine.h, tensor/random.h). `make test-threads` runs
// these under ThreadSanitizer. Then forks, and errors in parallel work.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "optim/optimizer.h"
#include "tensor/cpu/parallel.h"
#include "tests/compare.h"

using namespace gradus;

static void on_threads(int n, const std::function<void(int)>& f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) threads.emplace_back(f, i);
  for (std::thread& t : threads) t.join();
}

TEST_CASE("threads: backward passes into the same leaf lose nothing") {
  const Tensor w = ones({3}, F64).set_requires_grad();
  on_threads(4, [&](int) {
    for (int i = 0; i < 250; ++i) backward(sum(w * 2.0));
  });
  CHECK(w.grad().to_vector<double>() == std::vector<double>(3, 2000));
}

TEST_CASE("threads: a model is used, and models are trained, at once") {
  const Linear shared(5, 3);
  on_threads(4, [&](int i) {
    const Tensor x = full({2, 5}, i, F32);
    {
      NoGrad guard;
      CHECK(shared(x).shape() == Shape{2, 3});
    }
    Linear own(5, 3);
    SGD opt(own.parameters(), 0.01);
    for (int step = 0; step < 20; ++step) {
      opt.zero_grad();
      backward(mean(square(own(dropout(x, 0.5)) - shared(x).detach())));
      opt.step();
    }
    CHECK(max_difference(own.weight, zeros({3, 5})) < 100);
  });
}

TEST_CASE("threads: one generator gives no position out twice") {
  Generator generator(7);
  std::vector<std::vector<uint64_t>> offsets(4);
  on_threads(4, [&](int i) {
    for (int k = 0; k < 1000; ++k)
      offsets[static_cast<size_t>(i)].push_back(generator.next(3).offset);
  });
  std::set<uint64_t> all;
  for (const auto& each : offsets) all.insert(each.begin(), each.end());
  CHECK(all.size() == 4000);
  CHECK(generator.state().offset == 12000);
}

TEST_CASE("parallel: an error in a piece of parallel work reaches the caller") {
  const int before = get_num_threads();
  set_num_threads(3);
  for (int bad = 0; bad < 3; ++bad)
    CHECK_THROWS_AS(cpu::parallel_items(3, cpu::kGrain,
                                        [&](int64_t i) {
                                          if (i == bad) throw std::bad_alloc();
                                        }),
                    std::bad_alloc);
  set_num_threads(before);
}

TEST_CASE("parallel: a block's output and gradients have the same bits on any number of threads") {
  TransformerBlock block(96, 4, {.causal = true});
  const Tensor x = randn({3, 200, 96});
  const auto step = [&] {
    block.zero_grad();
    const Tensor y = block(x);
    backward(mean(square(y)));
    std::vector<std::vector<float>> bits{y.to_vector()};
    for (const Tensor& p : block.parameters()) bits.push_back(p.grad().to_vector());
    return bits;
  };
  const int before = get_num_threads();
  set_num_threads(1);
  const auto one = step();
  for (int n : {2, 3, 16}) {
    CAPTURE(n);
    set_num_threads(n);
    CHECK((step() == one));
  }
  set_num_threads(before);
}

// Without the handler, the child waits for threads that it does not have; alarm() ends it then.
TEST_CASE("fork: a child goes on alone, with the same bits, and is told what it cannot have") {
  const Tensor a = randn({300, 300}), b = randn({300, 300});
  const int before = get_num_threads();
  set_num_threads(2);
  const Tensor product = matmul(a, b), total = sum(a);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(30);
    bool right = max_difference(matmul(a, b), product) == 0 && sum(a).item() == total.item();
    right &= get_num_threads() == 1;
    try {
      set_num_threads(2);
      right = false;
    } catch (const Error& e) { right &= contains(e.what(), "forked child"); }
    _exit(right ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  set_num_threads(before);
}
