// Plain POSIX calls: C++ streams can neither sync nor say why something failed.
#include "nn/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include "tensor/error.h"

namespace gradus {

namespace fs = std::filesystem;

void AtomicFile::check_call(bool ok, const char* what) const {
  check<IoError>(ok,
                 "{}: cannot {}: {}; is the folder there and writable, and is the disk not full?",
                 path_, what, std::strerror(errno));
}

static const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "something else";
}

/// Renaming onto a link would replace the link, and leave the file behind it as it was.
void AtomicFile::follow_links() {
  constexpr int kMostLinks = 40;  // Linux's own limit
  std::error_code error;
  for (int links = 0; fs::is_symlink(path_, error); ++links) {
    errno = ELOOP;
    check_call(links < kMostLinks, "follow its links");
    const fs::path target = fs::read_symlink(path_, error);
    check<IoError>(!error, "{}: cannot read this link: {}", path_, error.message());
    path_ = (fs::path(path_).parent_path() / target).string();
  }
}

/// open, unlike mkstemp, gives the permissions that the user's umask asks for.
void AtomicFile::open_temporary() {
  std::random_device random;
  do {
    temporary_ = fmt::format("{}.tmp.{:06x}", path_, random() & 0xffffff);
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file_ < 0 && (errno == EEXIST || errno == EINTR));
  if (file_ >= 0) return;
  temporary_.clear();
  check_call(false, "create a temporary file beside it");
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  check<IoError>(path_.find('\0') == path_.npos, "{}: a file's name cannot hold a zero byte",
                 path_.substr(0, path_.find('\0')));
  struct stat there {
  }, behind{};
  const bool replaces = ::stat(path_.c_str(), &there) == 0;
  check_call(replaces || errno == ENOENT, "look at it");
  check<IoError>(!replaces || S_ISREG(there.st_mode),
                 "{}: is {}, not an ordinary file, and would be replaced by one; choose another "
                 "name",
                 path_, kind_of(there.st_mode));
  const std::string given = path_;
  follow_links();
  // In /proc, a link to a file that has lost its name reads "name (deleted)".
  check<IoError>(!replaces || (::stat(path_.c_str(), &behind) == 0 &&
                               there.st_ino == behind.st_ino && there.st_dev == behind.st_dev),
                 "{}: is a link to a file that no longer has a name; choose another name", given);
  open_temporary();
  if (replaces) check_call(::fchmod(file_, there.st_mode & 0777) == 0, "keep its permissions");
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
  const auto parent = fs::path(path_).parent_path();
  const int directory = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY);
  check_call(directory >= 0, "open its directory");
  const bool synced = ::fsync(directory) == 0;
  ::close(directory);
  check_call(synced, "force its directory to the disk");
}

}  // namespace gradus
