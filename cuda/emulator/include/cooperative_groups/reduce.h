// cooperative_groups::reduce: a butterfly of log2(size) shuffles, after which all threads of the
// tile have the result. The order of a floating-point sum may differ from a GPU's.
#pragma once
#include <cooperative_groups.h>

namespace cooperative_groups {

template <class T>
struct plus {
  T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct less {  // reduce with less gives the minimum
  T operator()(T a, T b) const { return b < a ? b : a; }
};
template <class T>
struct greater {
  T operator()(T a, T b) const { return a < b ? b : a; }
};
template <class T>
struct bit_and {
  T operator()(T a, T b) const { return a & b; }
};
template <class T>
struct bit_or {
  T operator()(T a, T b) const { return a | b; }
};
template <class T>
struct bit_xor {
  T operator()(T a, T b) const { return a ^ b; }
};

template <unsigned Size, class Parent, class T, class Op>
T reduce(const thread_block_tile<Size, Parent>& tile, T value, Op op,
         simt::Loc where = simt::Loc::current()) {
  for (unsigned distance = Size / 2; distance > 0; distance /= 2)
    value = op(value, tile.shfl_xor(value, int(distance), where));
  return value;
}

}  // namespace cooperative_groups
