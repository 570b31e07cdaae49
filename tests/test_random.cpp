// Random tensors: the right frequencies, valid permutations, and the same bits for the same seed on
// any number of threads. test_kernels_random.cpp tests the streams themselves.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "autograd/ops.h"
#include "tensor/random.h"
#include "tensor/runtime.h"

using namespace gradus;

namespace {

using Ints = std::vector<int64_t>;
using Doubles = std::vector<double>;

/// How often each of [0, classes) occurs.
Doubles frequencies(const Ints& draws, int64_t classes) {
  Doubles f(static_cast<size_t>(classes));
  for (int64_t d : draws) f.at(d) += 1.0 / static_cast<double>(draws.size());
  return f;
}

/// Within five standard deviations of what n draws give.
void check_frequencies(const Doubles& got, const Doubles& p, size_t n) {
  REQUIRE(got.size() == p.size());
  for (size_t i = 0; i < p.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - p[i]) <= 5 * std::sqrt(p[i] * (1 - p[i]) / static_cast<double>(n)));
  }
}

}  // namespace

TEST_CASE("random: multinomial draws in proportion to its weights") {
  Generator generator(3);
  const Tensor w = tensor<float>({1, 0, 2, 5, 0, 2});
  const Ints draws = multinomial(w, 20'000, true, generator).to_vector<int64_t>();
  check_frequencies(frequencies(draws, 6), {0.1, 0, 0.2, 0.5, 0, 0.2}, draws.size());

  const Tensor rows =
      multinomial(tensor<double>({1, 3, 0, 0, 1, 1}, {2, 3}), 5'000, true, generator);
  CHECK(rows.shape() == Shape{2, 5'000});
  const Ints first = select(rows, 0, 0).to_vector<int64_t>(),
             second = select(rows, 0, 1).to_vector<int64_t>();
  check_frequencies(frequencies(first, 3), {0.25, 0.75, 0}, first.size());
  check_frequencies(frequencies(second, 3), {0, 0.5, 0.5}, second.size());
}

TEST_CASE("random: multinomial without replacement") {
  Generator generator(4);
  const Tensor w = expand(tensor<double>({1, 2, 3, 0, 4}), {20'000, 5});
  const Tensor pairs = multinomial(w, 2, false, generator);
  CHECK(pairs.shape() == Shape{20'000, 2});
  const Ints first = select(pairs, 1, 0).to_vector<int64_t>(),
             second = select(pairs, 1, 1).to_vector<int64_t>();
  check_frequencies(frequencies(first, 5), {0.1, 0.2, 0.3, 0, 0.4}, first.size());
  Doubles then(5);  // P(second = j) = sum over the first i of p_i p_j / (1 - p_i)
  const Doubles p = {0.1, 0.2, 0.3, 0, 0.4};
  for (size_t i = 0; i < 5; ++i)
    for (size_t j = 0; j < 5; ++j)
      if (i != j) then[j] += p[i] * p[j] / (1 - p[i]);
  check_frequencies(frequencies(second, 5), then, second.size());
  bool distinct = true;
  for (size_t i = 0; i < first.size(); ++i) distinct &= first[i] != second[i];
  CHECK(distinct);
}

TEST_CASE("random: what multinomial refuses") {
  CHECK_THROWS_AS(multinomial(tensor<float>({1, -1}), 1), ValueError);
  CHECK_THROWS_AS(multinomial(tensor<float>({1, NAN}), 1), ValueError);
  CHECK_THROWS_AS(multinomial(tensor<float>({1, INFINITY}), 1), ValueError);
  CHECK_THROWS_AS(multinomial(tensor<float>({0, 0}), 1, true), ValueError);
  CHECK_THROWS_AS(multinomial(tensor<float>({1, 0, 2}), 3), ValueError);
  CHECK_NOTHROW(multinomial(tensor<float>({1, 0, 2}), 3, true));
  CHECK_THROWS_AS(multinomial(tensor<int64_t>({1, 2}), 1), DTypeError);
  CHECK_THROWS_AS(multinomial(full({}, 1), 1), ShapeError);
}

TEST_CASE("random: randperm gives permutations, and favours no number") {
  Generator generator(5);
  for (const int64_t n : {0, 1, 2, 7, 1000}) {
    Ints p = randperm(n, generator).to_vector<int64_t>();
    std::sort(p.begin(), p.end());
    CHECK(p == arange(n).to_vector<int64_t>());
  }
  Ints first;
  for (int i = 0; i < 3'000; ++i) first.push_back(select(randperm(5, generator), 0, 0).item_int());
  check_frequencies(frequencies(first, 5), Doubles(5, 0.2), first.size());
  CHECK_THROWS_AS(randperm(-1), ValueError);
}

TEST_CASE("random: bernoulli, randint, uniform, normal") {
  Generator generator(6);
  const Tensor p = expand(tensor<float>({0, 0.3f, 1}), {10'000, 3});
  const Doubles mean_of = mean(bernoulli(p, generator), {0}).to_vector<double>();
  CHECK(mean_of[0] == 0);
  CHECK(mean_of[1] == doctest::Approx(0.3).epsilon(0.1));
  CHECK(mean_of[2] == 1);
  CHECK_THROWS_AS(bernoulli(tensor<float>({1.5f})), ValueError);
  CHECK_THROWS_AS(bernoulli(tensor<float>({NAN})), ValueError);

  const Ints dice = randint(-2, 4, {12'000}, generator).to_vector<int64_t>();
  Ints shifted;
  for (int64_t d : dice) shifted.push_back(d + 2);
  check_frequencies(frequencies(shifted, 6), Doubles(6, 1.0 / 6), dice.size());
  CHECK_THROWS_AS(randint(3, 3, {1}), ValueError);
  const int64_t low = (int64_t{1} << 53) + 1;  // does not fit into a double
  CHECK(min(eq(randint(low, low + 1, {8}), tensor<int64_t>({low}))).item() == 1);

  const Tensor u = uniform({50'000}, -1, 3, F64, generator), n = randn({50'000}, F64, generator);
  CHECK(min(u).item() >= -1);
  CHECK(max(u).item() < 3);
  CHECK(mean(u).item() == doctest::Approx(1).epsilon(0.03));
  CHECK(var(u).item() == doctest::Approx(16.0 / 12).epsilon(0.03));
  CHECK(std::abs(mean(n).item()) < 0.03);
  CHECK(var(n).item() == doctest::Approx(1).epsilon(0.03));
  CHECK(mean(square(square(n))).item() ==
        doctest::Approx(3).epsilon(0.1));  // the normal's kurtosis
  CHECK_THROWS_AS(normal({2}, 0, -1), ValueError);
  CHECK_THROWS_AS(uniform({2}, 0, 1, I64), DTypeError);
}

TEST_CASE("random: the same seed gives the same bits on any number of threads") {
  const auto draw = [] {
    Generator g(42);
    std::vector<Doubles> all;
    for (const DType dtype : {F32, F64}) {
      all.push_back(rand({70'001}, dtype, g).to_vector<double>());
      all.push_back(randn({70'001}, dtype, g).to_vector<double>());
      all.push_back(bernoulli(full({70'001}, 0.3, dtype), g).to_vector<double>());
      all.push_back(dropout(ones({70'001}, dtype), 0.3, g).to_vector<double>());
      all.push_back(multinomial(ones({300, 100}, dtype), 3, false, g).to_vector<double>());
    }
    all.push_back(randperm(30'000, g).to_vector<double>());
    return all;
  };
  const int threads = get_num_threads();
  set_num_threads(1);
  const auto one = draw();
  set_num_threads(2);
  const auto two = draw();
  set_num_threads(threads);
  CHECK(one == two);
  CHECK(one[0] != one[5]);
}

TEST_CASE("random: seeds, streams and their state") {
  manual_seed(7);
  const Doubles a = randn({100}).to_vector<double>(), b = randn({100}).to_vector<double>();
  manual_seed(7);
  CHECK(randn({100}).to_vector<double>() == a);
  const PhiloxKey state = default_generator().state();
  CHECK(randn({100}).to_vector<double>() == b);
  default_generator().set_state(state);
  CHECK(randn({100}).to_vector<double>() == b);
  CHECK(a != b);
  manual_seed(8);
  CHECK(randn({100}).to_vector<double>() != a);
  Generator one(7), other(8);
  CHECK(rand({100}, F64, one).to_vector<double>() != rand({100}, F64, other).to_vector<double>());
}
