#pragma once
// What the header of a safetensors file says; it is believed only as far as it fits the format.
#include <string>
#include <vector>

#include "nn/safetensors.h"

namespace gradus {

// An empty tensor takes no data, so the data does not bound how many there are.
inline constexpr size_t kMostSafetensors = 1 << 18, kMostMetadata = 1 << 16;

/// A type's name in the file, what it becomes, and its size there; no function where the bytes can
/// be taken as they are.
struct FileType {
  const char* name;
  DType dtype;
  int64_t bytes;
  void (*read)(const char* bytes, void* out, int64_t n) = nullptr;
};
/// Null for a name that is unknown.
const FileType* file_type(std::string_view name);

struct SafetensorsHeader {
  struct Entry {
    std::string name;
    const FileType* type;
    Shape shape;
    uint64_t begin, end;
  };
  std::vector<Entry> entries;  // in the order of the data, without gaps
  Metadata metadata;
};

/// Reads the header `text`, which is followed by `data_bytes` bytes of data. Time and memory are in
/// proportion to its length. IoError, about the file at `path`, says what does not fit.
SafetensorsHeader parse_safetensors_header(const std::string& path, const std::string& text,
                                           uint64_t data_bytes);

}  // namespace gradus
