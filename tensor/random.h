#pragma once
// Generators of random numbers. The state is two integers, so a checkpoint that holds them resumes
// the same stream bit for bit.
#include <atomic>

#include "tensor/philox.h"
#include "tensor/tensor.h"

namespace gradus {

/// Threads may draw from one generator at once: no position is given out twice. Which of them gets which is
/// chance, so where bits must repeat, each thread has a generator of its own. Seeding it or setting its
/// state while others draw is not allowed for.
class Generator {
 public:
  explicit Generator(uint64_t seed = 0) : seed_(seed) {}
  Generator(const Generator& other) { set_state(other.state()); }
  Generator& operator=(const Generator& other) {
    set_state(other.state());
    return *this;
  }
  /// Reserves n positions of the stream for one call.
  PhiloxKey next(int64_t n) { return {seed_, offset_.fetch_add(static_cast<uint64_t>(n))}; }
  PhiloxKey state() const { return {seed_, offset_.load()}; }
  void set_state(PhiloxKey key) {
    seed_ = key.seed;
    offset_ = key.offset;
  }

 private:
  uint64_t seed_;
  std::atomic<uint64_t> offset_{0};
};

/// The generator that every random function uses unless given another.
Generator& default_generator();
/// Starts default_generator() anew from `seed`.
void manual_seed(uint64_t seed);

/// Uniform in [low, high); normal with mean and standard deviation. Any shape, F32 or F64.
Tensor uniform(const Shape& shape, double low, double high, Options options = {},
               Generator& generator = default_generator());
Tensor rand(const Shape& shape, Options options = {}, Generator& generator = default_generator());
Tensor normal(const Shape& shape, double mean, double std, Options options = {},
              Generator& generator = default_generator());
Tensor randn(const Shape& shape, Options options = {}, Generator& generator = default_generator());
/// Integers in [low, high), I64. ValueError if the range is empty.
Tensor randint(int64_t low, int64_t high, const Shape& shape,
               Generator& generator = default_generator());
/// 0 … n-1 in random order, I64.
Tensor randperm(int64_t n, Generator& generator = default_generator());
/// 1 with probability p (elementwise), else 0; p's dtype. ValueError outside [0, 1].
Tensor bernoulli(const Tensor& p, Generator& generator = default_generator());
/// n indices per row of `weights` (..., C), drawn in proportion to them; I64 (..., n).
/// Gumbel-top-k: the n largest of log w - log(-log u) are a draw without replacement (Kool et al.,
/// ICML 2019, section 2.2). ValueError for negative weights, or too few positive ones.
Tensor multinomial(const Tensor& weights, int64_t n, bool replacement = false,
                   Generator& generator = default_generator());

}  // namespace gradus
