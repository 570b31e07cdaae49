// The program's input, output and errors are unlinked temporary files, not pipes: a program that
// stops reading cannot kill this one with SIGPIPE, and one that writes a lot cannot block.
#include "examples/support/show/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

#include "nn/file.h"
#include "tensor/error.h"

extern char** environ;

namespace gradus::support {
namespace {

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

File temporary_file() {
  File file(std::tmpfile(), std::fclose);
  check<IoError>(file != nullptr, "run_filter: cannot make a temporary file: {}",
                 std::strerror(errno));
  return file;
}

/// What the file holds, up to `limit` bytes.
std::string content(std::FILE* file, size_t limit = SIZE_MAX) {
  std::rewind(file);
  std::string bytes;
  char buffer[1 << 14];
  for (size_t n = 1; n > 0 && bytes.size() < limit; bytes.append(buffer, n))
    n = std::fread(buffer, 1, std::min(sizeof buffer, limit - bytes.size()), file);
  return bytes;
}

}  // namespace

Filter run_filter(const std::vector<std::string>& command, std::string_view input,
                  const std::filesystem::path& output) {
  const File in = temporary_file(), out = temporary_file(), err = temporary_file();
  const bool written = std::fwrite(input.data(), 1, input.size(), in.get()) == input.size() &&
                       std::fflush(in.get()) == 0;
  check<IoError>(written, "run_filter: cannot write a temporary file: {}", std::strerror(errno));
  std::rewind(in.get());

  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(err.get()), STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    check<IoError>(error == ENOENT, "run_filter: cannot start {}: {}", command[0],
                   std::strerror(error));
    return Filter::NotInstalled;
  }

  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    write_file(output, content(out.get()));
    return Filter::Done;
  }
  throw IoError(fmt::format("{}: stopped with status {}: {}", command[0],
                            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                            content(err.get(), 400)));
}

}  // namespace gradus::support
