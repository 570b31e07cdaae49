#pragma once
// An interpreter for PTX, the assembly language that nvcc generates from a kernel. With
// GRADUS_CUDA_PTX=a.ptx:b.ptx, every launch runs the PTX entry with the kernel's name instead of
// g++'s code, on the same scheduler and memory. This tests how NVIDIA's compiler understood a
// kernel, on a machine without a GPU. The steps, in order:
//
//   ptx_tokens                  text into words
//   ptx_parse*                  words into functions, which are lists of instructions
//   ptx_integer, ptx_float, ptx_half, ptx_compare, ptx_convert, ptx_memory
//                               a handler for each instruction
//   ptx_control                 handlers of branches, calls, barriers and warp collectives
//   ptx_load                    finds the entry of a kernel
//   ptx_run, ptx_address        one thread runs
//
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
Type type_of(std::string_view name);  // "s32" -> Type::S32; Type::None if it is not a type
size_t size_of(Type type);            // bytes in memory

enum class Space : uint8_t { Generic, Global, Const, Shared, Local, Param };

class Machine;
struct Instruction;
struct Function;
using Handler = void (*)(Machine&, const Instruction&);

/// Everything that an instruction can name is a register, even immediates, addresses of variables
/// and %tid.x. Their registers are filled in when the function begins. So reading an operand is one
/// load, whatever it is.
class Operand {
 public:
  Operand() = default;  // register 0 is `_`, which is never read
  explicit Operand(uint32_t reg, bool negated = false) : bits_(reg << 1 | uint32_t{negated}) {}
  uint32_t reg() const { return bits_ >> 1; }
  bool negated() const { return bits_ & 1; }  // !%p

 private:
  uint32_t bits_ = 0;
};

/// Small, because a kernel goes through its instructions again and again.
struct Instruction {
  Handler run = nullptr;
  std::array<Operand, 9> operand{};  // flattened: {%f1, %f2} are two, [%rd1+8] is one and `offset`
  Operand guard, second;             // the %p of @%p …; the %p of d|%p
  int32_t offset = 0;                // the 8 of [%rd1+8]
  uint32_t target = 0;  // of a branch: an instruction; of a call: an index into Function::calls
  uint8_t operands = 0;
  uint8_t leading = 1;  // how many operands are in the first { }
  bool guarded = false;
  Space space = Space::Generic;
  Type type = Type::None, from = Type::None;
  uint8_t width = 1;    // of a vector
  uint8_t variant = 0;  // which comparison, rounding mode or atomic operation
  uint8_t combine = 0;  // setp.lt.and: how to combine the result with a third operand
  bool saturate = false, flush = false;
};
struct Source {  // of an instruction
  int line = 0;
  std::string text;
};

struct Slice {  // a part of a frame's memory
  size_t offset = 0, bytes = 0;
};
struct Call {
  Operand callee;
  std::vector<Slice> arguments, results;  // in the caller's frame
};

/// PTX's special registers. They are filled in when a function begins.
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
  std::vector<Source> source;              // of each instruction
  std::vector<Slice> parameters, results;  // in its frame's memory
  std::vector<Call> calls;
  std::vector<std::vector<uint32_t>> tables;                 // of brx.idx: instruction numbers
  std::vector<uint64_t> registers;                           // their initial values
  std::vector<std::pair<uint32_t, size_t>> frame_addresses;  // register, offset in the frame
  std::vector<std::pair<uint32_t, Special>> specials;
  size_t frame_bytes = 0;  // parameters, results, arguments of calls, local arrays
};

/// A .shared array. The emulator finds a place for it in each block. `address` is its 32-bit
/// address in the shared window, which ld.shared uses. There are gaps between the arrays.
struct SharedArray {
  std::string name;
  uint32_t address = 0;
  SharedDeclaration declaration;
};
inline constexpr uint32_t kDynamicShared = 1u << 24;  // where dynamic shared memory begins there

/// A .global or .const array. If the C++ build has a variable of this name, this is that variable,
/// so that cudaMemcpyToSymbol reaches both. Otherwise it is `own`.
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

/// Ends the program with a message, for anything that cannot be interpreted.
[[noreturn]] void stop(const std::string& what);
std::string demangled(const std::string& name);

/// From now on, launches run the entries of these files, a.ptx:b.ptx, instead of those in
/// GRADUS_CUDA_PTX. "" means the C++ kernels.
void use(const std::string& paths);

std::unique_ptr<Module> parse(std::string_view text, const std::string& path);

/// The name of an instruction, "ld.global.v2.f32", and its parts.
struct Name {
  std::string full;
  std::vector<std::string_view> part;
  bool has(std::string_view modifier) const;
};
/// Each knows some families of instructions. Returns the handler, and sets the fields of the
/// instruction that it needs. Null for an instruction of another family or an unknown spelling.
Handler find_integer(const Name& name, Instruction& instruction);
Handler find_float(const Name& name, Instruction& instruction);
Handler find_comparison(const Name& name, Instruction& instruction);
Handler find_half(const Name& name, Instruction& instruction);
Handler find_convert(const Name& name, Instruction& instruction);
Handler find_memory(const Name& name, Instruction& instruction);
Handler find_control(const Name& name, Instruction& instruction);

/// One GPU thread while it runs a function. A call creates another Machine.
class Machine {
 public:
  explicit Machine(const Function& function, Machine* caller = nullptr);
  void run();
  const Function& function() const { return function_; }
  char* frame() { return frame_.data(); }  // parameters before run(), results after

  // Registers. A signed value is sign-extended to the register's width, any other is zero-extended.
  template <class T>
  T get(Operand operand) const;
  template <class T>
  void set(Operand operand, T value);
  bool carry = false;  // of add.cc and the like

  // Memory. Shared memory has a window of its own, and all other spaces use host addresses. An
  // access that is out of bounds or misaligned ends the grid with a report.
  /// The host address of [base + offset].
  char* locate(const Instruction& i, Operand base, size_t bytes, bool write);
  /// The host address of an address in the shared window.
  char* shared(const Instruction& i, uint32_t address, size_t bytes);
  /// Whether [pointer, pointer + bytes) is shared memory, and its address in the window.
  bool in_shared(const char* pointer, size_t bytes, uint32_t* address = nullptr) const;
  /// Whether [pointer, pointer + bytes) is in the frame of an active function: in its local arrays
  /// or parameters.
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
    bool contains(const char* pointer, size_t count) const {
      const auto distance = static_cast<size_t>(pointer - begin);  // huge if pointer < begin
      return begin && distance <= bytes && count <= bytes - distance;
    }
  };
  struct Window {  // a part of the shared window, and its host address
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
  std::vector<char*> shared_;  // in kernel_: the module's arrays that this thread has used so far
  Range last_global_;          // of the last access: a good guess for the next
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
