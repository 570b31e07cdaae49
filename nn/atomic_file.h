#pragma once
// A file that appears whole or not at all: written under another name in the same directory, forced
// to the disk, then renamed, which POSIX promises to do in one step; then the directory's entry is
// forced to the disk too. Pillai et al., All File Systems Are Not Created Equal (OSDI 2014).
#include <cstddef>
#include <string>

namespace gradus {

class AtomicFile {
 public:
  /// Opens "path.tmp.XXXXXX", with X's that no other writer has. A link stays a link: the file
  /// behind it is created or replaced. A file that is replaced passes its permissions on. IoError:
  /// what is at `path` is not an ordinary file (a folder, a device or a pipe would be lost); or,
  /// here and below, the system refuses.
  explicit AtomicFile(std::string path);
  /// Without commit, nothing is left behind.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(const void* data, size_t bytes);
  /// Puts the file in its place.
  void commit();

 private:
  void check_call(bool ok, const char* what) const;
  void follow_links();
  void open_temporary();
  std::string path_, temporary_;
  int file_ = -1;
};

}  // namespace gradus
