#pragma once
// How the arithmetic files define an instruction: its name, and a lambda that computes its result.
//   table["add.s32"] = op<[](uint32_t a, uint32_t b) { return a + b; }>;
// The signature of the lambda says how the registers are read and written.
#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>

#include "cuda/emulator/ptx.h"

namespace simt::ptx {

using Table = std::unordered_map<std::string, Handler>;

template <auto F, class R, class... A, size_t... I>
void apply(R (*)(A...), std::index_sequence<I...>, Machine& m, const Instruction& i) {
  m.set<R>(i.operand[0], F(m.get<A>(i.operand[I + 1])...));
}

template <class R, class... A>
constexpr size_t argument_count(R (*)(A...)) {
  return sizeof...(A);
}

/// The handler that calls F with operands 1, 2, … and stores the result in operand 0.
template <auto F>
void op(Machine& m, const Instruction& i) {
  apply<F>(+F, std::make_index_sequence<argument_count(+F)>(), m, i);
}

template <class T>
T flushed(T x) {  // .ftz: a subnormal number becomes zero, with the same sign
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(T(0), x) : x;
}
// If one operand is NaN, the result is the other. -0 is less than 0.
template <class T>
T minimum(T a, T b) {
  if (a != a) return b;
  return b < a || (a == b && std::signbit(b)) ? b : a;
}
template <class T>
T maximum(T a, T b) {
  if (a != a) return b;
  return b > a || (a == b && std::signbit(a)) ? b : a;
}

inline Handler look_up(const Table& table, const std::string& name) {
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace simt::ptx
