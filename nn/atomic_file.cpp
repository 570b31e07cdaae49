// Plain POSIX calls: C++ streams can neither sync nor say why something failed.
#include "nn/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tensor/error.h"

namespace gradus {

void AtomicFile::check_call(bool ok, const char* what) const {
  check<IoError>(ok, "{}: cannot {}: {}; is the directory there, writable, and the disk not full?",
                 path_, what, std::strerror(errno));
}

/// Where a link points: renaming onto the link itself would replace it, and leave the file as it was.
static std::string behind_links(std::string path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const auto target = std::filesystem::weakly_canonical(path, error);
  return error ? path : target.string();
}

AtomicFile::AtomicFile(std::string path)
    : path_(behind_links(std::move(path))), temporary_(path_ + ".tmp.XXXXXX") {
  file_ = ::mkstemp(temporary_.data());
  check_call(file_ >= 0, "create a temporary file beside it");
  const mode_t mask =
      ::umask(0);  // mkstemp allows the owner only; a saved model is an ordinary file
  ::umask(mask);
  ::fchmod(file_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t bytes) {
  for (const char* at = static_cast<const char*>(data); bytes > 0;) {
    const ssize_t n = ::write(file_, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    check_call(n > 0, "write");
    at += n;
    bytes -= static_cast<size_t>(n);
  }
}

void AtomicFile::commit() {
  check_call(::fsync(file_) == 0, "force the data to the disk");
  const int file = std::exchange(file_, -1);
  check_call(::close(file) == 0, "close it");
  check_call(::rename(temporary_.c_str(), path_.c_str()) == 0, "give the new file its name");
  temporary_.clear();
  const auto parent = std::filesystem::path(path_).parent_path();
  const int directory = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY);
  check_call(directory >= 0, "open its directory");
  const bool synced = ::fsync(directory) == 0;
  ::close(directory);
  check_call(synced, "force its directory to the disk");
}

}  // namespace gradus
