// The sizes come from the file and are not trusted: before anything else, their product is compared
// with the number of bytes that follow.
#include "examples/support/data/idx.h"

#include "examples/support/data/gzip.h"
#include "tensor/error.h"

namespace gradus::support {

Idx read_idx(const std::filesystem::path& path, int dimensions) {
  const std::string file = read_unpacked(path);
  const auto byte = [&](size_t i) { return static_cast<int64_t>(static_cast<uint8_t>(file[i])); };
  const size_t header = 4 + 4 * static_cast<size_t>(dimensions);
  check<IoError>(file.size() >= header,
                 "read_idx: {}: the file has {} bytes, but its header alone takes {}",
                 path.string(), file.size(), header);
  check<IoError>(byte(0) == 0 && byte(1) == 0 && byte(2) == 8 && byte(3) == dimensions,
                 "read_idx: {}: the file begins with the bytes {} {} {} {}, but IDX with unsigned "
                 "bytes and {} dimensions begins with 0 0 8 {}",
                 path.string(), byte(0), byte(1), byte(2), byte(3), dimensions, dimensions);
  Idx idx;
  const auto content = static_cast<int64_t>(file.size() - header);
  int64_t expected = 1;
  for (int d = 0; d < dimensions; ++d) {
    const size_t i = 4 + 4 * static_cast<size_t>(d);
    idx.shape.push_back(byte(i) << 24 | byte(i + 1) << 16 | byte(i + 2) << 8 | byte(i + 3));
    // Stops before the product can overflow: a size is below 2^32, and the product so far at most
    // the number of bytes.
    check<IoError>(idx.shape[d] > 0 && expected <= content,
                   "read_idx: {}: dimension {} has size {}, but {} bytes follow the header",
                   path.string(), d, idx.shape[d], content);
    expected *= idx.shape[d];
  }
  check<IoError>(expected == content,
                 "read_idx: {}: the header promises {} bytes, but {} follow it", path.string(),
                 expected, content);
  idx.bytes = file.substr(header);
  return idx;
}

}  // namespace gradus::support
