// Loads, stores, atomics, and conversions between the addresses of different spaces. PTX ISA,
// sections 9.7.9 (ld, st, cvta, isspacep) and 9.7.13 (atom, red).
#include "cuda/emulator/ptx_table.h"
#include "simt/atomics.h"

namespace simt::ptx {
namespace {

// ---- Loads and stores ---------------------------------------------------------------------------

template <class T>
void load(Machine& m, const Instruction& i) {
  const char* from = m.locate(i, i.operand[i.width], sizeof(T) * i.width, false);
  for (size_t k = 0; k < i.width; ++k) {
    T value;
    std::memcpy(&value, from + k * sizeof value, sizeof value);
    m.set(i.operand[k], value);
  }
}

template <class T>
void store(Machine& m, const Instruction& i) {
  char* to = m.locate(i, i.operand[0], sizeof(T) * i.width, true);
  for (size_t k = 0; k < i.width; ++k) {
    const T value = m.get<T>(i.operand[k + 1]);
    std::memcpy(to + k * sizeof value, &value, sizeof value);
  }
}

template <class T>
Handler load_or_store(bool loads) {
  return loads ? load<T> : store<T>;
}

Handler find_access(Instruction& i, bool loads) {
  switch (i.type) {
    case Type::S8: return load_or_store<int8_t>(loads);
    case Type::S16: return load_or_store<int16_t>(loads);
    case Type::S32: return load_or_store<int32_t>(loads);
    case Type::None:
    case Type::Pred: return nullptr;
    default: break;
  }
  switch (size_of(i.type)) {
    case 1: return load_or_store<uint8_t>(loads);
    case 2: return load_or_store<uint16_t>(loads);
    case 4: return load_or_store<uint32_t>(loads);
    default: return load_or_store<uint64_t>(loads);
  }
}

// ---- Atomics ------------------------------------------------------------------------------------

constexpr std::string_view kUpdates[] = {"add", "min", "max", "inc",  "dec",
                                         "and", "or",  "xor", "exch", "cas"};

template <class T>
T updated(uint8_t operation, T old, T b, T c) {
  if constexpr (std::is_integral_v<T>) {
    switch (operation) {
      case 3: return old >= b ? T(0) : T(old + 1);
      case 4: return old == 0 || old > b ? b : T(old - 1);
      case 5: return old & b;
      case 6: return old | b;
      case 7: return old ^ b;
      case 9: return old == b ? c : old;
      default: break;
    }
  }
  switch (operation) {
    case 0:
      if constexpr (std::is_signed_v<T> && std::is_integral_v<T>)
        return static_cast<T>(std::make_unsigned_t<T>(old) + std::make_unsigned_t<T>(b));
      else
        return static_cast<T>(old + b);
    case 1: return b < old ? b : old;
    case 2: return b > old ? b : old;
    default: return b;
  }
}

// atom.add.f32 %old, [address], %b;  red.add.f32 [address], %b;  `leading` operands come before the
// address.
template <class T>
void atomic(Machine& m, const Instruction& i) {
  const size_t at = i.leading;
  char* place = m.locate(i, i.operand[at], sizeof(T), true);
  const T b = m.get<T>(i.operand[at + 1]), c = m.get<T>(i.operand[at + 2]);
  const T old = atomic_update(reinterpret_cast<T*>(place),
                              [&](T value) { return updated(i.variant, value, b, c); });
  if (at == 1) m.set(i.operand[0], old);
}

Handler find_atomic(const Name& name, Instruction& i) {
  i.leading = name.part[0] == "atom";
  for (i.variant = 0; i.variant < std::size(kUpdates) && !name.has(kUpdates[i.variant]);)
    ++i.variant;
  const bool on_bits = i.variant >= 5;
  switch (i.variant == std::size(kUpdates) ? Type::None : i.type) {
    case Type::F32: return i.variant == 0 ? atomic<float> : nullptr;
    case Type::F64: return i.variant == 0 ? atomic<double> : nullptr;
    case Type::S32: return atomic<int32_t>;
    case Type::S64: return atomic<int64_t>;
    case Type::U32: return atomic<uint32_t>;
    case Type::U64: return atomic<uint64_t>;
    case Type::B32: return on_bits ? atomic<uint32_t> : nullptr;
    case Type::B64: return on_bits ? atomic<uint64_t> : nullptr;
    default: return nullptr;
  }
}

// ---- Addresses ----------------------------------------------------------------------------------

// Global, constant, local and parameter memory are at their host addresses in every space. Only
// shared memory has a window of its own.
void same_address(Machine& m, const Instruction& i) {
  m.set(i.operand[0], m.get<uint64_t>(i.operand[1]));
}
void from_shared(Machine& m, const Instruction& i) {
  m.set(i.operand[0], m.shared(i, m.get<uint32_t>(i.operand[1]), 0));
}
void to_shared(Machine& m, const Instruction& i) {
  uint32_t address = ~0u;
  m.in_shared(m.get<const char*>(i.operand[1]), 0, &address);
  m.set(i.operand[0], uint64_t{address});
}
void is_shared(Machine& m, const Instruction& i) {
  m.set(i.operand[0], m.in_shared(m.get<const char*>(i.operand[1]), 1));
}
void is_local(Machine& m, const Instruction& i) {
  m.set(i.operand[0], m.in_frame(m.get<const char*>(i.operand[1]), 1));
}
void is_global(Machine& m, const Instruction& i) {
  const char* pointer = m.get<const char*>(i.operand[1]);
  m.set(i.operand[0], !m.in_shared(pointer, 1) && !m.in_frame(pointer, 1));
}
void nothing(Machine&, const Instruction&) {}

// Reads from the name of an access everything but its operation. False if a part is unknown.
bool read_modifiers(const Name& name, Instruction& i) {
  constexpr std::pair<std::string_view, Space> spaces[] = {{"global", Space::Global},
                                                           {"shared", Space::Shared},
                                                           {"local", Space::Local},
                                                           {"param", Space::Param},
                                                           {"const", Space::Const}};
  // About caches, and about the order of threads that run at the same time. Here only one runs.
  constexpr std::string_view hints[] = {"nc",      "ca",      "cg",       "cs",  "lu",   "cv",
                                        "wb",      "wt",      "volatile", "cta", "weak", "relaxed",
                                        "acquire", "release", "acq_rel",  "gpu", "sys",  "cluster",
                                        "to",      "sync",    "noftz"};
  for (size_t k = 1; k < name.part.size(); ++k) {
    std::string_view p = name.part[k];
    if (const size_t colons = p.find("::"); colons != p.npos) {  // param::entry; L1::no_allocate
      if (p.starts_with("L1") || p.starts_with("L2")) continue;
      p = p.substr(0, colons);
    }
    bool known = p == "v2" || p == "v4" || p == "v8";
    if (known) i.width = static_cast<uint8_t>(p[1] - '0');
    for (const auto& [text, space] : spaces) {
      if (p != text) continue;
      i.space = space;
      known = true;
    }
    if (const Type type = type_of(p); type != Type::None) {
      i.type = type;
      known = true;
    }
    for (const std::string_view hint : hints) known |= p == hint;
    for (const std::string_view update : kUpdates)
      known |= p == update && (name.part[0] == "atom" || name.part[0] == "red");
    if (!known) return false;
  }
  return true;
}

}  // namespace

Handler find_memory(const Name& name, Instruction& i) {
  const std::string_view family = name.part[0];
  if (family != "ld" && family != "ldu" && family != "st" && family != "atom" && family != "red" &&
      family != "cvta" && family != "isspacep" && family != "prefetch" && family != "prefetchu")
    return nullptr;
  if (family.starts_with("prefetch")) return nothing;
  if (!read_modifiers(name, i)) return nullptr;
  if (family == "st") return find_access(i, false);
  if (family == "ld" || family == "ldu") return find_access(i, true);
  if (family == "atom" || family == "red") return find_atomic(name, i);
  if (family == "cvta") {
    if (i.space != Space::Shared) return same_address;
    return name.has("to") ? to_shared : from_shared;
  }
  if (i.space == Space::Shared) return is_shared;
  if (i.space == Space::Local) return is_local;
  return i.space == Space::Global ? is_global : nullptr;
}

}  // namespace simt::ptx
