#pragma once
// IDX, the file format of MNIST (LeCun, Cortes & Burges): two zero bytes, a type (8 for unsigned
// bytes), the number of dimensions, each size in four bytes with the highest first, then the
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

/// Reads unsigned bytes in `dimensions` dimensions from a plain or gzipped file. Throws IoError
/// unless the sizes in the header agree with the file's length to the byte.
Idx read_idx(const std::filesystem::path& path, int dimensions);

}  // namespace gradus::support
