// Integer and bit instructions, and selection. PTX ISA, sections 9.7.1 (integer), 9.7.2 (extended
// precision), 9.7.7 (selection) and 9.7.8 (logic and shift).
#include <algorithm>
#include <limits>

#include "cuda/emulator/ptx_table.h"

namespace simt::ptx {
namespace {

// clang-format off
template <class T> using Unsigned = std::make_unsigned_t<T>;
template <class T> constexpr unsigned kBits = 8 * sizeof(T);

template <class T> struct TwiceAsWide;
template <> struct TwiceAsWide<int16_t> { using Type = int32_t; };
template <> struct TwiceAsWide<uint16_t> { using Type = uint32_t; };
template <> struct TwiceAsWide<int32_t> { using Type = int64_t; };
template <> struct TwiceAsWide<uint32_t> { using Type = uint64_t; };
template <> struct TwiceAsWide<int64_t> { using Type = __int128; };
template <> struct TwiceAsWide<uint64_t> { using Type = unsigned __int128; };
template <class T> using Wide = typename TwiceAsWide<T>::Type;

template <class T> T mul_lo(T a, T b) { return T(Wide<T>(a) * Wide<T>(b)); }
template <class T> T mul_hi(T a, T b) { return T((Wide<T>(a) * Wide<T>(b)) >> kBits<T>); }
template <class T> T sum(T a, T b) { return T(Unsigned<T>(a) + Unsigned<T>(b)); }
template <class T> T difference(T a, T b) { return T(Unsigned<T>(a) - Unsigned<T>(b)); }
// C++ leaves division by zero undefined, and the overflow of the least number / -1. A GPU does not.
template <class T> T quotient(T a, T b) {
  if (b == 0) return T(-1);
  return std::is_signed_v<T> && b == T(-1) ? difference<T>(0, a) : T(a / b);
}
template <class T> T remainder(T a, T b) {
  if (b == 0) return a;
  return std::is_signed_v<T> && b == T(-1) ? T(0) : T(a % b);
}
template <class T> Unsigned<T> distance(T a, T b) {
  return a < b ? Unsigned<T>(difference(b, a)) : Unsigned<T>(difference(a, b));
}
// A shift by more than the width is a shift by the width.
template <class T> T shift_left(T a, uint32_t n) {
  return n >= kBits<T> ? T(0) : T(Unsigned<T>(a) << n);
}
template <class T> T shift_right(T a, uint32_t n) {
  if (n < kBits<T>) return T(a >> n);
  return a < T(0) ? T(-1) : T(0);
}
// Bits n … n + length - 1, extended by the sign of the last of them.
template <class T> T extract(T a, uint32_t n, uint32_t length) {
  n &= 255;
  length &= 255;
  if (length == 0) return 0;
  const T low = shift_right<T>(a, n);
  if (length >= kBits<T> || n + length > kBits<T>) return low;
  return T(T(Unsigned<T>(low) << (kBits<T> - length)) >> (kBits<T> - length));
}
template <class T> T insert(T a, T b, uint32_t n, uint32_t length) {
  n &= 255;
  length &= 255;
  const T ones = length >= kBits<T> ? T(~T(0)) : T((T(1) << length) - 1);
  const T mask = shift_left<T>(ones, n);
  return T((b & ~mask) | (shift_left<T>(a, n) & mask));
}
template <class T> Unsigned<T> magnitude_bits(T a) { return Unsigned<T>(a < T(0) ? ~a : a); }
// The number of the highest 1, or for a negative number of the highest 0; ~0 if there is none.
template <class T> uint32_t highest_bit(T a) {
  const auto u = magnitude_bits(a);
  return u == 0 ? ~0u : kBits<T> - 1 - unsigned(std::countl_zero(u));
}
template <class T> uint32_t shift_to_top(T a) {
  const auto u = magnitude_bits(a);
  return u == 0 ? ~0u : uint32_t(std::countl_zero(u));
}
template <class T> T reversed(T a) {
  T r = 0;
  for (unsigned k = 0; k < kBits<T>; ++k) r = T(r | (((a >> k) & 1) << (kBits<T> - 1 - k)));
  return r;
}

template <class T>
void arithmetic(Table& t, const std::string& type) {
  t["add" + type] = op<[](T a, T b) { return sum(a, b); }>;
  t["sub" + type] = op<[](T a, T b) { return difference(a, b); }>;
  t["mul.lo" + type] = op<[](T a, T b) { return mul_lo(a, b); }>;
  t["mul.hi" + type] = op<[](T a, T b) { return mul_hi(a, b); }>;
  t["mad.lo" + type] = op<[](T a, T b, T c) { return sum(mul_lo(a, b), c); }>;
  t["mad.hi" + type] = op<[](T a, T b, T c) { return sum(mul_hi(a, b), c); }>;
  if constexpr (sizeof(T) < 8) {
    t["mul.wide" + type] = op<[](T a, T b) { return Wide<T>(Wide<T>(a) * b); }>;
    t["mad.wide" + type] = op<[](T a, T b, Wide<T> c) { return sum(Wide<T>(Wide<T>(a) * b), c); }>;
  }
  t["div" + type] = op<[](T a, T b) { return quotient(a, b); }>;
  t["rem" + type] = op<[](T a, T b) { return remainder(a, b); }>;
  t["min" + type] = op<[](T a, T b) { return std::min(a, b); }>;
  t["max" + type] = op<[](T a, T b) { return std::max(a, b); }>;
  t["sad" + type] = op<[](T a, T b, T c) { return sum(T(distance(a, b)), c); }>;
  if constexpr (std::is_signed_v<T>) {
    t["neg" + type] = op<[](T a) { return difference<T>(0, a); }>;
    t["abs" + type] = op<[](T a) { return a < 0 ? difference<T>(0, a) : a; }>;
  }
  t["shr" + type] = op<[](T a, uint32_t n) { return shift_right(a, n); }>;
  t["bfe" + type] = op<[](T a, uint32_t n, uint32_t length) { return extract(a, n, length); }>;
  t["bfind" + type] = op<[](T a) { return highest_bit(a); }>;
  t["bfind.shiftamt" + type] = op<[](T a) { return shift_to_top(a); }>;
}

template <class T>
void logic(Table& t, const std::string& type) {
  t["and" + type] = op<[](T a, T b) { return T(a & b); }>;
  t["or" + type] = op<[](T a, T b) { return T(a | b); }>;
  t["xor" + type] = op<[](T a, T b) { return T(a ^ b); }>;
  if constexpr (std::is_same_v<T, bool>) {
    t["not" + type] = op<[](bool a) { return !a; }>;
    return;
  } else {
    t["not" + type] = op<[](T a) { return T(~a); }>;
    t["cnot" + type] = op<[](T a) { return T(a == 0); }>;
    t["shl" + type] = op<[](T a, uint32_t n) { return shift_left(a, n); }>;
    t["shr" + type] = op<[](T a, uint32_t n) { return shift_right(a, n); }>;
    t["popc" + type] = op<[](T a) { return uint32_t(std::popcount(a)); }>;
    t["clz" + type] = op<[](T a) { return uint32_t(std::countl_zero(a)); }>;
    t["brev" + type] = op<[](T a) { return reversed(a); }>;
    t["bfi" + type] = op<[](T a, T b, uint32_t n, uint32_t size) { return insert(a, b, n, size); }>;
  }
}

// Each digit of the selector chooses one of the eight bytes of b:a. Bit 3 of a digit asks for eight
// copies of that byte's sign.
uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t bytes = uint64_t{b} << 32 | a;
  uint32_t result = 0;
  for (int k = 0; k < 4; ++k) {
    const uint32_t digit = selector >> (4 * k) & 15;
    uint32_t byte = uint32_t(bytes >> (8 * (digit & 7))) & 255;
    if (digit & 8) byte = byte & 128 ? 255 : 0;
    result |= byte << (8 * k);
  }
  return result;
}

// Any function of three bits, defined by its truth table.
uint32_t three_input_logic(uint32_t a, uint32_t b, uint32_t c, uint32_t table) {
  uint32_t result = 0;
  for (uint32_t k = 0; k < 8; ++k)
    if (table >> k & 1) result |= (k & 4 ? a : ~a) & (k & 2 ? b : ~b) & (k & 1 ? c : ~c);
  return result;
}

// The 64 bits of high:low, shifted by 0 to 32: their upper half (left), their lower half (right).
uint32_t funnel_left(uint32_t low, uint32_t high, uint32_t n) {
  return uint32_t((uint64_t{high} << 32 | low) << n >> 32);
}
uint32_t funnel_right(uint32_t low, uint32_t high, uint32_t n) {
  return uint32_t((uint64_t{high} << 32 | low) >> n);
}

int32_t saturated(int64_t x) { return int32_t(std::clamp<int64_t>(x, INT32_MIN, INT32_MAX)); }
int64_t lower_24(int32_t a) { return a << 8 >> 8; }

void only_32_bits(Table& t) {
  using U = uint32_t;
  using S = int32_t;
  t["prmt.b32"] = op<[](U a, U b, U selector) { return permute(a, b, selector); }>;
  t["lop3.b32"] = op<[](U a, U b, U c, U table) { return three_input_logic(a, b, c, table); }>;
  t["shf.l.wrap.b32"] = op<[](U a, U b, U n) { return funnel_left(a, b, n & 31); }>;
  t["shf.r.wrap.b32"] = op<[](U a, U b, U n) { return funnel_right(a, b, n & 31); }>;
  t["shf.l.clamp.b32"] = op<[](U a, U b, U n) { return funnel_left(a, b, std::min(n, 32u)); }>;
  t["shf.r.clamp.b32"] = op<[](U a, U b, U n) { return funnel_right(a, b, std::min(n, 32u)); }>;
  t["mul24.lo.s32"] = op<[](S a, S b) { return S(lower_24(a) * lower_24(b)); }>;
  t["mul24.lo.u32"] = op<[](U a, U b) { return (a & 0xFFFFFF) * (b & 0xFFFFFF); }>;
  t["add.sat.s32"] = op<[](S a, S b) { return saturated(int64_t{a} + b); }>;
  t["sub.sat.s32"] = op<[](S a, S b) { return saturated(int64_t{a} - b); }>;
}
// clang-format on

// Additions of numbers of many words: the carry goes from one instruction to the next. F computes
// the exact result of (a, b, c, carry in). The bit above T is the carry out.
template <class T, bool In, bool Out, auto F>
void carry(Machine& m, const Instruction& i) {
  using W = unsigned __int128;
  const W exact =
      F(m.get<T>(i.operand[1]), m.get<T>(i.operand[2]), m.get<T>(i.operand[3]), W(In && m.carry));
  m.set<T>(i.operand[0], static_cast<T>(exact));
  if (Out) m.carry = (exact >> kBits<T> & 1) != 0;
}

template <class T>
void extended(Table& t, const std::string& type) {
  using W = unsigned __int128;
  constexpr auto add = [](T a, T b, T, W in) { return W(a) + b + in; };
  constexpr auto sub = [](T a, T b, T, W in) { return W(a) - b - in; };  // the carry is a borrow
  constexpr auto low = [](T a, T b, T c, W in) { return W(T(W(a) * b)) + c + in; };
  constexpr auto high = [](T a, T b, T c, W in) { return W(T((W(a) * b) >> kBits<T>)) + c + in; };
  t["add.cc" + type] = carry<T, false, true, add>;
  t["addc" + type] = carry<T, true, false, add>;
  t["addc.cc" + type] = carry<T, true, true, add>;
  t["sub.cc" + type] = carry<T, false, true, sub>;
  t["subc" + type] = carry<T, true, false, sub>;
  t["subc.cc" + type] = carry<T, true, true, sub>;
  t["mad.lo.cc" + type] = carry<T, false, true, low>;
  t["madc.lo" + type] = carry<T, true, false, low>;
  t["madc.lo.cc" + type] = carry<T, true, true, low>;
  t["mad.hi.cc" + type] = carry<T, false, true, high>;
  t["madc.hi" + type] = carry<T, true, false, high>;
  t["madc.hi.cc" + type] = carry<T, true, true, high>;
}

template <class T>
void choice(Table& t, const std::string& type) {
  t["selp" + type] = op<[](T a, T b, bool p) { return p ? a : b; }>;
  t["mov" + type] = op<[](T a) { return a; }>;
}

// mov.b64 %rd1, {%r1, %r2};  mov.b64 {%r1, %r2}, %rd1;  the first in the list is the lowest part.
void pack(Machine& m, const Instruction& i) {
  const unsigned parts = i.operands - 1u, bits = 8 * unsigned(size_of(i.type)) / parts;
  uint64_t value = 0;
  for (unsigned k = 0; k < parts; ++k)
    value |= extract<uint64_t>(m.get<uint64_t>(i.operand[k + 1]), 0, bits) << (k * bits);
  m.set(i.operand[0], value);
}
void unpack(Machine& m, const Instruction& i) {
  const unsigned parts = i.leading, bits = 8 * unsigned(size_of(i.type)) / parts;
  const auto value = m.get<uint64_t>(i.operand[parts]);
  for (unsigned k = 0; k < parts; ++k)
    m.set(i.operand[k], extract<uint64_t>(value, k * bits, bits));
}

Table make_table() {
  Table t;
  arithmetic<int16_t>(t, ".s16");
  arithmetic<uint16_t>(t, ".u16");
  arithmetic<int32_t>(t, ".s32");
  arithmetic<uint32_t>(t, ".u32");
  arithmetic<int64_t>(t, ".s64");
  arithmetic<uint64_t>(t, ".u64");
  logic<bool>(t, ".pred");
  logic<uint16_t>(t, ".b16");
  logic<uint32_t>(t, ".b32");
  logic<uint64_t>(t, ".b64");
  only_32_bits(t);
  for (const char* type : {".u32", ".s32"}) extended<uint32_t>(t, type);
  for (const char* type : {".u64", ".s64"}) extended<uint64_t>(t, type);
  t["mov.pred"] = op<[](bool a) { return a; }>;
  for (const char* type : {".b16", ".u16", ".s16"}) choice<uint16_t>(t, type);
  for (const char* type : {".b32", ".u32", ".s32", ".f32"}) choice<uint32_t>(t, type);
  for (const char* type : {".b64", ".u64", ".s64", ".f64"}) choice<uint64_t>(t, type);
  return t;
}

}  // namespace

Handler find_integer(const Name& name, Instruction& i) {
  static const Table table = make_table();
  if (name.part[0] == "mov" && name.part.size() == 2 && i.operands > 2) {
    i.type = type_of(name.part[1]);
    return i.leading > 1 ? unpack : pack;
  }
  return look_up(table, name.full);
}

}  // namespace simt::ptx
