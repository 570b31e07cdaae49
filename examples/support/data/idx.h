#pragma once
// IDX, the file format of MNIST (LeCun, Cortes & Burges): two zero bytes, a type (8: unsigned
// byte), the number of dimensions, each size as four bytes with the highest first, then the
// numbers.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gradus::support {

struct Idx {
  std::vector<int64_t> shape;
  std::string bytes;  // shape[0] · shape[1] · … unsigned bytes, the last dimension fastest
};

/// Reads plain or gzipped IDX of unsigned bytes with `dimensions` dimensions. Throws IoError, with
/// what the file says and what it holds, unless the two agree to the byte.
Idx read_idx(const std::filesystem::path& path, int dimensions);

}  // namespace gradus::support
