// Does the compiler keep constants as written, with the flags of this build? GCC 12.2 (Debian 12)
// with -march=native on an AVX-512 processor does not: copied to the heap as 32 bytes, {1, 1, 1, 0}
// became {1, 1, 1, 1}. The flags -mmove-max and -mstore-max in the Makefile prevent it.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

namespace {

template <class T>
[[gnu::noinline]] T sum(const std::vector<T>& v) {
  T s = 0;
  for (const T& x : v) {
    asm volatile("" ::: "memory");  // the vector must really be there
    s += x;
  }
  return s;
}

}  // namespace

TEST_CASE("compiler: a vector from a list of constants holds those constants") {
  CHECK(sum<int64_t>({1, 1, 0, 0}) == 2);
  CHECK(sum<int64_t>({1, 1, 1, 0}) == 3);
  CHECK(sum<int64_t>({1, 1, 1, 1, 1, 1, 1, 0}) == 7);
  CHECK(sum<float>({1, 1, 1, 1, 0, 0, 0, 0}) == 4);
  CHECK(sum<double>({2, 2, 0, 0}) == 4);
}
