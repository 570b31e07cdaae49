#pragma once
// Reading a file that may be gzipped. zlib passes plain files through unchanged.
#include <cstdint>
#include <filesystem>
#include <string>

namespace gradus::support {

/// All bytes of the file at `path`, unpacked if it is gzipped. IoError if it cannot be read, is a
/// damaged gzip file, or unpacks to more than `limit` bytes: a small gzip file can hold terabytes.
std::string read_unpacked(const std::filesystem::path& path, int64_t limit = int64_t{1} << 30);

}  // namespace gradus::support
