#pragma once
// An interpreter for PTX, the assembly language that nvcc makes of a kernel. With
// GRADUS_CUDA_PTX=a.ptx:b.ptx every launch runs the PTX entry of the kernel's name instead of what
// g++ made of the same source, on the same scheduler and memory: what NVIDIA's compiler understood
// of a kernel is tested on a machine without a GPU. The way of a file:
//   ptx_tokens    text into words                        ptx_control   branches, calls, barriers,
//   ptx_parse     words into functions of instructions                 warp collectives
//   ptx_integer, ptx_float, ptx_half, ptx_compare,       ptx_run, ptx_address   one thread's run
//   ptx_convert, ptx_memory  a handler for each          ptx_load      from the kernel to its entry
// Source: NVIDIA, "Parallel Thread Execution ISA".
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "simt/launch.h"

namespace simt::ptx {

enum class Type : uint8_t {
  // clang-format off
  None, Pred, B8, U8, S8, B16, U16, S16, F16, BF16, B32, U32, S32, F32, B64, U64, S64, F64
  // clang-format on
};
Type type_of(std::string_view name);  // "s32" -> Type::S32; Type::None if it is no type
size_t size_of(Type type);            // bytes in memory

enum class Space : uint8_t { Generic, Global, Const, Shared, Local, Param };

class Machine;
struct Instruction;
struct Function;
using Handler = void (*)(Machine&, const Instruction&);

/// Everything that an instruction can name is a register: immediates, addresses of variables and
/// %tid.x are registers too, which are filled in when the function begins. So reading an operand is
/// one load, whatever it is.
class Operand {
 public:
  Operand() = default;  // register 0 is `_`, which nobody reads
  explicit Operand(uint32_t reg, bool negated = false) : bits_(reg << 1 | uint32_t{negated}) {}
  uint32_t reg() const { return bits_ >> 1; }
  bool negated() const { return bits_ & 1; }  // !%p

 private:
  uint32_t bits_ = 0;
};

/// Small, because a run of a kernel walks over them again and again.
struct Instruction {
  Handler run = nullptr;
  std::array<Operand, 9> operand{};  // flattened: {%f1, %f2} counts two, [%rd1+8] one and `offset`
  Operand guard, second;             // @%p …; the %p of d|%p
  int32_t offset = 0;                // the 8 of [%rd1+8]
  uint32_t target = 0;  // of a branch: instruction; of a call: which in Function::calls
  uint8_t operands = 0;
  uint8_t leading = 1;  // how many of them stand in the first { }
  bool guarded = false;
  Space space = Space::Generic;
  Type type = Type::None, from = Type::None;
  uint8_t width = 1;    // of a vector
  uint8_t how = 0;      // which of a family: a comparison, a rounding, an atomic operation …
  uint8_t combine = 0;  // setp.lt.and: what is done with a third operand
  bool saturate = false, flush = false;
};
struct Source {  // of an instruction
  int line = 0;
  std::string text;
};

struct Slice {  // of a frame's memory
  size_t offset = 0, bytes = 0;
};
struct Call {
  Operand callee;
  std::vector<Slice> arguments, results;  // in the caller's frame
};

/// What the registers that are no registers hold when a function begins.
enum class Special : uint8_t {
  // clang-format off
  TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ,
  LaneId, WarpId, Clock, LanemaskEq, LanemaskLe, LanemaskLt, LanemaskGe, LanemaskGt
  // clang-format on
};

struct Module;

struct Function {
  std::string name;
  const Module* module = nullptr;
  bool entry = false, defined = false;
  std::vector<Instruction> code;
  std::vector<Source> source;              // of each
  std::vector<Slice> parameters, results;  // in its frame's memory
  std::vector<Call> calls;
  std::vector<std::vector<uint32_t>> tables;                 // of brx.idx: instruction numbers
  std::vector<uint64_t> registers;                           // as they are at the beginning
  std::vector<std::pair<uint32_t, size_t>> frame_addresses;  // register, offset in the frame
  std::vector<std::pair<uint32_t, Special>> specials;
  size_t frame_bytes = 0;  // parameters, results, arguments of calls, local arrays
};

/// A .shared array, which the emulator places for each block. `address` is in the window of 32-bit
/// addresses in which ld.shared works; between two arrays there are addresses of nobody.
struct SharedArray {
  std::string name;
  uint32_t address = 0;
  SharedSite site;
};
inline constexpr uint32_t kDynamicShared = 1u << 24;  // where dynamic shared memory begins there

/// A .global or .const array: the variable that the C++ build has of this name, so that
/// cudaMemcpyToSymbol reaches both, or `own`.
struct GlobalArray {
  std::string name;
  size_t bytes = 0;
  char* address = nullptr;
  std::unique_ptr<char[]> own;
};

struct Module {
  std::string path;
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions;
  std::deque<SharedArray> shared;
  std::deque<GlobalArray> globals;
};

/// Ends the program with a message: for what cannot be interpreted.
[[noreturn]] void stop(const std::string& what);
std::string demangled(const std::string& name);

/// From now on launches run the entries of these files, a.ptx:b.ptx, instead of those that
/// GRADUS_CUDA_PTX names; "" for the C++ kernels.
void use(const std::string& paths);

std::unique_ptr<Module> parse(std::string_view text, const std::string& path);

/// The name of an instruction, "ld.global.v2.f32", in its parts.
struct Name {
  std::string full;
  std::vector<std::string_view> part;
  bool has(std::string_view modifier) const;
};
/// Each knows some families of instructions: the handler, with what it needs set in the
/// instruction; null for an instruction of another family or a spelling that it does not know.
Handler find_integer(const Name& name, Instruction& instruction);
Handler find_float(const Name& name, Instruction& instruction);
Handler find_comparison(const Name& name, Instruction& instruction);
Handler find_half(const Name& name, Instruction& instruction);
Handler find_convert(const Name& name, Instruction& instruction);
Handler find_memory(const Name& name, Instruction& instruction);
Handler find_control(const Name& name, Instruction& instruction);

/// One GPU thread while it runs a function; a call makes another one.
class Machine {
 public:
  explicit Machine(const Function& function, Machine* caller = nullptr);
  void run();
  const Function& function() const { return function_; }
  char* frame() { return frame_.data(); }  // parameters before run(), results after

