#pragma once
#include <cstdio>

namespace gradus::support {

/// What main should return: `status`, or 1 and a message if some of the output was lost, for
/// example because the disk is full.
inline int status_after_output(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  std::perror("error: standard output");
  return 1;
}

}  // namespace gradus::support
