#pragma once
// Other programs as filters: text in, a file out. No shell is involved, so nothing in a title or a
// file name can become a command.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::support {

enum class Filter { Done, NotInstalled };

/// Runs `command` (looked up in PATH, then its arguments), `input` on its standard input, its
/// standard output into `output`, which changes only if the program succeeds. Throws IoError with
/// what it said if it exits with another status than 0.
Filter run_filter(const std::vector<std::string>& command, std::string_view input,
                  const std::filesystem::path& output);

}  // namespace gradus::support
