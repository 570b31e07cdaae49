#pragma once
// A directory that a test may fill: fresh, and removed with everything in it at the end.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>

struct Scratch {
  std::filesystem::path dir;
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "gradus-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory: " + name);
    dir = name;
  }
  ~Scratch() { std::filesystem::remove_all(dir); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string operator/(const char* name) const { return (dir / name).string(); }
};

/// Whether `body` returns, in a process of its own that is not root's: what root may do, a test must not
/// try. `folder` is given to that user. What body throws is printed.
template <class F>
bool as_ordinary_user(const Scratch& folder, F body) {
  constexpr uid_t kNobody = 65534;
  const bool is_root = geteuid() == 0;
  if (is_root && chown(folder.dir.c_str(), kNobody, kNobody) != 0) return false;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    int status = 1;
    try {
      if (is_root && (setgid(kNobody) != 0 || setuid(kNobody) != 0))
        throw std::runtime_error("cannot give up root's rights");
      body();
      status = 0;
    } catch (const std::exception& e) { std::fprintf(stderr, "%s\n", e.what()); }
    _exit(status);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}
