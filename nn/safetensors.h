#pragma once
// safetensors: the file format in which the field exchanges weights.
//   8 bytes   N, the length of the header, little-endian
//   N bytes   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …,
//              "__metadata__": {"key": "text"}}, JSON
//   the rest  the numbers, row after row, little-endian, without gaps; offsets count from here
// Such a file holds no code, and everything that it claims can be checked before a byte is used.
// https://github.com/huggingface/safetensors
#include <map>
#include <string>

#include "nn/module.h"

namespace gradus {

using Metadata = std::map<std::string, std::string>;

struct Safetensors {
  NamedTensors tensors;  // in the order of the data
  Metadata metadata;
};

/// Writes the tensors (any strides, any device) in the order given. A crash or a kill at any moment
/// leaves the old file or the new one: everything goes to "path.tmp.XXXXXX" beside it, is forced to
/// the disk, and only then takes the name. (A kill can leave that temporary file; delete it.)
/// IoError: the file cannot be written, a name occurs twice or is not UTF-8, a tensor is undefined,
/// or there are more than 2^18 tensors or 2^16 entries of metadata.
void save_safetensors(const std::string& path, const NamedTensors& tensors,
                      const Metadata& metadata = {});

/// Reads a file that may come from anywhere. F64, F32 and I64 stay; F16 and BF16 become float32;
/// smaller integers and BOOL become int64. IoError says what does not fit the format, and where:
/// lengths, offsets, shapes and dtypes are checked against the file's size first. So memory is
/// taken only for data that exists, and the time is in proportion to the file's length.
Safetensors load_safetensors(const std::string& path);

}  // namespace gradus
