// One load, store or atomic of a kernel, or of host code that is compiled in the same way.
#pragma once
#include <cstddef>
#include <cstdint>

namespace simt::check {

/// atomic: a read-modify-write. atomic_load: the load of the old value that comes before one.
enum class Kind : std::uint8_t { load, store, atomic, atomic_load };

struct Access {
  Kind kind;
  const char* address;
  std::size_t bytes;
  std::uint32_t pc;  ///< of the next instruction, relative to the start of the executable
};

/// If set, is called for each access of a kernel that is correct, before it is carried out.
extern void (*observer)(const Access& access);

/// Judges an access to anything but the running thread's stack. A finding ends the kernel
/// (simt::fail) or, outside a kernel, is reported (simt::report).
void judge(const Access& access);

}  // namespace simt::check
