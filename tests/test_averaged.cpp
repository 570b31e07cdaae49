// Averages of weights, equal and exponential, against sums written out.
#include <doctest/doctest.h>

#include "optim/averaged.h"
#include "tensor/raw.h"

using namespace gradus;

namespace {

/// After taking in 1, 2, 3, 4: the average, and what the parameter has when it is back.
std::pair<double, double> average_of_four(std::optional<double> ema_decay) {
  const Tensor p = zeros({2, 3}, F64);
  AveragedWeights average({p}, ema_decay);
  for (int value = 1; value <= 4; ++value) {
    raw::fill_(p, value);
    average.update();
  }
  CHECK(average.n_averaged() == 4);
  average.swap();
  const double averaged = p.to_vector<double>()[5];
  average.swap();
  return {averaged, p.to_vector<double>()[5]};
}

}  // namespace

TEST_CASE("averaged weights: equal, or older ones ever less") {
  CHECK(average_of_four(std::nullopt).first == doctest::Approx((1 + 2 + 3 + 4) / 4.0));
  CHECK(average_of_four(0.9).first == doctest::Approx(.729 * 1 + .081 * 2 + .09 * 3 + .1 * 4));
  CHECK(average_of_four(0.0).first == 4);
  CHECK(average_of_four(1.0).first == 1);
  CHECK(average_of_four(0.9).second == 4);  // the training goes on from where it was
}

TEST_CASE("averaged weights: what they refuse") {
  const Tensor p = zeros({2});
  CHECK_THROWS_AS(AveragedWeights({p}, 1.1), ValueError);
  CHECK_THROWS_AS(AveragedWeights({p}, -0.1), ValueError);
  CHECK_THROWS_AS(AveragedWeights({Tensor()}), ValueError);
  CHECK_THROWS_AS(AveragedWeights({p}).swap(), ValueError);
}
