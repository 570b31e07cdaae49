#pragma once
// Runs a part of a test in its own process, where it can give up rights or memory that other tests
// need.
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>

#include "tests/scratch.h"

#if !defined(__has_feature)  // clang's way to ask for its sanitizers
  #define __has_feature(x) 0
#endif

/// Whether `body` returns in a child process. What it throws is printed.
template <class F>
bool in_child(F body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    int status = 1;
    try {
      body();
      status = 0;
    } catch (const std::exception& e) { std::fprintf(stderr, "%s\n", e.what()); }
    _exit(status);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/// The same without root's rights, with which a test of permissions would be pointless. The child's
/// user becomes the owner of `folder`.
template <class F>
bool as_ordinary_user(const Scratch& folder, F body) {
  constexpr uid_t kNobody = 65534;
  const bool is_root = geteuid() == 0;
  if (is_root && chown(folder.dir.c_str(), kNobody, kNobody) != 0) return false;
  return in_child([&] {
    if (is_root && (setgid(kNobody) != 0 || setuid(kNobody) != 0))
      throw std::runtime_error("cannot give up root's rights");
    body();
  });
}

/// The same with at most `bytes` of memory beyond what the process already has: beyond that,
/// there is a std::bad_alloc. Under the sanitizers, which reserve very much memory, there is no
/// limit.
template <class F>
bool within_memory([[maybe_unused]] size_t bytes, F body) {
  return in_child([&] {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t limit = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + bytes;
    const rlimit both{limit, limit};
    if (pages == 0 || setrlimit(RLIMIT_AS, &both) != 0)
      throw std::runtime_error("cannot limit the memory");
#endif
    body();
  });
}
