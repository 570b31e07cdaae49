// cvt: conversions between any two number types. PTX ISA, section 9.7.9 (cvt). Every value passes
// through a type that represents it exactly: double for a floating-point source, 128 bits for an
// integer.
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>
#include <optional>

#include "cuda/emulator/ptx_half.h"
#include "cuda/emulator/ptx_table.h"

namespace simt::ptx {
namespace {

enum Rounding : uint8_t { Nearest, Zero, Down, Up };

bool is_float(Type t) {
  return t == Type::F16 || t == Type::BF16 || t == Type::F32 || t == Type::F64;
}

// ---- Reading and writing ------------------------------------------------------------------------

double read_float(const Machine& m, Operand a, Type type) {
  switch (type) {
    case Type::F16: return from_half<5>(m.get<uint16_t>(a));
    case Type::BF16: return from_half<8>(m.get<uint16_t>(a));
    case Type::F32: return m.get<float>(a);
    default: return m.get<double>(a);
  }
}

__int128 read_integer(const Machine& m, Operand a, Type type) {
  switch (type) {
    case Type::S8: return m.get<int8_t>(a);
    case Type::S16: return m.get<int16_t>(a);
    case Type::S32: return m.get<int32_t>(a);
    case Type::S64: return m.get<int64_t>(a);
    case Type::U8:
    case Type::B8: return m.get<uint8_t>(a);
    case Type::U16:
    case Type::B16: return m.get<uint16_t>(a);
    case Type::U32:
    case Type::B32: return m.get<uint32_t>(a);
    default: return m.get<uint64_t>(a);
  }
}

void write_integer(Machine& m, Operand d, Type type, __int128 value) {
  switch (type) {
    case Type::S8: return m.set(d, static_cast<int8_t>(value));
    case Type::S16: return m.set(d, static_cast<int16_t>(value));
    case Type::S32: return m.set(d, static_cast<int32_t>(value));
    case Type::U8:
    case Type::B8: return m.set(d, static_cast<uint8_t>(value));
    case Type::U16:
    case Type::B16: return m.set(d, static_cast<uint16_t>(value));
    case Type::U32:
    case Type::B32: return m.set(d, static_cast<uint32_t>(value));
    default: return m.set(d, static_cast<uint64_t>(value));
  }
}

// The least and the greatest number of an integer type.
std::pair<__int128, __int128> range(Type type) {
  const int bits = 8 * static_cast<int>(size_of(type));
  const bool is_signed =
      type == Type::S8 || type == Type::S16 || type == Type::S32 || type == Type::S64;
  const __int128 top = __int128{1} << (is_signed ? bits - 1 : bits);
  return {is_signed ? -top : 0, top - 1};
}

int mode_of(uint8_t rounding) {
  constexpr int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  return modes[rounding];
}

double whole_number(double x, uint8_t rounding) {
  switch (rounding) {
    case Zero: return std::trunc(x);
    case Down: return std::floor(x);
    case Up: return std::ceil(x);
    default: return std::nearbyint(x);
  }
}

// To float or double, in a rounding mode, from a source that represents the number exactly.
// `volatile` keeps the conversion between the two changes of mode.
template <class T, class From>
T narrowed(From value, uint8_t rounding) {
  if (rounding == Nearest) return static_cast<T>(value);
  volatile From exact = value;
  std::fesetround(mode_of(rounding));
  volatile T result = static_cast<T>(exact);
  std::fesetround(FE_TONEAREST);
  return result;
}

template <class From>
void write_float(Machine& m, const Instruction& i, From value) {
  const Operand d = i.operand[0];
  switch (i.type) {
    case Type::F64: return m.set(d, narrowed<double>(value, i.variant));
    case Type::F32: {
      float y = narrowed<float>(value, i.variant);
      if (i.saturate) y = y > 0 ? std::min(y, 1.0f) : 0.0f;
      if (i.flush && std::fpclassify(y) == FP_SUBNORMAL) y = std::copysign(0.0f, y);
      return m.set(d, y);
    }
    case Type::F16: return m.set(d, to_half<5>(static_cast<double>(value), mode_of(i.variant)));
    default: return m.set(d, to_half<8>(static_cast<double>(value), mode_of(i.variant)));
  }
}

// ---- The kinds of conversion --------------------------------------------------------------------

void integer_to_integer(Machine& m, const Instruction& i) {
  __int128 value = read_integer(m, i.operand[1], i.from);
  const auto [least, greatest] = range(i.type);
  if (i.saturate) value = std::clamp(value, least, greatest);
  write_integer(m, i.operand[0], i.type, value);
}

void integer_to_float(Machine& m, const Instruction& i) {
  const __int128 value = read_integer(m, i.operand[1], i.from);
  if (i.from == Type::U64)
    write_float(m, i, static_cast<uint64_t>(value));
  else
    write_float(m, i, static_cast<int64_t>(value));
}

double source(Machine& m, const Instruction& i) {
  const double x = read_float(m, i.operand[1], i.from);
  const bool subnormal = i.from == Type::F32 && std::fabs(x) < std::numeric_limits<float>::min();
  return i.flush && subnormal ? std::copysign(0.0, x) : x;
}

// A number that does not fit becomes the nearest one that does. NaN becomes 0, or if either side
// has 64 bits, the number with only the top bit set.
void float_to_integer(Machine& m, const Instruction& i) {
  const double x = whole_number(source(m, i), i.variant);
  const auto [least, greatest] = range(i.type);
  __int128 value = 0;
  if (x != x) {
    const bool wide = i.from == Type::F64 || size_of(i.type) == 8;
    value = wide ? __int128{1} << (8 * size_of(i.type) - 1) : 0;
  } else if (x <= static_cast<double>(least)) {
    value = least;
  } else if (x >= static_cast<double>(greatest)) {
    value = greatest;
  } else {
    value = static_cast<__int128>(x);
  }
  write_integer(m, i.operand[0], i.type, value);
}

void float_to_float(Machine& m, const Instruction& i) { write_float(m, i, source(m, i)); }

// cvt.rni.f32.f32: rounds to a whole number, but keeps it in floating point.
void float_to_whole_float(Machine& m, const Instruction& i) {
  write_float(m, i, whole_number(source(m, i), i.variant));
}

}  // namespace

Handler find_convert(const Name& name, Instruction& i) {
  if (name.part[0] != "cvt" || name.part.size() < 3) return nullptr;
  i.from = type_of(name.part.back());
  i.type = type_of(name.part[name.part.size() - 2]);
  if (i.from <= Type::Pred || i.type <= Type::Pred) return nullptr;
  bool whole = false;
  for (size_t k = 1; k + 2 < name.part.size(); ++k) {
    const std::string_view p = name.part[k];
    constexpr std::string_view modes = "rnrzrmrp";
    if (p == "sat") {
      i.saturate = true;
    } else if (p == "ftz") {
      i.flush = true;
    } else if (const size_t at = modes.find(p.substr(0, 2));
               at % 2 == 0 && (p.size() == 2 || (p.size() == 3 && p[2] == 'i'))) {
      i.variant = static_cast<uint8_t>(at / 2);
      whole = p.size() == 3;
    } else {
      return nullptr;
    }
  }
  if (!is_float(i.from)) return is_float(i.type) ? integer_to_float : integer_to_integer;
  if (!is_float(i.type)) return float_to_integer;
  return whole ? float_to_whole_float : float_to_float;
}

}  // namespace simt::ptx
