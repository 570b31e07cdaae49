// The lock is the kernel's (flock), on a file that names the process for people. However a process ends, its
// lock ends with it: a file that was left behind locks nobody out.
#include "examples/support/training_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "tensor/error.h"

namespace gradus::support {

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
volatile std::sig_atomic_t stop_signal = 0;

void on_signal(int signal) {
  if (stop_signal != 0) _exit(128 + signal);
  stop_signal = signal;
}

/// Opened and locked; -1 where nothing can be written, or the file system knows no locks.
int lock_file(const std::filesystem::path& path) {
  while (true) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) return -1;
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      const bool taken = errno == EWOULDBLOCK;
      char process[32] = "";
      if (taken && read(file, process, sizeof process - 1) < 0) *process = '\0';
      close(file);
      check<IoError>(!taken,
                     "--out {}: process {} is training there; wait until it has ended, or give "
                     "another folder",
                     path.parent_path().string(), process);
      return -1;
    }
    // The process before this one may have removed the file between the two calls.
    struct stat locked = {}, there = {};
    if (fstat(file, &locked) == 0 && stat(path.c_str(), &there) == 0 &&
        locked.st_ino == there.st_ino)
      return file;
    close(file);
  }
}

}  // namespace

TrainingRun::TrainingRun(const std::filesystem::path& folder)
    : lock_(folder / "lock"), file_(lock_file(lock_)) {
  if (file_ >= 0) {
    const std::string process = std::to_string(getpid());
    const bool named = ftruncate(file_, 0) == 0 && write(file_, process.data(), process.size()) > 0;
    if (!named) fmt::print(stderr, "warning: {}: the disk is full\n", lock_.string());
  }
  stop_signal = 0;
  for (int i = 0; i < 2; ++i) before_[i] = std::signal(kSignals[i], on_signal);
}

TrainingRun::~TrainingRun() {
  for (int i = 0; i < 2; ++i) std::signal(kSignals[i], before_[i]);
  if (file_ < 0) return;
  unlink(lock_.c_str());
  close(file_);
}

bool TrainingRun::stop_asked() const { return stop_signal != 0; }

void TrainingRun::leave() const { throw Interrupted{128 + stop_signal}; }

void keep_earlier(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  std::filesystem::path kept;
  for (int n = 1; kept.empty() || std::filesystem::exists(kept); ++n)
    kept = file.parent_path() /
           fmt::format("{}-{}{}", file.stem().string(), n, file.extension().string());
  std::filesystem::rename(file, kept);
  fmt::print("{}: what an earlier run left is now {}\n", file.string(), kept.filename().string());
}

}  // namespace gradus::support
