// Comparisons: setp, which sets a predicate, and set, which sets a number. PTX ISA, section 9.7.7.
#include "cuda/emulator/ptx_half.h"
#include "cuda/emulator/ptx_table.h"

namespace simt::ptx {
namespace {

// The second seven are true if an operand is NaN. lo, ls, hi, hs are lt, le, gt, ge for unsigned
// numbers.
constexpr std::string_view kRelations[] = {
    // clang-format off
    "eq", "ne", "lt", "le", "gt", "ge", "num", "equ", "neu", "ltu", "leu", "gtu", "geu", "nan",
    "lo", "ls", "hi", "hs"};
// clang-format on
constexpr uint8_t kUnordered = 7, kUnsignedNames = 14;
constexpr std::string_view kCombine[] = {"", "and", "or", "xor"};

template <class T>
bool is_true(uint8_t relation, T a, T b) {
  if (a != a || b != b) return relation >= kUnordered;
  switch (relation % kUnordered) {
    // clang-format off
    case 0: return a == b;
    case 1: return a != b;
    case 2: return a < b;
    case 3: return a <= b;
    case 4: return a > b;
    case 5: return a >= b;
    default: return relation < kUnordered;  // num is true and nan is false: neither is NaN here
  }
  // clang-format on
}

template <class T>
T read(const Machine& m, Operand operand) {
  return m.get<T>(operand);
}
template <int E>
double read_half(const Machine& m, Operand operand) {
  return from_half<E>(m.get<uint16_t>(operand));
}

// relation(a, b), or its negation, combined with a third operand if there is one
template <class T, auto Read>
bool compared(Machine& m, const Instruction& i, bool negate) {
  T a = Read(m, i.operand[1]), b = Read(m, i.operand[2]);
  if constexpr (std::is_same_v<T, float>)
    if (i.flush) {
      a = flushed(a);
      b = flushed(b);
    }
  const bool p = is_true(i.variant, a, b) != negate;
  switch (i.combine) {
    case 0: return p;
    case 1: return p && m.get<bool>(i.operand[3]);
    case 2: return p || m.get<bool>(i.operand[3]);
    default: return p != m.get<bool>(i.operand[3]);
  }
}

// setp.lt.and.f32 p|q, a, b, c:  p = (a < b) and c,  q = not (a < b) and c
template <class T, auto Read>
void set_predicate(Machine& m, const Instruction& i) {
  const bool q = i.second.reg() && compared<T, Read>(m, i, true);
  m.set(i.operand[0], compared<T, Read>(m, i, false));
  if (i.second.reg()) m.set(i.second, q);
}

// set.lt.f32.f32 d, a, b:  d = a < b ? 1 : 0;  an integer d gets all bits for true
template <class T, auto Read>
void set_number(Machine& m, const Instruction& i) {
  if (!compared<T, Read>(m, i, false)) return m.set(i.operand[0], uint32_t{0});
  switch (i.type) {
    case Type::F32: return m.set(i.operand[0], 1.0f);
    case Type::F16: return m.set(i.operand[0], to_half<5>(1));
    case Type::BF16: return m.set(i.operand[0], to_half<8>(1));
    default: return m.set(i.operand[0], ~uint32_t{0});
  }
}

template <class T, auto Read = read<T>>
Handler comparison(bool to_predicate) {
  return to_predicate ? set_predicate<T, Read> : set_number<T, Read>;
}

}  // namespace

Handler find_comparison(const Name& name, Instruction& i) {
  if (name.part[0] != "setp" && name.part[0] != "set") return nullptr;
  const bool to_predicate = name.part[0] == "setp";
  const size_t types = to_predicate ? 1 : 2;
  if (name.part.size() < types + 2) return nullptr;
  size_t at = 1, relation = 0;
  while (relation < std::size(kRelations) && kRelations[relation] != name.part[at]) ++relation;
  if (relation == std::size(kRelations)) return nullptr;
  if (relation >= kUnsignedNames) relation = relation - kUnsignedNames + 2;
  i.variant = static_cast<uint8_t>(relation);
  for (++at; at + types < name.part.size(); ++at) {
    if (name.part[at] == "ftz") {
      i.flush = true;
      continue;
    }
    while (i.combine < 4 && kCombine[i.combine] != name.part[at]) ++i.combine;
    if (i.combine == 4) return nullptr;
  }
  i.type = type_of(name.part[at]);
  if (!to_predicate && i.type != Type::F32 && i.type != Type::F16 && i.type != Type::BF16 &&
      i.type != Type::U32 && i.type != Type::S32)
    return nullptr;
  switch (type_of(name.part.back())) {
    // clang-format off
    case Type::F16: return comparison<double, read_half<5>>(to_predicate);
    case Type::BF16: return comparison<double, read_half<8>>(to_predicate);
    case Type::F32: return comparison<float>(to_predicate);
    case Type::F64: return comparison<double>(to_predicate);
    case Type::S16: return comparison<int16_t>(to_predicate);
    case Type::S32: return comparison<int32_t>(to_predicate);
    case Type::S64: return comparison<int64_t>(to_predicate);
    case Type::B16: case Type::U16: return comparison<uint16_t>(to_predicate);
    case Type::B32: case Type::U32: return comparison<uint32_t>(to_predicate);
    case Type::B64: case Type::U64: return comparison<uint64_t>(to_predicate);
    default: return nullptr;
  }
  // clang-format on
}

}  // namespace simt::ptx
