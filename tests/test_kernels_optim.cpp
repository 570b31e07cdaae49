// Optimizer steps against PyTorch's formulas, written as its documentation does, in double.
#include "tests/kernels.h"

using namespace gradus;
using namespace gradus::test;

namespace {

cpu::CpuBackend kernels;

constexpr int kSteps = 10;
// Together they are shared among threads, which then meet several tensors, and parts of one.
constexpr int64_t kSizes[] = {1, 7, 0, 33, 70001, 64, 20000};

template <class T>
using Arrays = std::vector<Array<T>>;

template <class T>
Arrays<T> of_every_size(uint64_t salt) {
  Arrays<T> out;
  for (const int64_t n : kSizes) out.push_back(scattered<T>({n}, ++salt));
  return out;
}
template <class T>
Arrays<T> zeros_of_every_size() {
  Arrays<T> out;
  for (const int64_t n : kSizes) out.emplace_back(std::vector{n});
  return out;
}

constexpr uint64_t salt_of_step(int t) { return 100 * static_cast<uint64_t>(t); }

/// The parameters and their two states after ten steps; step(parameters, t) makes one.
template <class T, class F>
Arrays<T> train(F&& step) {
  Arrays<T> p = of_every_size<T>(0), a = zeros_of_every_size<T>(), b = a;
  for (int t = 1; t <= kSteps; ++t) {
    const Arrays<T> g = of_every_size<T>(salt_of_step(t));
    std::vector<ParameterViews> views;
    for (size_t i = 0; i < p.size(); ++i)
      views.push_back({p[i].view, g[i].view, {a[i].view, b[i].view}});
    step(views, t);
  }
  for (const Arrays<T>* state : {&a, &b}) p.insert(p.end(), state->begin(), state->end());
  return p;
}

template <class T, class Step, class Formula>
void compare(Step&& step, Formula&& formula) {
  Arrays<T> got;
  on_any_threads([&] { return got = train<T>(step); });
  const Arrays<T> start = of_every_size<T>(0);
  const size_t count = start.size();
  for (size_t k = 0; k < count; ++k) {
    CAPTURE(kSizes[k]);
    // The same numbers as T holds, but computed in double throughout.
    std::vector<double> p(start[k].data.begin(), start[k].data.end()), a(p.size()), b(p.size());
    for (int t = 1; t <= kSteps; ++t) {
      const Array<T> g = of_every_size<T>(salt_of_step(t))[k];
      for (size_t i = 0; i < p.size(); ++i)
        formula(p[i], static_cast<double>(g.data[i]), a[i], b[i], t);
    }
    if (p.empty()) continue;
    const double tolerance = 5 * kTolerance<T>;  // ten steps of rounding
    const auto check_against = [&](const Array<T>& x, const std::vector<double>& expected) {
      check_close(
          x, [&](int64_t i) { return expected[static_cast<size_t>(i)]; }, tolerance);
    };
    check_against(got[k], p);
    check_against(got[count + k], a);
    check_against(got[2 * count + k], b);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("kernels: sgd", T, float, double) {
  const SgdStep settings[] = {{.1, 0, 0, 0, false, false},
                              {.1, 0, 0, .01, false, false},
                              {.1, .9, 0, 0, false, false},
                              {.1, .9, .5, .01, false, false},
                              {.1, .9, 0, .01, true, false}};
  for (const SgdStep& setting : settings) {
    CAPTURE(setting.momentum);
    CAPTURE(setting.nesterov);
    compare<T>(
        [&](const std::vector<ParameterViews>& parameters, int t) {
          SgdStep s = setting;
          s.first = t == 1;
          if (s.momentum != 0 && s.first)  // what must not be read
            for (const ParameterViews& x : parameters)
              std::fill_n(x.state[0].as<T>(), x.value.numel(), T(kNaN));
          kernels.sgd(s, parameters);
        },
        [&](double& p, double g, double& buffer, double&, int t) {
          const SgdStep& s = setting;
          g += s.weight_decay * p;
          if (s.momentum != 0) {
            buffer = t == 1 ? g : s.momentum * buffer + (1 - s.dampening) * g;
            g = s.nesterov ? g + s.momentum * buffer : buffer;
          }
          p -= s.lr * g;
        });
  }
}

TEST_CASE_TEMPLATE("kernels: adam and adamw", T, float, double) {
  for (bool decoupled : {false, true})
    for (double decay : {0.0, 0.1}) {
      CAPTURE(decoupled);
      AdamStep s{.01, .9, .95, 1e-8, decay, decoupled, 0};
      compare<T>(
          [&](const std::vector<ParameterViews>& parameters, int t) {
            s.step = t;
            kernels.adam(s, parameters);
          },
          [&](double& p, double g, double& m, double& v, int t) {
            if (decoupled)
              p *= 1 - s.lr * decay;
            else
              g += decay * p;
            m = s.beta1 * m + (1 - s.beta1) * g;
            v = s.beta2 * v + (1 - s.beta2) * g * g;
            const double m_hat = m / (1 - std::pow(s.beta1, t));
            const double v_hat = v / (1 - std::pow(s.beta2, t));
            p -= s.lr * m_hat / (std::sqrt(v_hat) + s.eps);
          });
    }
}

TEST_CASE_TEMPLATE("kernels: rmsprop", T, float, double) {
  for (double momentum : {0.0, 0.9})
    for (double decay : {0.0, 0.1}) {
      CAPTURE(momentum);
      const RmspropStep s{.01, .99, 1e-8, decay, momentum};
      compare<T>([&](const std::vector<ParameterViews>& parameters,
                     int) { kernels.rmsprop(s, parameters); },
                 [&](double& p, double g, double& v, double& buffer, int) {
                   g += decay * p;
                   v = s.alpha * v + (1 - s.alpha) * g * g;
                   const double step = g / (std::sqrt(v) + s.eps);
                   if (momentum == 0) {
                     p -= s.lr * step;
                   } else {
                     buffer = momentum * buffer + step;
                     p -= s.lr * buffer;
                   }
                 });
    }
}

TEST_CASE_TEMPLATE("kernels: sums of squares, scale and clamp", T, float, double) {
  Arrays<T> xs;
  on_any_threads([&] {
    xs = of_every_size<T>(3);
    std::vector<View> views;
    for (const Array<T>& x : xs) views.push_back(x.view);
    Array<double> sums({static_cast<int64_t>(xs.size())}, kNaN);
    kernels.sum_squares(views, sums.view);
    for (size_t k = 0; k < xs.size(); ++k) {
      double expected = 0;
      for (const T v : xs[k].data) expected += static_cast<double>(v) * static_cast<double>(v);
      CHECK(std::abs(sums.data[k] - expected) <= 1e-13 * expected);
    }
    kernels.scale(0.7, views);
    kernels.clamp(1.5, views);
    Arrays<double> of_all{sums};
    for (const Array<T>& x : xs) {
      of_all.emplace_back(std::vector{x.size()});
      std::copy(x.data.begin(), x.data.end(), of_all.back().data.begin());
    }
    return of_all;
  });
  const Arrays<T> start = of_every_size<T>(3);
  for (size_t k = 0; k < xs.size(); ++k)
    for (size_t i = 0; i < xs[k].data.size(); ++i) {
      const T scaled = start[k].data[i] * static_cast<T>(0.7);
      if (xs[k].data[i] == std::clamp(scaled, T(-1.5), T(1.5))) continue;
      CAPTURE(i);
      CHECK(xs[k].data[i] == scaled);
      return;
    }
  kernels.scale(2, {});
  Array<double> nothing({0});
  kernels.sum_squares({}, nothing.view);
}

TEST_CASE("kernels: the sum of squares of large and small floats") {
  Array<float> large({3}, 3e38f), tiny({2}, 1e-30f);
  Array<double> sums({2});
  kernels.sum_squares(std::vector{large.view, tiny.view}, sums.view);
  CHECK(sums[0] == doctest::Approx(3 * 9e76));
  CHECK(sums[1] == doctest::Approx(2e-60));
}
