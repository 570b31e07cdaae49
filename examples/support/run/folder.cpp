// The lock is the kernel's (flock), on a file that names the process for people. A file that was
// left behind locks nobody out.
#include "examples/support/run/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tensor/error.h"

namespace gradus::support {

namespace {

/// The file, opened and locked; -1 if nothing can be written, or the file system has no locks.
int lock_file(const std::filesystem::path& path) {
  constexpr int kFlags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  while (true) {
    int file = open(path.c_str(), O_RDWR | O_CREAT | kFlags, 0666);
    if (file < 0)
      file = open(path.c_str(), O_RDONLY | kFlags);  // even another user's file can be locked
    struct stat locked = {}, there = {};
    if (file < 0 || fstat(file, &locked) != 0) return -1;
    if (!S_ISREG(locked.st_mode)) {
      close(file);
      return -1;
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      const bool taken = errno == EWOULDBLOCK;
      char process[32] = "";
      if (taken && read(file, process, sizeof process - 1) < 0) *process = '\0';
      close(file);
      check<IoError>(!taken,
                     "--out {}: process {} is training there; wait until it ends, or name another "
                     "folder",
                     path.parent_path().string(), process);
      return -1;
    }
    // The process that held the lock may have removed the file between the two calls.
    if (lstat(path.c_str(), &there) == 0 && locked.st_ino == there.st_ino) return file;
    close(file);
  }
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder)
    : path_(folder / ".training"), file_(lock_file(path_)) {
  if (file_ < 0) return;
  const std::string process = std::to_string(getpid());
  [[maybe_unused]] const bool named =  // the lock holds even where this cannot be written
      ftruncate(file_, 0) == 0 && pwrite(file_, process.data(), process.size(), 0) > 0;
}

FolderLock::~FolderLock() {
  if (file_ < 0) return;
  unlink(path_.c_str());
  close(file_);
}

void keep_earlier(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  std::filesystem::path kept;
  for (int n = 1; kept.empty() || std::filesystem::exists(kept); ++n)
    kept = file.parent_path() /
           fmt::format("{}-{}{}", file.stem().string(), n, file.extension().string());
  std::error_code error;
  std::filesystem::create_hard_link(file, kept, error);
  if (error) std::filesystem::rename(file, kept, error);  // a file system without links
  check<IoError>(!error, "{}: cannot keep what an earlier run left there: {}", file.string(),
                 error.message());
  fmt::print("{}: what an earlier run left is now {}\n", file.string(), kept.filename().string());
}

}  // namespace gradus::support
