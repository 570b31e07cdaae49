// Philox against its published vectors; the distributions that are made from it; dropout.
#include <array>

#include "tests/kernels.h"

using namespace gradus;
using namespace gradus::test;

namespace {

cpu::CpuBackend kernels;

using Words = std::array<uint32_t, 4>;

// The cipher as the paper writes it, with a counter of four words; ours uses two of them.
Words philox_reference(Words c, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const uint64_t a = 0xD2511F53ull * c[0], b = 0xCD9E8D57ull * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(a)};
  }
  return c;
}

Words words(const PhiloxBlock& b) { return {b.word[0], b.word[1], b.word[2], b.word[3]}; }

// The largest distance between the empirical distribution function and cdf (Kolmogorov, 1933).
template <class T, class F>
double kolmogorov_distance(std::vector<T> x, F&& cdf) {
  std::sort(x.begin(), x.end());
  const double n = static_cast<double>(x.size());
  double distance = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double p = cdf(static_cast<double>(x[i])), at = static_cast<double>(i);
    distance = std::max({distance, p - at / n, (at + 1) / n - p});
  }
  return distance;
}

template <class T>
std::pair<double, double> mean_and_variance(const std::vector<T>& x) {
  const double n = static_cast<double>(x.size());
  double mean = 0, var = 0;
  for (T v : x) mean += static_cast<double>(v) / n;
  for (T v : x) var += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean) / n;
  return {mean, var};
}

// Correlation of neighbours: the two numbers of a Box-Muller pair, and the blocks, are independent.
template <class T>
double correlation(const std::vector<T>& x, size_t lag) {
  const auto [mean, var] = mean_and_variance(x);
  double sum = 0;
  for (size_t i = lag; i < x.size(); ++i)
    sum += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i - lag]) - mean);
  return sum / var / static_cast<double>(x.size());
}

}  // namespace

TEST_CASE("kernels: Philox4x32-10 gives the published vectors") {
  // Random123's known answers (kat_vectors).
  CHECK(words(philox({0, 0}, 0)) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox_reference({0, 0, 0, 0}, 0, 0) ==
        Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox_reference({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox_reference({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822,
                         0x299f31d0) == Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  // The two-word counter is the offset plus the index, carried into the second word.
  const uint64_t seed = 0x299f31d0a4093822, offset = 0x85a308d3fffffff0;
  for (uint64_t i : {0, 15, 16, 1000}) {
    const uint64_t at = offset + i;
    CHECK(words(philox({seed, offset}, i)) ==
          philox_reference({static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32), 0, 0},
                           0xa4093822, 0x299f31d0));
  }
}

TEST_CASE_TEMPLATE("kernels: uniform", T, float, double) {
  const int64_t n = 200003;
  Array<T> x({n});
  on_any_threads([&] {
    kernels.uniform({7, 100}, -2, 5, x.view);
    return std::vector{x};
  });
  const auto [low, high] = std::minmax_element(x.data.begin(), x.data.end());
  CHECK(*low >= T(-2));
  CHECK(*high < T(5));
  const auto [mean, var] = mean_and_variance(x.data);
  CHECK(std::abs(mean - 1.5) < 0.02);
  CHECK(std::abs(var - 49.0 / 12) < 0.05);
  CHECK(kolmogorov_distance(x.data, [](double v) { return (v + 2) / 7; }) < 2 / std::sqrt(n));
  for (size_t lag : {1, 2, 4, 256}) CHECK(std::abs(correlation(x.data, lag)) < 0.01);

  // Element i is a function of the key and i: a longer tensor begins with a shorter one, and an
  // offset of one block skips the elements of one block.
  Array<T> shorter({1001}), later({1000});
  kernels.uniform({7, 100}, -2, 5, shorter.view);
  kernels.uniform({7, 101}, -2, 5, later.view);
  const int64_t numbers = kPhiloxNumbers<T>;
  CHECK(std::equal(shorter.data.begin(), shorter.data.end(), x.data.begin()));
  CHECK(std::equal(later.data.begin(), later.data.end(), x.data.begin() + numbers));
  const PhiloxBlock block = philox({7, 100}, 3);
  CHECK(x[3 * numbers + 1] == uniform_between(uniform_number<T>(block.word, 1), T(-2), T(5)));
}

TEST_CASE("kernels: uniform never rounds up to the excluded end") {
  const float largest = unit_interval<float>(0xFFFFFFFFu, 0);
  CHECK(largest < 1.0f);
  CHECK(1.0f + largest == 2.0f);  // what rounding does
  CHECK(uniform_between(largest, 1.0f, 2.0f) < 2.0f);
  CHECK(unit_interval<double>(0xFFFFFFFFu, 0xFFFFFFFFu) < 1.0);
}

TEST_CASE_TEMPLATE("kernels: normal", T, float, double) {
  const int64_t n = 200003;
  Array<T> x({n});
  on_any_threads([&] {
    kernels.normal({7, 0}, 3, 2, x.view);
    return std::vector{x};
  });
  const auto [mean, var] = mean_and_variance(x.data);
  CHECK(std::abs(mean - 3) < 0.02);
  CHECK(std::abs(var - 4) < 0.05);
  const auto cdf = [](double v) { return 0.5 * std::erfc(-(v - 3) / 2 / std::sqrt(2.0)); };
  CHECK(kolmogorov_distance(x.data, cdf) < 2 / std::sqrt(n));
  for (size_t lag : {1, 2, 4, 256}) CHECK(std::abs(correlation(x.data, lag)) < 0.01);
  // u = 0 and the largest u are finite too.
  for (double u : {0.0, static_cast<double>(unit_interval<T>(~0u, ~0u))}) {
    CHECK(std::isfinite(box_muller(static_cast<T>(u), T(0.3)).first));
    CHECK(std::isfinite(box_muller(static_cast<T>(u), T(0.3)).second));
  }
}

TEST_CASE("kernels: dropout") {
  const int64_t n = 100003;
  const double p = 0.3;
  const Array<float> x = scattered<float>({n});
  Array<double> wide({n});
  std::copy(x.data.begin(), x.data.end(), wide.data.begin());
  Array<float> y({n});
  on_any_threads([&] {
    kernels.dropout({5, 17}, p, x.view, y.view);
    return std::vector{y};
  });
  Array<double> wide_y({n});
  kernels.dropout({5, 17}, p, wide.view, wide_y.view);
  int64_t kept = 0;
  bool scaled = true, agree = true;
  for (int64_t i = 0; i < n; ++i) {
    kept += y[i] != 0;
    scaled &= y[i] == 0 || close(y[i], x[i] / (1 - p), 2e-7);
    agree &= (y[i] == 0) == (wide_y[i] == 0);
  }
  CHECK(scaled);
  CHECK(agree);  // F32 and F64 drop the same elements
  CHECK(std::abs(static_cast<double>(kept) / n - 0.7) < 0.01);

  kernels.dropout({5, 17}, 0, x.view, y.view);
  CHECK(y.same_bits(x));
  kernels.dropout({5, 17}, 1, x.view, y.view);
  CHECK(std::count(y.data.begin(), y.data.end(), 0.0f) == n);
}
