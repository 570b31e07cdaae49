#pragma once
// Generators of random numbers. The state is two integers, so a checkpoint that holds them resumes
// the same stream bit for bit.
#include <atomic>

#include "tensor/philox.h"
#include "tensor/tensor.h"

namespace gradus {

/// Several threads may draw from one generator at once: no position is handed out twice. Which
/// thread gets which position is chance. If bits must repeat, give each thread its own generator.
/// Do not seed a generator or set its state while another thread draws from it.
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
/// Restarts default_generator() from `seed`.
void manual_seed(uint64_t seed);

/// Uniform numbers in [low, high), and normal numbers with this mean and standard deviation. F32 or
/// F64. rand draws from [0, 1), randn with mean 0 and standard deviation 1.
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
/// For each row of `weights` (…, C), n indices, drawn in proportion to them; I64 (…, n).
/// Gumbel-top-k: the n largest of log w - log(-log u) are a draw without replacement (Kool et al.,
/// ICML 2019, section 2.2). ValueError for negative weights, or for too few positive ones.
Tensor multinomial(const Tensor& weights, int64_t n, bool replacement = false,
                   Generator& generator = default_generator());

}  // namespace gradus
