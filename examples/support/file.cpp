#include "examples/support/file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "tensor/error.h"

namespace gradus::support {
namespace {

/// A file descriptor that closes itself.
struct Descriptor {
  int value;
  explicit Descriptor(int fd) : value(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

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
  const std::string temporary = fmt::format("{}.{}.tmp", path.string(), getpid());
  const auto give_up = [&](const char* step) {
    const int reason = errno;
    unlink(temporary.c_str());
    throw IoError(
        fmt::format("write_file: cannot {} '{}': {}", step, path.string(), std::strerror(reason)));
  };
  {
    const Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.value < 0) give_up("create");
    if (!write_all(file.value, bytes)) give_up("write");
    if (fsync(file.value) != 0) give_up("sync");
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) give_up("rename to");
  // The new name is on the disk only when the folder is; not every file system can sync a folder.
  const Descriptor parent(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (parent.value >= 0) fsync(parent.value);
}

}  // namespace gradus::support
