// What comes from outside arrives whole or not at all: files, gzipped files, and streams of UTF-8.
#include <doctest/doctest.h>

#include <filesystem>
#include <random>

#include "examples/support/file.h"
#include "examples/support/utf8.h"
#include "tensor/error.h"
#include "tests/scratch.h"

using namespace gradus;
using namespace gradus::support;

namespace {

std::string random_bytes(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  return bytes;
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

TEST_CASE("file: gzip and damaged gzip") {
  const Scratch folder;
  const std::string path = folder / "text.gz";
  const std::string zipped(  // "hello hello hello" by gzip
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x00\x80\x88\xf9"
      "\xe5"
      "\x11\x00\x00\x00",
      28);
  write_file(path, zipped);
  CHECK(read_file(path) == "hello hello hello");
  for (size_t n = 3; n < zipped.size(); ++n) {
    write_file(path, zipped.substr(0, n));
    CHECK_THROWS_AS(read_file(path), IoError);
  }
  for (size_t i = 10; i < zipped.size(); ++i) {
    std::string bad = zipped;
    bad[i] ^= 0x55;
    write_file(path, bad);
    CHECK_THROWS_AS(read_file(path), IoError);
  }
  write_file(path, "plain");
  CHECK(read_file(path) == "plain");
  CHECK_THROWS_AS(read_file(path, 4), IoError);
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
