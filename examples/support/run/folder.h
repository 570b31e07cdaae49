#pragma once
// What a training run owes to the folder that it writes into: nobody else trains there meanwhile,
// and an earlier run's checkpoint is kept.
#include <filesystem>

namespace gradus::support {

class FolderLock {
 public:
  /// IoError if another process holds the lock of `folder`; it names the process. However a process
  /// ends, its lock ends with it.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::filesystem::path path_;
  int file_;
};

/// If there is such a file, gives it a second name and says so: the first of NAME-1.safetensors,
/// NAME-2.safetensors, … that is free. A new file that is then put in its place, whole or not at
/// all, leaves the earlier one under that name. IoError if this fails.
void keep_earlier(const std::filesystem::path& file);

}  // namespace gradus::support
