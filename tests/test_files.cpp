// What comes from outside arrives whole or not at all: files, and streams of UTF-8.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <random>

#include "nn/file.h"
#include "nn/text/utf8.h"
#include "tensor/error.h"
#include "tests/child.h"

using namespace gradus;

namespace {

std::string random_bytes(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  return bytes;
}

mode_t mode_of(const std::string& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0 ? s.st_mode : 0;
}

void want(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error("wanted: " + what);
}

/// Writing to `path` fails, and the error names it and says `what` is there.
void want_refused(const std::string& path, const std::string& what) {
  const mode_t before = mode_of(path);
  std::string said = "(written)";
  try {
    write_file(path, "x");
  } catch (const IoError& e) { said = e.what(); }
  want(said.find(path) != std::string::npos && said.find(what) != std::string::npos,
       path + " refused: " + what + ", not " + said);
  want(mode_of(path) == before, path + " as it was");
}

}  // namespace

TEST_CASE("utf8: streams show whole characters only") {
  Utf8Stream stream;
  CHECK(stream.push("a\xE4") == "a");
  CHECK(stream.push("\xBD") == "");
  CHECK(stream.push("\xA0z") == "你z");
  CHECK(stream.push("\xE4\xBD") == "");
  CHECK(stream.push("x") == "\uFFFD\uFFFDx");
  CHECK(stream.push("\xF0\x9F\x98") == "");
  CHECK(stream.finish() == "\uFFFD");
  CHECK(stream.finish() == "");
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Utf8Stream all, pieces;
    const std::string bytes = random_bytes(500, seed) + "plain 你好";
    std::string one_by_one;
    for (const char c : bytes) one_by_one += pieces.push({&c, 1});
    const std::string at_once = all.push(bytes) + all.finish();
    CHECK(is_utf8(at_once));
    CHECK(one_by_one + pieces.finish() == at_once);
  }
  for (const char* bad :
       {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xC3"})
    CHECK(!is_utf8(bad));
  CHECK(is_utf8("plain 你好"));
}

TEST_CASE("utf8: control codes do not reach a terminal") {
  const std::string codes = "a\tb\n\x1b[31m\x7f\xc2\x9b\xff\r猫é";
  CHECK(printable(codes) == "a\tb\n<1B>[31m<7F><C2><9B><FF><0D>猫é");
  CHECK(visible(" \n\t\x1b猫") == "␣⏎<09><1B>猫");
  CHECK(printable("\xc2") == "<C2>");
  CHECK(printable("\xc2\xa0") == "\xc2\xa0");  // a no-break space is not a control code
}

TEST_CASE("file: reading gives all bytes, up to the limit") {
  const Scratch folder;
  const std::string path = folder / "bytes", bytes = random_bytes(200'000, 1);
  write_file(path, bytes);
  CHECK(read_file(path) == bytes);
  CHECK(read_file(path, 200'000) == bytes);
  CHECK_THROWS_WITH_AS(read_file(path, 199'999), doctest::Contains("more than 199999"), IoError);
  write_file(path, "");
  CHECK(read_file(path).empty());
}

TEST_CASE("file: writing replaces the whole file and leaves nothing beside it") {
  const Scratch folder;
  const std::string path = folder / "new/deep/file";
  write_file(path, "first and long");
  write_file(path, std::string("a\0b", 3));
  CHECK(read_file(path) == std::string("a\0b", 3));
  const auto files = std::filesystem::directory_iterator(folder / "new/deep");
  CHECK(std::distance(files, {}) == 1);
  CHECK_THROWS_AS(write_file(path + "/below/a/file", "x"), IoError);
  CHECK_THROWS_AS(write_file(folder.dir, "x"), IoError);  // a folder is in its place
  CHECK(std::distance(std::filesystem::directory_iterator(folder.dir), {}) == 1);
  CHECK_THROWS_AS(read_file(folder / "absent"), IoError);
  CHECK_THROWS_AS(read_file(folder.dir), IoError);
}

TEST_CASE("file: a zero byte in a name is refused, not taken for its end") {
  const Scratch folder;
  write_file(folder.dir / "a", "kept");
  CHECK_THROWS_AS(write_file(folder.dir / std::string("a\0b", 3), "lost"), IoError);
  CHECK(read_file(folder.dir / "a") == "kept");
}

TEST_CASE("file: what is not an ordinary file is not replaced by one") {
  const Scratch folder;
  const bool held = as_ordinary_user(folder, [&] {
    const std::string pipe = folder / "pipe", socket_path = folder / "socket";
    want(::mkfifo(pipe.c_str(), 0600) == 0, "a pipe");
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = ""};
    socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    want(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "a socket");
    want_refused(pipe, "is a pipe");
    want_refused(socket_path, "is a socket");
    want_refused(folder.dir, "is a folder");
    want_refused("/dev/null", "is a device");

    int ends[2];
    want(::pipe(ends) == 0, "an open pipe");
    const std::string fd = std::to_string(ends[1]);
    const auto link = [&](const char* name, const std::string& to) {
      std::filesystem::create_symlink(to, folder.dir / name);
      return folder / name;
    };
    want_refused(link("to pipe", "pipe"), "is a pipe");
    want_refused(link("to device", "/dev/null"), "is a device");
    want_refused(link("to proc", "/proc/self/fd/" + fd), "is a pipe");
    want_refused(link("to folder", "."), "is a folder");
    want_refused(link("to itself", "to itself"), "symbolic links");
    want_refused("/proc/self/comm", "cannot create a temporary file");

    const int gone = ::open((folder / "gone").c_str(), O_RDWR | O_CREAT, 0600);
    want(gone >= 0 && ::unlink((folder / "gone").c_str()) == 0, "a file without a name");
    want_refused(link("to gone", "/proc/self/fd/" + std::to_string(gone)), "no longer has a name");
    for (const auto& entry : std::filesystem::directory_iterator(folder.dir))
      want(entry.path().string().find(".tmp.") == std::string::npos, "no temporary file");
  });
  CHECK(held);
}

TEST_CASE("file: links stay links, permissions stay, new files obey the umask") {
  const Scratch folder;
  const bool held = as_ordinary_user(folder, [&] {
    const std::string file = folder / "file", dangling = folder / "dangling";
    std::filesystem::create_directory(folder / "below");
    std::filesystem::create_symlink("below/link", folder / "link");
    std::filesystem::create_symlink("../file", folder / "below/link");
    ::umask(027);
    write_file(folder / "link", "new");  // two links, and no file yet
    want(read_file(file) == "new" && mode_of(file) == (S_IFREG | 0640), "a file behind the links");
    ::chmod(file.c_str(), 0604);
    write_file(folder / "link", "newer");
    want(read_file(file) == "newer" && mode_of(file) == (S_IFREG | 0604), "the same permissions");
    want(S_ISLNK(mode_of(folder / "link")) && S_ISLNK(mode_of(folder / "below/link")), "links");

    std::filesystem::create_symlink(folder / "absent/file", dangling);
    try {
      write_file(dangling, "x");
      want(false, "an error: the folder is absent");
    } catch (const IoError&) {}
    want(S_ISLNK(mode_of(dangling)), "the dangling link");
    ::umask(077);
    write_file(folder / "private", "x");
    want(mode_of(folder / "private") == (S_IFREG | 0600), "a private file");
  });
  CHECK(held);
}
