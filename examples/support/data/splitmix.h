#pragma once
// Random numbers for data that is generated on the host. SplitMix64 (Steele, Lea, Flood 2014): 64 bits
// of state, and the same numbers with every standard library, which the distributions of <random> do
// not promise.
#include <cstddef>
#include <cstdint>

namespace gradus::support {

/// SplitMix64's last step by itself: every bit of z moves about half of the bits of the result.
inline uint64_t mixed(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t next() { return mixed(state_ += 0x9E3779B97F4A7C15u); }
  /// Uniform in [0, n); n > 0. The bias of the remainder is below n / 2^64.
  size_t below(size_t n) { return static_cast<size_t>(next() % n); }
  bool percent(int p) { return below(100) < static_cast<size_t>(p); }
  /// One of a list: std::vector, std::array.
  template <class List>
  const typename List::value_type& pick(const List& list) {
    return list[below(list.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace gradus::support
