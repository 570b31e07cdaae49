#include "nn/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "nn/atomic_file.h"
#include "tensor/error.h"

namespace gradus {

std::string read_file(const std::filesystem::path& path, int64_t limit) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  check<IoError>(file != nullptr, "read_file: cannot open '{}': {}", path.string(),
                 std::strerror(errno));
  std::string bytes;
  char buffer[1 << 16];
  while (const size_t n = std::fread(buffer, 1, sizeof buffer, file.get())) {
    bytes.append(buffer, n);
    check<IoError>(static_cast<int64_t>(bytes.size()) <= limit,
                   "read_file: '{}' holds more than {} bytes, the most that is read here",
                   path.string(), limit);
  }
  check<IoError>(!std::ferror(file.get()), "read_file: cannot read '{}' after {} bytes: {}",
                 path.string(), bytes.size(), std::strerror(errno));
  return bytes;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path folder = path.parent_path();
  if (std::error_code error; !folder.empty()) {
    std::filesystem::create_directories(folder, error);
    check<IoError>(!error, "write_file: cannot make the folder '{}': {}", folder.string(),
                   error.message());
  }
  AtomicFile file(path.string());
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace gradus
