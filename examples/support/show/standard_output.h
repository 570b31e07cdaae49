#pragma once
#include <cstdio>

namespace gradus::support {

/// What main returns: `status`, or 1 with a message if not all that was printed has arrived, as on a full disk.
inline int status_after_output(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  std::perror("error: standard output");
  return 1;
}

}  // namespace gradus::support
