#pragma once
// Whole files, in and out.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace gradus {

/// All bytes of the file at `path`. IoError if it cannot be read, or holds more than `limit` bytes.
std::string read_file(const std::filesystem::path& path, int64_t limit = int64_t{1} << 30);

/// Creates the file at `path`, and its folder if need be, or replaces it: whole or not at all, even
/// if the program is killed (see atomic_file.h). IoError if it cannot be written.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace gradus
