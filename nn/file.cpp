#include "nn/file.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "nn/atomic_file.h"
#include "tensor/error.h"

namespace gradus {
std::string read_file(const std::filesystem::path& path, int64_t limit) {
  errno = 0;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  check<IoError>(file != nullptr, "read_file: cannot open '{}': {}", path.string(),
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
      throw IoError(fmt::format("read_file: '{}' is damaged or unreadable after {} bytes: {}",
                                path.string(), bytes.size(), reason));
    }
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(n));
    check<IoError>(static_cast<int64_t>(bytes.size()) <= limit,
                   "read_file: '{}' holds more than {} bytes, which is too large here",
                   path.string(), limit);
  }
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path folder = path.parent_path();
  if (std::error_code error; !folder.empty()) {
    std::filesystem::create_directories(folder, error);
    check<IoError>(!error, "write_file: cannot make the folder '{}': {}", folder.string(),
                   error.message());
  }
  AtomicFile file(path.string());
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace gradus
