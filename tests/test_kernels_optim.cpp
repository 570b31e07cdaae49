// Optimizer steps against PyTorch's formulas, written as its documentation does, in double.
#include "tests/kernels.h"

using namespace gradus;
using namespace gradus::test;

namespace {

cpu::CpuBackend kernels;

constexpr int kSteps = 10;
constexpr int64_t kSizes[] = {1, 7, 33, 70001};  // the last is shared among threads

// The parameter and two states after ten steps; step(p, g, a, b, t) makes one, on views or numbers.
template <class T, class F>
std::vector<Array<T>> train(int64_t n, F&& step) {
  Array<T> p = scattered<T>({n}), a({n}), b({n});
  for (int t = 1; t <= kSteps; ++t) {
    const Array<T> g = scattered<T>({n}, 10 + static_cast<uint64_t>(t));
    step(p, g, a, b, t);
  }
  return {p, a, b};
}

template <class T, class Step, class Formula>
void compare(Step&& step, Formula&& formula) {
  for (int64_t n : kSizes) {
    CAPTURE(n);
    std::vector<Array<T>> got;
    on_any_threads([&] { return got = train<T>(n, step); });
    // The same numbers as T holds, but computed in double throughout.
    std::vector<double> p(static_cast<size_t>(n)), a(p), b(p);
    const Array<T> start = scattered<T>({n});
    std::copy(start.data.begin(), start.data.end(), p.begin());
    for (int t = 1; t <= kSteps; ++t) {
      const Array<T> g = scattered<T>({n}, 10 + static_cast<uint64_t>(t));
      for (size_t i = 0; i < p.size(); ++i)
        formula(p[i], static_cast<double>(g.data[i]), a[i], b[i], t);
    }
    const double tolerance = 5 * kTolerance<T>;  // ten steps of rounding
    check_close(
        got[0], [&](int64_t i) { return p[static_cast<size_t>(i)]; }, tolerance);
    check_close(
        got[1], [&](int64_t i) { return a[static_cast<size_t>(i)]; }, tolerance);
    check_close(
        got[2], [&](int64_t i) { return b[static_cast<size_t>(i)]; }, tolerance);
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
        [&](Array<T>& p, const Array<T>& g, Array<T>& buffer, Array<T>&, int t) {
          SgdStep s = setting;
          s.first = t == 1;
          if (s.momentum == 0) return kernels.sgd(s, p.view, g.view, View{});
          if (s.first) buffer.data.assign(buffer.data.size(), T(kNaN));  // must not be read
          kernels.sgd(s, p.view, g.view, buffer.view);
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
          [&](Array<T>& p, const Array<T>& g, Array<T>& m, Array<T>& v, int t) {
            s.step = t;
            kernels.adam(s, p.view, g.view, m.view, v.view);
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
      compare<T>(
          [&](Array<T>& p, const Array<T>& g, Array<T>& v, Array<T>& buffer, int) {
            kernels.rmsprop(s, p.view, g.view, v.view, momentum == 0 ? View{} : buffer.view);
          },
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
