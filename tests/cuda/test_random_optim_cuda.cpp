// Random numbers and optimizers on Device::CUDA: the CPU's numbers, and the CPU's steps.
#include "tensor/random.h"
#include "tests/cuda/agree.h"

using namespace gradus;
using namespace gradus::test;

namespace {
constexpr int64_t kSizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 1025, 5000};
}

TEST_CASE("cuda random: uniform and normal numbers and dropout are the CPU's") {
  for (const DType dtype : {F32, F64})
    for (const int64_t n : kSizes) {
      CAPTURE(n);
      const PhiloxKey key{.seed = 17, .offset = (uint64_t{1} << 32) - 2};  // the counter carries
      agree({full({n}, 3, dtype)}, [&](Backend& device, const Tensors& in) {
        Tensors out;
        for (int i = 0; i < 4; ++i) out.push_back(empty({n}, in[0].options()));
        device.uniform(key, -2, 5, out[0].view());
        device.normal(key, 1, 0.5, out[1].view());
        device.dropout(key, 0.3, in[0].view(), out[2].view());
        device.dropout(key, 0, in[0].view(), out[3].view());
        return out;
      });
    }
}

TEST_CASE("cuda random: what is drawn on the device is what the CPU draws") {
  agree({rand({5, 7})}, [](Backend&, const Tensors& in) -> Tensors {
    Generator generator(8);
    const Tensor& p = in[0];
    return {rand({3, 5}, {F32, p.device()}, generator), randn({3, 5}, {F64, p.device()}, generator),
            bernoulli(p, generator), multinomial(p, 3, false, generator),
            multinomial(p, 9, true, generator)};
  });
}

namespace {

/// Three steps of an optimizer from the same parameter, gradient and state.
using Step = std::function<void(Backend&, const Tensor& p, const Tensor& g, const Tensors& state,
                                int64_t step)>;

void check_steps(const Step& step) {
  for (const DType dtype : {F32, F64})
    for (const int64_t n : kSizes) {
      CAPTURE(n);
      Generator generator(9);
      const Tensor p = randn({n}, dtype, generator), g = randn({n}, dtype, generator);
      agree({p, g}, [&](Backend& device, const Tensors& in) {
        const Tensors out = {raw::clone(in[0]), zeros_like(in[0]), zeros_like(in[0])};
        for (int64_t t = 1; t <= 3; ++t) step(device, out[0], in[1], {out[1], out[2]}, t);
        return out;
      });
    }
}

}  // namespace

TEST_CASE("cuda optim: SGD") {
  for (const bool nesterov : {false, true})
    for (const double momentum : {0.0, 0.9})
      check_steps(
          [&](Backend& device, const Tensor& p, const Tensor& g, const Tensors& state, int64_t t) {
            const SgdStep s{.lr = 0.1,
                            .momentum = momentum,
                            .dampening = nesterov ? 0 : 0.2,
                            .weight_decay = 0.3,
                            .nesterov = nesterov,
                            .first = t == 1};
            device.sgd(s, p.view(), g.view(), momentum == 0 ? View{} : state[0].view());
          });
}

TEST_CASE("cuda optim: Adam and AdamW") {
  for (const bool decoupled : {false, true})
    check_steps(
        [&](Backend& device, const Tensor& p, const Tensor& g, const Tensors& state, int64_t t) {
          const AdamStep s{.lr = 0.1,
                           .beta1 = 0.9,
                           .beta2 = 0.99,
                           .eps = 1e-8,
                           .weight_decay = 0.2,
                           .decoupled = decoupled,
                           .step = t};
          device.adam(s, p.view(), g.view(), state[0].view(), state[1].view());
        });
}

TEST_CASE("cuda optim: RMSprop") {
  for (const double momentum : {0.0, 0.9})
    check_steps(
        [&](Backend& device, const Tensor& p, const Tensor& g, const Tensors& state, int64_t) {
          const RmspropStep s{
              .lr = 0.01, .alpha = 0.9, .eps = 1e-8, .weight_decay = 0.1, .momentum = momentum};
          device.rmsprop(s, p.view(), g.view(), state[0].view(),
                         momentum == 0 ? View{} : state[1].view());
        });
}
