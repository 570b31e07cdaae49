#include "examples/support/data/gzip.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "tensor/error.h"

namespace gradus::support {

std::string read_unpacked(const std::filesystem::path& path, int64_t limit) {
  errno = 0;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  check<IoError>(file != nullptr, "read_unpacked: cannot open '{}': {}", path.string(),
                 std::strerror(errno));
  std::string bytes;
  char buffer[1 << 16];
  while (true) {
    const int n = gzread(file.get(), buffer, sizeof buffer);
    int code = Z_OK;
    const char* reason = gzerror(file.get(), &code);
    // At the end of a truncated gzip file gzread returns what there was, and only the code tells.
    if (n < 0 || code != Z_OK) {
      if (code == Z_ERRNO) reason = std::strerror(errno);
      throw IoError(fmt::format("read_unpacked: '{}' is damaged or unreadable after {} bytes: {}",
                                path.string(), bytes.size(), reason));
    }
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(n));
    check<IoError>(static_cast<int64_t>(bytes.size()) <= limit,
                   "read_unpacked: '{}' holds more than {} bytes, the most that is read here",
                   path.string(), limit);
  }
}

}  // namespace gradus::support
