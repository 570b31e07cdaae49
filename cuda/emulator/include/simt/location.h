// A place in a kernel's source. Every intrinsic that can wait or fail takes its caller's place. It
// is std::source_location, or for clang before version 16 as much of it as is needed.
#pragma once
#include <source_location>

namespace simt {

#if defined(__cpp_lib_source_location)
using Loc = std::source_location;
#else
class Loc {
 public:
  static constexpr Loc current(const char* file = __builtin_FILE(),
                               unsigned line = __builtin_LINE(),
                               unsigned column = __builtin_COLUMN()) {
    Loc here;
    here.file_ = file;
    here.line_ = line;
    here.column_ = column;
    return here;
  }
  constexpr const char* file_name() const { return file_; }
  constexpr unsigned line() const { return line_; }
  constexpr unsigned column() const { return column_; }

 private:
  const char* file_ = "";
  unsigned line_ = 0, column_ = 0;
};
#endif

}  // namespace simt
