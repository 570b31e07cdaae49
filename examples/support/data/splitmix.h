#pragma once
// Random numbers for generated data. SplitMix64 (Steele, Lea & Flood, 2014) has 64 bits of state,
// and gives the same numbers with every standard library. The distributions of <random> do not
// promise that.
#include <cstddef>
#include <cstdint>

namespace gradus::support {

/// SplitMix64's last step on its own: each bit of z flips about half of the bits of the result.
inline uint64_t mixed(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t next() { return mixed(state_ += 0x9E3779B97F4A7C15u); }
  /// Uniform in [0, n), for n > 0. Taking the remainder adds a bias below n / 2^64.
  size_t below(size_t n) { return static_cast<size_t>(next() % n); }
  bool percent(int p) { return below(100) < static_cast<size_t>(p); }
  /// A random element of a std::vector or std::array.
  template <class List>
  const typename List::value_type& pick(const List& list) {
    return list[below(list.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace gradus::support
