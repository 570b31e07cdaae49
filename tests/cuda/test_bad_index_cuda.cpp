// An index out of range on Device::CUDA: nothing waits for the check, and the next wait throws what
// the CPU would have thrown at once. The kernels in between touch no memory that is not theirs: the
// checked emulator would say so.
#include <doctest/doctest.h>

#include "autograd/autograd.h"
#include "cuda/cuda.h"
#include "nn/nn.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "tests/compare.h"

using namespace gradus;

namespace {

Tensor on_cuda(const Tensor& x) { return raw::to(x, Device::CUDA); }

/// What the CPU throws at once, and the GPU when it is waited for; f gets the device.
template <class F>
void check_same_error(F f) {
  const std::string here = message_of<IndexError>([&] { f(Device::CPU); });
  CHECK_NOTHROW(f(Device::CUDA));
  CHECK(message_of<IndexError>([] { backend(Device::CUDA).synchronize(); }) == here);
  CHECK_NOTHROW(backend(Device::CUDA).synchronize());  // it is over then
}

/// A matrix of indices, all in [0, 5) but for two.
Tensor bad_indices(Device device) {
  Generator generator(6);  // the same on both devices
  Tensor index = randint(0, 5, {40, 50}, generator);
  raw::fill_(raw::slice(raw::select(index, 0, 30), 0, 7, 8), 5);
  raw::fill_(raw::slice(raw::select(index, 0, 21), 0, 9, 10), -1);
  return raw::to(index, device);
}

}  // namespace

TEST_CASE("cuda bad index: every operation throws the CPU's words, later") {
  cuda::install();
  for (const DType dtype : {F32, F64, I64}) {
    const auto fresh = [&](const Shape& shape, Device device) {
      return ones(shape, {dtype, device});
    };
    check_same_error([&](Device d) {
      raw::index_select(fresh({5, 3}, d), 0, raw::reshape(bad_indices(d), {-1}));
    });
    check_same_error([&](Device d) {
      raw::index_select(fresh({3, 5}, d), 1, raw::select(bad_indices(d), 0, 30));
    });
    check_same_error([&](Device d) { raw::embedding(fresh({5, 3}, d), bad_indices(d)); });
    check_same_error([&](Device d) { raw::gather(fresh({5, 50}, d), 0, bad_indices(d)); });
    check_same_error([&](Device d) {
      raw::gather(fresh({50, 5}, d), 1, raw::transpose(bad_indices(d), 0, 1));
    });
    check_same_error([&](Device d) {
      raw::index_add_(fresh({5, 3}, d), 0, raw::select(bad_indices(d), 0, 21), fresh({50, 3}, d));
    });
    check_same_error([&](Device d) {
      raw::scatter_add_(fresh({5, 50}, d), 0, bad_indices(d), fresh({40, 50}, d));
    });
  }
  check_same_error([](Device d) { one_hot(bad_indices(d), 5); });
  check_same_error([](Device d) { raw::embedding(ones({0, 3}, {F32, d}), bad_indices(d)); });
}

TEST_CASE("cuda bad index: of several blocks and several checks, the first one is reported") {
  cuda::install();
  Tensor ids = zeros({300000}, I64);
  for (const int64_t bad : {299999, 150001, 77777}) raw::fill_(raw::slice(ids, 0, bad, bad + 1), 9);
  const Tensor there = on_cuda(ids), weight = ones({9, 1}, {F32, Device::CUDA});
  for (int i = 0; i < 3; ++i) {
    raw::embedding(weight, there);
    raw::index_select(weight, 0, on_cuda(tensor<int64_t>({-4})));
    CHECK(message_of<IndexError>([&] { weight.to_vector(); }) ==
          "embedding: index 9 at position 77777 is outside [0, 9)");
    CHECK(weight.to_vector() == std::vector<float>(9, 1));
  }
  raw::check_indices("planted", there, 9, 9);  // ignored
  CHECK_NOTHROW(backend(Device::CUDA).synchronize());
}

TEST_CASE("cuda bad index: what is in range is computed, the rest is 0") {
  cuda::install();
  const Tensor index = on_cuda(tensor<int64_t>({1, 3, -1, 2, 1}));
  const Tensor x = on_cuda(tensor<float>({10, 20, 30}));
  const Tensor picked = raw::index_select(x, 0, index);
  const Tensor sum = raw::clone(x);
  raw::index_add_(sum, 0, index, ones({5}, {F32, Device::CUDA}));
  CHECK_THROWS_AS(backend(Device::CUDA).synchronize(), IndexError);
  CHECK(picked.to_vector() == std::vector<float>{20, 0, 0, 30, 20});
  CHECK(sum.to_vector() == std::vector<float>{10, 22, 31});
}

TEST_CASE("cuda bad index: a row whose target is no class has no loss and no gradient") {
  cuda::install();
  const Tensor x = on_cuda(randn({5, 7})), targets = on_cuda(tensor<int64_t>({3, 7, -1, -100, 6}));
  const Tensor losses = empty({5}, x.options()), lse = empty({5, 2}, x.options()),
               dx = empty({5, 7}, x.options()), g = ones({5}, x.options());
  Backend& device = backend(Device::CUDA);
  device.cross_entropy(x.view(), targets.view(), -100, 0.1, losses.view(), lse.view());
  device.cross_entropy_backward(g.view(), x.view(), targets.view(), lse.view(), -100, 0.1,
                                dx.view());
  const std::vector<float> loss = losses.to_vector(), gradient = dx.to_vector();
  for (const size_t row : {0, 4}) {
    CHECK(loss[row] > 0);
    CHECK(gradient[7 * row] != 0);
  }
  for (const size_t row : {1, 2, 3}) {
    CHECK(loss[row] == 0);
    for (size_t j = 0; j < 7; ++j) CHECK(gradient[7 * row + j] == 0);
  }
}

TEST_CASE("cuda bad index: training on is not silent") {
  cuda::install();
  Sequential model(Embedding(5, 4), Linear(4, 5));
  model.to(Device::CUDA);
  AdamW optimizer(model.parameters(), 0.1);
  const auto step = [&](const std::vector<int64_t>& ids, const std::vector<int64_t>& targets) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(on_cuda(tensor(ids))), on_cuda(tensor(targets)));
    backward(loss);
    optimizer.step();
    return loss.item();
  };
  CHECK(step({0, 1}, {2, 3}) > 0);
  CHECK(message_of<IndexError>([&] {
          step({0, 5}, {2, 3});
        }) == "embedding: index 5 at position 1 is outside [0, 5)");
  CHECK_THROWS_WITH_AS(step({0, 1}, {2, 5}), doctest::Contains("5 at position 1 is outside [0, 5)"),
                       IndexError);
  CHECK(step({0, 1}, {2, 3}) > 0);
  const Tensor leaf = ones({5, 4}, {F32, Device::CUDA}).set_requires_grad();
  backward(sum(embedding(leaf, on_cuda(tensor<int64_t>({0, -1})))));
  CHECK_THROWS_AS(clip_grad_norm({leaf}, 1), IndexError);  // it waits for the norm
}
