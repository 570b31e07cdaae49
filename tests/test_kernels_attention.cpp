// Attention's kernels against the formula, where threads share out the keys: many keys, few heads.
// (tests/test_attention.cpp has the small sizes, with everything that autograd adds.)
#include "tests/kernels.h"

using namespace gradus;
using namespace gradus::test;

namespace {

cpu::CpuBackend kernels;

constexpr double kScale = 0.3;

/// softmax(q k^T scale) of one head in double; hidden keys have weight 0.
std::vector<double> weights_of(const Array<double>& q, const Array<double>& k, bool causal,
                               const Array<int64_t>& seen) {
  const int64_t queries = q.view.sizes[2], keys = k.view.sizes[2], d = q.view.sizes[3];
  std::vector<double> weights(static_cast<size_t>(queries * keys));
  for (int64_t t = 0; t < queries; ++t) {
    double sum = 0;
    for (int64_t s = 0; s < keys; ++s) {
      if ((causal && s > t + keys - queries) || seen[s] == 0) continue;
      double score = 0;
      for (int64_t i = 0; i < d; ++i) score += q[t * d + i] * k[s * d + i];
      sum += weights[t * keys + s] = std::exp(score * kScale);
    }
    for (int64_t s = 0; s < keys; ++s) weights[t * keys + s] /= sum;
  }
  return weights;
}

/// sum_s weights[t, s] v[s, i]
double mixed(const std::vector<double>& weights, const Array<double>& v, int64_t t, int64_t i) {
  const int64_t keys = v.view.sizes[2], d = v.view.sizes[3];
  double sum = 0;
  for (int64_t s = 0; s < keys; ++s) sum += weights[t * keys + s] * v[s * d + i];
  return sum;
}

}  // namespace

TEST_CASE("kernels: attention of one query to many keys") {
  const int64_t d = 64;
  for (int64_t keys : {1, 127, 300, 1024}) {
    CAPTURE(keys);
    const Array<double> q = scattered<double>({1, 1, 1, d}),
                        k = scattered<double>({1, 1, keys, d}, 2),
                        v = scattered<double>({1, 1, keys, d}, 3);
    Array<int64_t> seen({1, keys}, 1);
    for (int64_t s = 0; s + 1 < keys; ++s) seen[s] = s % 7 != 3 && s < 600;  // a part sees nothing
    Array<double> out({1, 1, 1, d}), stats({1, 1, 1, 2});
    on_any_threads([&] {
      kernels.attention(q.view, k.view, v.view, seen.view, true, kScale, out.view, stats.view);
      return std::vector{out, stats};
    });
    const auto weights = weights_of(q, k, true, seen);
    check_close(out, [&](int64_t i) { return mixed(weights, v, 0, i); });
    std::fill(seen.data.begin(), seen.data.end(), 0);
    kernels.attention(q.view, k.view, v.view, seen.view, true, kScale, out.view, stats.view);
    CHECK(out.same_bits(Array<double>({1, 1, 1, d})));  // a query that sees nothing gets zeros
  }
}

TEST_CASE("kernels: attention of many queries to many keys, and its gradients") {
  const int64_t n = 1100, d = 8;  // backward cuts the keys in two
  Array<int64_t> seen({1, n}, 1);
  seen[5] = seen[800] = 0;
  const std::vector<int64_t> shape{1, 1, n, d};
  const Array<double> q = scattered<double>(shape), k = scattered<double>(shape, 2),
                      v = scattered<double>(shape, 3), g = scattered<double>(shape, 4);
  for (bool causal : {false, true}) {
    CAPTURE(causal);
    Array<double> out(shape), stats({1, 1, n, 2}), dq(shape), dk(shape), dv(shape);
    on_any_threads([&] {
      kernels.attention(q.view, k.view, v.view, seen.view, causal, kScale, out.view, stats.view);
      kernels.attention_backward(g.view, q.view, k.view, v.view, seen.view, causal, kScale,
                                 out.view, stats.view, dq.view, dk.view, dv.view);
      return std::vector{out, stats, dq, dk, dv};
    });
    const auto weights = weights_of(q, k, causal, seen);
    check_close(out, [&](int64_t i) { return mixed(weights, v, i / d, i % d); });
    Array<double> edq(shape), edk(shape), edv(shape);
    for (int64_t t = 0; t < n; ++t) {
      double delta = 0;
      for (int64_t i = 0; i < d; ++i) delta += g[t * d + i] * out[t * d + i];
      for (int64_t s = 0; s < n; ++s) {
        const double p = weights[t * n + s];
        double gv = 0;
        for (int64_t i = 0; i < d; ++i) gv += g[t * d + i] * v[s * d + i];
        const double ds = kScale * p * (gv - delta);
        for (int64_t i = 0; i < d; ++i) {
          edq[t * d + i] += ds * k[s * d + i];
          edk[s * d + i] += ds * q[t * d + i];
          edv[s * d + i] += p * g[t * d + i];
        }
      }
    }
    check_close(
        dq, [&](int64_t i) { return edq[i]; }, 1e-10);
    check_close(
        dk, [&](int64_t i) { return edk[i]; }, 1e-10);
    check_close(
        dv, [&](int64_t i) { return edv[i]; }, 1e-10);
  }
}
