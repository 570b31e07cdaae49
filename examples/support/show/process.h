#pragma once
// Other programs as filters: text goes in, a file comes out. No shell is involved, so nothing in a
// title or a file name can become a command.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::support {

enum class Filter { Done, NotInstalled };

/// Runs command[0], found through PATH, with the rest as its arguments. `input` is its standard
/// input. Its standard output becomes the file `output`, but only if it succeeds. Throws IoError
/// with its status and its error output if it fails; returns NotInstalled if there is no such
/// program.
Filter run_filter(const std::vector<std::string>& command, std::string_view input,
                  const std::filesystem::path& output);

}  // namespace gradus::support
