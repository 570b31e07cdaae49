// One GPU thread runs a function: its registers, memory and calls.
#include <ctime>

#include "cuda/emulator/check.h"
#include "cuda/emulator/ptx.h"
#include "simt/sync.h"

namespace simt::ptx {
namespace {

uint64_t value_of(Special special) {
  const unsigned lane = lane_id();
  switch (special) {
    case Special::TidX: return threadIdx.x;
    case Special::TidY: return threadIdx.y;
    case Special::TidZ: return threadIdx.z;
    case Special::NtidX: return blockDim.x;
    case Special::NtidY: return blockDim.y;
    case Special::NtidZ: return blockDim.z;
    case Special::CtaidX: return blockIdx.x;
    case Special::CtaidY: return blockIdx.y;
    case Special::CtaidZ: return blockIdx.z;
    case Special::NctaidX: return gridDim.x;
    case Special::NctaidY: return gridDim.y;
    case Special::NctaidZ: return gridDim.z;
    case Special::LaneId: return lane;
    case Special::WarpId:
      return ((threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x) / 32;
    case Special::Clock: return static_cast<uint64_t>(std::clock());
    case Special::LanemaskEq: return 1u << lane;
    case Special::LanemaskLe: return ~0u >> (31 - lane);
    case Special::LanemaskLt: return (1u << lane) - 1;
    case Special::LanemaskGe: return ~0u << lane;
    case Special::LanemaskGt: return ~0u << lane << 1;
  }
  return 0;
}

}  // namespace

// The initial contents of a frame are undefined. So all bits are set, which is NaN, and -1.
Machine::Machine(const Function& function, Machine* caller)
    : function_(function),
      caller_(caller),
      kernel_(caller ? caller->kernel_ : *this),
      registers_(function.registers),
      frame_(function.frame_bytes, '\xff') {
  for (const auto& [reg, offset] : function.frame_addresses)
    registers_[reg] = reinterpret_cast<uintptr_t>(frame_.data() + offset);
  for (const auto& [reg, special] : function.specials) registers_[reg] = value_of(special);
}

void Machine::run() {
  const std::vector<Instruction>& code = function_.code;
  while (next_ < code.size()) {
    const Instruction& i = code[next_++];
    if (!i.guarded || get<bool>(i.guard)) i.run(*this, i);
  }
}

void Machine::end_thread() {
  for (Machine* m = this; m; m = m->caller_) m->leave();
}

void Machine::fault(const Instruction& i, const std::string& what) const {
  const Source& source = function_.source[static_cast<size_t>(&i - function_.code.data())];
  fail(what + " (" + function_.module->path + ":" + std::to_string(source.line) + ": " +
       source.text + ")");
}

// ---- Calls --------------------------------------------------------------------------------------

void Machine::call(const Instruction& i) {
  const Call& c = function_.calls[i.target];
  const auto& callee = *get<const Function*>(c.callee);
  if (callee.name == "__assertfail") assertion_failed(i, c);
  if (!callee.defined)
    fault(i, "calls " + demangled(callee.name) + ", which the PTX does not define");
  if (c.arguments.size() != callee.parameters.size() || c.results.size() != callee.results.size())
    fault(i, "calls " + demangled(callee.name) + " with the wrong parameters");
  Machine machine(callee, this);
  for (size_t k = 0; k < c.arguments.size(); ++k)
    std::memcpy(machine.frame_.data() + callee.parameters[k].offset,
                frame_.data() + c.arguments[k].offset, callee.parameters[k].bytes);
  machine.run();
  for (size_t k = 0; k < c.results.size(); ++k)
    std::memcpy(frame_.data() + c.results[k].offset,
                machine.frame_.data() + callee.results[k].offset, callee.results[k].bytes);
}

// assert() calls __assertfail(condition, file, line, function, sizeof(char)).
void Machine::assertion_failed(const Instruction& i, const Call& call) const {
  const auto argument = [&](size_t k) {
    uint64_t value = 0;
    std::memcpy(&value, frame_.data() + call.arguments[k].offset, call.arguments[k].bytes);
    return value;
  };
  const auto text = [&](size_t k) { return std::string(reinterpret_cast<char*>(argument(k))); };
  fault(i, text(1) + ":" + std::to_string(argument(2)) + ": assertion `" + text(0) + "` fails");
}

}  // namespace simt::ptx
