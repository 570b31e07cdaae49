#pragma once
// What a training run owes to the folder that it writes into, and to whoever wants to stop it: nobody else trains
// there meanwhile, an earlier run's checkpoint is kept, and Ctrl-C or SIGTERM end it only after it has saved.
//
//   const FolderLock lock(folder);  // before anything is read there
//   const StopSignals stop;         // once there is something to save
//   while (step < steps) {
//     …
//     if (stop.asked()) {
//       save();
//       stop.leave();
//     }
//   }
#include <filesystem>

namespace gradus::support {

class FolderLock {
 public:
  /// IoError if another process holds the lock of `folder`; it names the process.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::filesystem::path path_;
  int file_;
};

/// While it lives, Ctrl-C and SIGTERM only ask. A second one ends the program at once.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  bool asked() const;
  /// Ends the lesson, with the exit status that the signal stands for.
  [[noreturn]] void leave() const;

 private:
  void (*before_[2])(int);  // what the signals meant
};

/// What leave() throws; run() of options.h turns it into an exit status.
struct Interrupted {
  int status;
};

/// If there is such a file, gives it a second name, the first free one of NAME-1.safetensors, NAME-2.safetensors, …,
/// and says so: writing the file anew, whole or not at all, then leaves the earlier one under that name.
void keep_earlier(const std::filesystem::path& file);

}  // namespace gradus::support
