#pragma once
// Random numbers that are a function of (seed, position), not of what was drawn before: element i
// of a tensor gets the same number on every device and for every number of threads. Philox4x32-10:
// Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), section 3.3.
#include <cmath>

#include "tensor/view.h"

namespace gradus {

/// Where in the stream a call draws from. A generator hands these out, each further along.
struct PhiloxKey {
  uint64_t seed = 0;
  uint64_t offset = 0;
};

struct PhiloxBlock {
  uint32_t word[4];
};

/// Four independent 32-bit words for position `index` after key.offset.
GRADUS_HD PhiloxBlock philox(PhiloxKey key, uint64_t index) {
  const uint64_t counter = key.offset + index;
  uint32_t c[4] = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0};
  uint32_t k[2] = {static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c[0], p1 = uint64_t{0xCD9E8D57u} * c[2];
    const uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0];
    const uint32_t n2 = static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1];
    c[1] = static_cast<uint32_t>(p1);
    c[3] = static_cast<uint32_t>(p0);
    c[0] = n0;
    c[2] = n2;
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return {{c[0], c[1], c[2], c[3]}};
}

/// A number in [0, 1) from the top bits of two words: 24 bits for float, 53 for double.
template <class T>
GRADUS_HD T unit_interval(uint32_t high, uint32_t low) {
  if constexpr (sizeof(T) == 4)
    return static_cast<T>(high >> 8) * T(1.0 / 16777216.0);
  else
    return static_cast<T>(((uint64_t{high} << 32) | low) >> 11) * T(1.0 / 9007199254740992.0);
}

// How blocks become the elements of a tensor. Block i makes elements i n, …, i n + n - 1, where
// n is how many numbers of type T fit into its 16 bytes. Normal numbers 2 i and 2 i + 1 are made
// from uniform numbers 2 i and 2 i + 1. Dropout uses n = 4 for every T, so that F32 and F64 drop
// the same elements.

template <class T>
inline constexpr int kPhiloxNumbers = 16 / sizeof(T);

/// Uniform number i in [0, 1) from consecutive words, of one block or of many.
template <class T>
GRADUS_HD T uniform_number(const uint32_t* words, int64_t i) {
  if constexpr (sizeof(T) == 4)
    return unit_interval<T>(words[i], 0);
  else
    return unit_interval<T>(words[2 * i], words[2 * i + 1]);
}

/// Stretches u from [0, 1) to [low, high). Rounding may reach high, which is outside the interval.
template <class T>
GRADUS_HD T uniform_between(T u, T low, T high) {
  const T x = low + (high - low) * u;
  return x < high ? x : low;
}

/// Two independent standard normal numbers from two uniform ones in [0, 1): the polar angle of a
/// pair is uniform and half its squared radius exponential. 1 - u keeps ln away from 0.
/// Box & Muller, "A Note on the Generation of Random Normal Deviates" (1958).
template <class T>
struct NormalPair {
  T first, second;
};
template <class T>
GRADUS_HD NormalPair<T> box_muller(T u, T v) {
  const T radius = std::sqrt(T(-2) * std::log(T(1) - u));
  const T angle = T(6.283185307179586477) * v;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

/// Does dropout with probability p keep the element of this word?
GRADUS_HD bool dropout_keeps(uint32_t word, float p) { return unit_interval<float>(word, 0) >= p; }

}  // namespace gradus
