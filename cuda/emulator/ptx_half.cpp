// Arithmetic on f16 and bf16, with one or two numbers in a register. PTX ISA, section 9.7.4. Sums
// and products of 16-bit numbers are exact in a double, so they are rounded only once.
#include "cuda/emulator/ptx_half.h"

#include "cuda/emulator/ptx_table.h"

namespace simt::ptx {
namespace {

// Applies F in each half of the register. F takes three numbers, and may ignore some of them.
template <int E, bool Packed, bool Saturate, auto F>
void each_half(Machine& m, const Instruction& i) {
  uint32_t result = 0;
  for (unsigned shift = 0; shift < (Packed ? 32 : 16); shift += 16) {
    const auto x = [&](size_t k) {
      return from_half<E>(static_cast<uint16_t>(m.get<uint32_t>(i.operand[k]) >> shift));
    };
    double y = F(x(1), x(2), x(3));
    if (Saturate) y = y > 0 ? std::min(y, 1.0) : 0.0;
    result |= uint32_t{to_half<E>(y)} << shift;
  }
  m.set(i.operand[0], result);
}

template <int E, bool Packed, auto F>
void add(Table& t, const std::string& name, const std::string& type) {
  for (const char* rounding : {"", ".rn"}) {
    t[name + rounding + type] = each_half<E, Packed, false, F>;
    t[name + rounding + ".sat" + type] = each_half<E, Packed, true, F>;
  }
}

template <int E, bool Packed>
void arithmetic(Table& t, const std::string& type) {
  using D = double;
  // clang-format off
  add<E, Packed, [](D a, D b, D) { return a + b; }>(t, "add", type);
  add<E, Packed, [](D a, D b, D) { return a - b; }>(t, "sub", type);
  add<E, Packed, [](D a, D b, D) { return a * b; }>(t, "mul", type);
  add<E, Packed, [](D a, D b, D c) { return std::fma(a, b, c); }>(t, "fma", type);
  add<E, Packed, [](D a, D, D) { return -a; }>(t, "neg", type);
  add<E, Packed, [](D a, D, D) { return std::fabs(a); }>(t, "abs", type);
  add<E, Packed, [](D a, D b, D) { return minimum(a, b); }>(t, "min", type);
  add<E, Packed, [](D a, D b, D) { return maximum(a, b); }>(t, "max", type);
  add<E, Packed, [](D a, D, D) { return std::exp2(a); }>(t, "ex2.approx", type);
  add<E, Packed, [](D a, D, D) { return std::tanh(a); }>(t, "tanh.approx", type);
  // clang-format on
}

// cvt.rn.f16x2.f32 d, a, b: a becomes the upper half.
template <int E>
void pack_floats(Machine& m, const Instruction& i) {
  const uint32_t high = to_half<E>(m.get<float>(i.operand[1]));
  const uint32_t low = to_half<E>(m.get<float>(i.operand[2]));
  m.set(i.operand[0], high << 16 | low);
}

}  // namespace

Handler find_half(const Name& name, Instruction&) {
  static const Table table = [] {
    Table t;
    arithmetic<5, false>(t, ".f16");
    arithmetic<5, true>(t, ".f16x2");
    arithmetic<8, false>(t, ".bf16");
    arithmetic<8, true>(t, ".bf16x2");
    t["cvt.rn.f16x2.f32"] = pack_floats<5>;
    t["cvt.rn.bf16x2.f32"] = pack_floats<8>;
    return t;
  }();
  return look_up(table, name.full);
}

}  // namespace simt::ptx
