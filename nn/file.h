#pragma once
// Whole files, in and out. Reading goes through zlib, which passes plain files through unchanged,
// so that a text may also be gzipped. Writing is atomic: the bytes go to a temporary file beside
// the target, reach the disk (fsync), and only then take the target's name; a kill at any moment
// leaves the old file or the new one, never half of one.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace gradus {

/// All bytes of the file at `path`, unpacked if it is gzipped. Throws IoError if it cannot be read,
/// is a damaged gzip file, or holds more than `limit` (a small gzip file can unpack to
/// terabytes).
std::string read_file(const std::filesystem::path& path, int64_t limit = int64_t{1} << 30);

/// Replaces or creates the file at `path` atomically, and its folder if need be. Throws IoError.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace gradus
