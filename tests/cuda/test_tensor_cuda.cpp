// Tensors on Device::CUDA as a program meets them: moving, printing, saving, errors, memory.
#include <doctest/doctest.h>

#include "autograd/autograd.h"
#include "cuda/cuda.h"
#include "nn/safetensors.h"
#include "optim/optimizer.h"
#include "tests/compare.h"
#include "tests/scratch.h"

using namespace gradus;

namespace {
const Options kThere{F32, Device::CUDA};
}

TEST_CASE("cuda tensor: there and back, views too") {
  cuda::install();
  CHECK(cuda::available());
  CHECK(std::string(cuda::device_name()).size() > 3);
  const Tensor x = to(reshape(arange(24), {2, 3, 4}), F32), there = to(x, Device::CUDA);
  CHECK(there.device() == Device::CUDA);
  CHECK(to(there, Device::CUDA).impl() == there.impl());
  CHECK(max_difference(to(there, Device::CPU), x) == 0);
  CHECK(max_difference(transpose(there, 0, 2), transpose(x, 0, 2)) == 0);
  CHECK(max_difference(to(transpose(x, 0, 2), Device::CUDA), transpose(x, 0, 2)) == 0);
  CHECK(max_difference(select(there, 1, 2), select(x, 1, 2)) == 0);
  CHECK(select(select(select(there, 0, 1), 0, 2), 0, 3).item() == 23);
  CHECK(to(arange(3), Device::CUDA).to_vector<int64_t>() == std::vector<int64_t>{0, 1, 2});
  CHECK(to(empty({0, 3}), Device::CUDA).to_vector().empty());
  CHECK(tensor<double>({1, 2}, {2}, Device::CUDA).to_vector<double>() == std::vector{1.0, 2.0});
  CHECK(max_difference(eye(3, kThere), eye(3)) == 0);
  CHECK(max_difference(linspace(0, 1, 5, kThere), linspace(0, 1, 5)) == 0);
  CHECK(max_difference(arange(0, 5, 2, kThere), arange(0, 5, 2, F32)) == 0);
}

TEST_CASE("cuda tensor: the device is waited for, and says what it is") {
  cuda::install();
  const Tensor x = ones({1000}, kThere) * 2.0;
  backend(Device::CUDA).synchronize();
  CHECK(sum(x).item() == 2000);
  const std::string name(cuda::device_name());
  CHECK(cuda::emulated() == (name.find("emulated") != std::string::npos));
}

TEST_CASE("cuda tensor: gradients cross the bridge") {
  cuda::install();
  const Tensor x = tensor<double>({1, -2, 3}).set_requires_grad();
  const Tensor y = sum(square(to(to(x, Device::CUDA) * 2.0, Device::CPU)));
  backward(y);
  CHECK(x.grad().device() == Device::CPU);
  CHECK(x.grad().to_vector<double>() == std::vector<double>{8, -16, 24});
  const Tensor g = grad(sum(exp(to(x, Device::CUDA))), {x}, {.create_graph = true})[0];
  CHECK(g.device() == Device::CPU);
  CHECK(max_difference(grad(sum(g), {x})[0], exp(x)) < 1e-14);
}

TEST_CASE("cuda tensor: what is wrong is said") {
  cuda::install();
  const Tensor here = ones({3}), there = ones({3}, kThere);
  CHECK(contains(message_of<DeviceError>([&] { here + there; }), "one tensor on cpu, one on cuda"));
  CHECK_THROWS_AS(layer_norm(ones({2, 3}, kThere), ones({3}), zeros({3})), DeviceError);
  const Tensor q = ones({1, 1, 2, 3}, kThere);
  CHECK_THROWS_AS(scaled_dot_product_attention(q, q, ones({1, 1, 2, 3})), DeviceError);
  CHECK_THROWS_AS(scaled_dot_product_attention(q, q, q, {.key_mask = ones({1, 2}, I64)}),
                  DeviceError);
  const Tensor leaf = ones({2}, kThere).set_requires_grad();
  CHECK_THROWS_AS(backward(leaf * 2.0, ones({2})), DeviceError);
  CHECK(contains(message_of<DeviceError>([&] { there.data<float>(); }), "to(x, Device::CPU)"));
  CHECK_THROWS_AS(empty({int64_t{1} << 50}, kThere), CudaError);
  CHECK(contains(message_of<CudaError>([&] { empty({int64_t{1} << 50}, kThere); }),
                 "out of device memory"));
  CHECK((there + 1.0).to_vector() == std::vector<float>{2, 2, 2});  // and all still works
}

TEST_CASE("cuda tensor: prints as on the CPU") {
  cuda::install();
  const Tensor x = to(reshape(arange(6), {2, 3}), F32) * 0.5;
  CHECK(to_string(to(x, Device::CUDA)) == to_string(x));
  CHECK(to_string(to(arange(2000), Device::CUDA)) == to_string(arange(2000)));
}

TEST_CASE("cuda tensor: freed memory is used again") {
  cuda::install();
  cuda::empty_cache();
  const auto work = [] {
    const Tensor x = randn({100, 30}, kThere);
    sum(exp(x) * x).item();
  };
  work();
  const int64_t once = cuda::pool_bytes();
  for (int i = 0; i < 10; ++i) work();
  CHECK(cuda::pool_bytes() == once);
  cuda::empty_cache();
  CHECK(cuda::pool_bytes() <= once);
}

TEST_CASE("cuda tensor: states go through files and come back to the device") {
  cuda::install();
  const Scratch folder;
  const Tensor x = randn({5, 7}), there = to(x, Device::CUDA);
  const std::string path = folder / "x.safetensors";
  save_safetensors(path, {{"x", transpose(there, 0, 1)}});
  const Tensor loaded = load_safetensors(path).tensors.at(0).second;
  CHECK(max_difference(loaded, transpose(x, 0, 1)) == 0);

  const auto train = [&](const Tensor& p, AdamW& opt, int steps) {
    for (int i = 0; i < steps; ++i) {
      opt.zero_grad();
      backward(sum(square(p - 1.0)));
      opt.step();
    }
  };
  Tensor p = to(x, Device::CUDA).set_requires_grad(), q = to(x, Device::CUDA).set_requires_grad();
  AdamW straight({p}, 0.1), first({q}, 0.1);
  train(p, straight, 6);
  train(q, first, 3);
  save_safetensors(path, first.state_dict());
  AdamW second({q}, 0.5);
  second.load_state_dict(load_safetensors(path).tensors);
  train(q, second, 3);
  CHECK(max_difference(p, q) == 0);
}
