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

/// One step of an optimizer, the `number`th.
using Step =
    std::function<void(Backend&, std::span<const ParameterViews> parameters, int64_t number)>;

/// Sizes around those of vectors and of pieces; and so many tensors that a launch does not take
/// them all.
std::vector<int64_t> sizes_for_steps() {
  std::vector<int64_t> sizes(std::begin(kSizes), std::end(kSizes));
  for (const int64_t n : {4096, 4097, 20000}) sizes.push_back(n);
  for (int i = 0; i < 200; ++i) sizes.push_back(i % 7);
  return sizes;
}

Tensors of_sizes(const std::vector<int64_t>& sizes, DType dtype, uint64_t seed) {
  Generator generator(seed);
  Tensors out;
  for (const int64_t n : sizes) out.push_back(randn({n}, dtype, generator));
  return out;
}

/// Three steps of all parameters together, from the same values and gradients.
void check_steps(const Step& step) {
  const std::vector<int64_t> sizes = sizes_for_steps();
  for (const DType dtype : {F32, F64}) {
    Tensors inputs = of_sizes(sizes, dtype, 9);
    for (const Tensor& g : of_sizes(sizes, dtype, 10)) inputs.push_back(g);
    agree(inputs, [&](Backend& device, const Tensors& in) {
      const size_t count = in.size() / 2;
      Tensors out;
      std::vector<ParameterViews> views;
      for (size_t i = 0; i < count; ++i) {
        for (const Tensor& x : {raw::clone(in[i]), zeros_like(in[i]), zeros_like(in[i])})
          out.push_back(x);
        const Tensor* const last = &out.back();
        views.push_back({last[-2].view(), in[count + i].view(), {last[-1].view(), last->view()}});
      }
      for (int64_t t = 1; t <= 3; ++t) step(device, views, t);
      return out;
    });
  }
}

}  // namespace

TEST_CASE("cuda optim: SGD") {
  for (const bool nesterov : {false, true})
    for (const double momentum : {0.0, 0.9})
      check_steps([&](Backend& device, std::span<const ParameterViews> parameters, int64_t t) {
        const SgdStep s{.lr = 0.1,
                        .momentum = momentum,
                        .dampening = nesterov ? 0 : 0.2,
                        .weight_decay = 0.3,
                        .nesterov = nesterov,
                        .first = t == 1};
        device.sgd(s, parameters);
      });
}

TEST_CASE("cuda optim: Adam and AdamW") {
  for (const bool decoupled : {false, true})
    check_steps([&](Backend& device, std::span<const ParameterViews> parameters, int64_t t) {
      const AdamStep s{.lr = 0.1,
                       .beta1 = 0.9,
                       .beta2 = 0.99,
                       .eps = 1e-8,
                       .weight_decay = 0.2,
                       .decoupled = decoupled,
                       .step = t};
      device.adam(s, parameters);
    });
}

TEST_CASE("cuda optim: RMSprop") {
  for (const double momentum : {0.0, 0.9})
    check_steps([&](Backend& device, std::span<const ParameterViews> parameters, int64_t) {
      const RmspropStep s{
          .lr = 0.01, .alpha = 0.9, .eps = 1e-8, .weight_decay = 0.1, .momentum = momentum};
      device.rmsprop(s, parameters);
    });
}

TEST_CASE("cuda optim: sums of squares, scale and clamp") {
  for (const DType dtype : {F32, F64})
    agree(of_sizes(sizes_for_steps(), dtype, 11), [&](Backend& device, const Tensors& in) {
      Tensors out;
      std::vector<View> views;
      for (const Tensor& x : in) {
        out.push_back(raw::clone(x));
        views.push_back(out.back().view());
      }
      const Tensor sums = full({static_cast<int64_t>(in.size())}, kNaN, {F64, in[0].device()});
      device.sum_squares(views, sums.view());
      device.scale(0.7, views);
      device.clamp(1.5, views);
      device.scale(1, {});
      out.push_back(sums);
      return out;
    });
}
