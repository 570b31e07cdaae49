// One load, store or atomic of a kernel, or of host code that was compiled like one.
#pragma once
#include <cstddef>
#include <cstdint>

namespace simt::check {

/// atomic: a read-modify-write. atomic_load: the look at the old value that precedes one.
enum class Kind : std::uint8_t { load, store, atomic, atomic_load };

struct Access {
  Kind kind;
  const char* address;
  std::size_t bytes;
  std::uint32_t pc;  ///< of the instruction behind it, relative to the executable's start
};

/// If set, is shown each access of a kernel that was judged right, before it is carried out.
extern void (*observer)(const Access& access);

/// Judges an access to anything but the running thread's stack; a finding ends the kernel
/// (simt::fail) or is reported (simt::report).
void judge(const Access& access);

}  // namespace simt::check