  // Registers. A signed value is extended to the register's width, any other is followed by zeros.
  template <class T>
  T get(Operand operand) const;
  template <class T>
  void set(Operand operand, T value);
  bool carry = false;  // of add.cc and its like

  // Memory. All spaces have host addresses but shared memory, which has a window of its own. What is
  // out of bounds or misaligned ends the grid with a report.
  /// The place of [base + offset].
  char* locate(const Instruction& i, Operand base, size_t bytes, bool write);
  /// The place of an address of the shared window.
  char* shared(const Instruction& i, uint32_t address, size_t bytes);
  /// Whether [pointer, pointer + bytes) is shared memory, and its address in the window.
  bool in_shared(const char* pointer, size_t bytes, uint32_t* address = nullptr) const;
  /// … or belongs to a function that runs: local arrays and parameters.
  bool in_frame(const char* pointer, size_t bytes) const;

  // Control.
  void jump(uint32_t target) { next_ = target; }
  void leave() { next_ = static_cast<uint32_t>(function_.code.size()); }
  void end_thread();
  void call(const Instruction& i);
  [[noreturn]] void fault(const Instruction& i, const std::string& what) const;

 private:
  struct Range {
    const char* begin = nullptr;
    size_t bytes = 0;
    bool holds(const char* pointer, size_t count) const {
      const auto distance = static_cast<size_t>(pointer - begin);  // huge if pointer < begin
      return begin && distance <= bytes && count <= bytes - distance;
    }
  };
  struct Window {  // a piece of the shared window, and where it is
    uint32_t address = 0, bytes = 0;
    char* place = nullptr;
  };
  bool in_global(const char* pointer, size_t bytes);
  Window shared_array(size_t which);
  [[noreturn]] void bad_address(const Instruction& i, const char* pointer, const char* place,
                                size_t bytes, bool write) const;
  void assertion_failed(const Instruction& i, const Call& call) const;

  const Function& function_;
  Machine* const caller_;
  Machine& kernel_;  // the first caller
  std::vector<uint64_t> registers_;
  std::vector<char> frame_;
  std::vector<char*> shared_;  // in kernel_: the module's arrays, as far as this thread used them
  Range last_global_;          // where the last access was, which is a good guess for the next
  Window last_shared_;
  uint32_t next_ = 0;
};

template <class T>
T Machine::get(Operand operand) const {
  if constexpr (std::is_same_v<T, bool>) {
    return ((registers_[operand.reg()] & 1) != 0) != operand.negated();
  } else {
    T value;
    std::memcpy(&value, &registers_[operand.reg()], sizeof value);
    return value;
  }
}

template <class T>
void Machine::set(Operand operand, T value) {
  uint64_t bits = 0;
  if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    bits = static_cast<uint64_t>(static_cast<int64_t>(value));
  else
    std::memcpy(&bits, &value, sizeof value);
  registers_[operand.reg()] = bits;
}

}  // namespace simt::ptx
