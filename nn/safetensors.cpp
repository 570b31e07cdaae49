// Reading takes three steps: check the length against the file, check the header against the
// format, read the data into tensors.
#include "nn/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "nn/atomic_file.h"
#include "nn/safetensors_header.h"
#include "tensor/raw.h"

namespace gradus {

static_assert(std::endian::native == std::endian::little, "the data is read and written as it is");

namespace {

using nlohmann::json;
constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the reference implementation

float from_half(uint16_t h) {
  const uint32_t sign = (h & 0x8000u) << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ffu;
  if (exponent == 0) {  // zero and subnormals: fraction 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 31 ? 255u : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}
float from_bfloat(uint16_t b) { return std::bit_cast<float>(uint32_t{b} << 16); }

template <class From, class To>
void convert(const char* bytes, void* out, int64_t n, To (*f)(From)) {
  for (int64_t i = 0; i < n; ++i) {
    From x;
    std::memcpy(&x, bytes + i * static_cast<int64_t>(sizeof(From)), sizeof(From));
    static_cast<To*>(out)[i] = f(x);
  }
}
template <class From>
void widen(const char* bytes, void* out, int64_t n) {
  convert<From, int64_t>(bytes, out, n, [](From x) { return static_cast<int64_t>(x); });
}

constexpr FileType kTypes[] = {
    {"F32", F32, 4},
    {"F64", F64, 8},
    {"I64", I64, 8},
    {"F16", F32, 2, [](const char* b, void* o, int64_t n) { convert(b, o, n, from_half); }},
    {"BF16", F32, 2, [](const char* b, void* o, int64_t n) { convert(b, o, n, from_bfloat); }},
    {"I32", I64, 4, widen<int32_t>},
    {"U32", I64, 4, widen<uint32_t>},
    {"I16", I64, 2, widen<int16_t>},
    {"U16", I64, 2, widen<uint16_t>},
    {"I8", I64, 1, widen<int8_t>},
    {"U8", I64, 1, widen<uint8_t>},
    {"BOOL", I64, 1, widen<uint8_t>},
};

Tensor read_tensor(std::ifstream& in, const SafetensorsHeader::Entry& e) {
  const Tensor x = empty(e.shape, e.type->dtype);
  const auto bytes = static_cast<std::streamsize>(e.end - e.begin);
  if (!e.type->read) {
    in.read(static_cast<char*>(x.view().data), bytes);
  } else {
    std::vector<char> buffer(static_cast<size_t>(bytes));
    in.read(buffer.data(), bytes);
    if (in) e.type->read(buffer.data(), x.view().data, x.numel());
  }
  return x;
}

const char* type_name(DType dtype) {
  if (dtype == F32) return "F32";
  return dtype == F64 ? "F64" : "I64";
}

}  // namespace

const FileType* file_type(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, [](const FileType& t) { return t.name; });
  return found == std::end(kTypes) ? nullptr : found;
}

/// The header of a file of `size` bytes; `in` is at its beginning.
static SafetensorsHeader read_header(const std::string& path, std::ifstream& in, uint64_t size) {
  uint64_t length = 0;
  in.read(reinterpret_cast<char*>(&length), sizeof(length));
  check<IoError>(in && length <= kMaxHeader && length <= size - sizeof(length),
                 "{}: {} bytes cannot hold a safetensors header{}; the file is cut off, or another "
                 "format",
                 path, size, in ? fmt::format(" of {} bytes", length) : "");
  std::string text(length, '\0');
  in.read(text.data(), static_cast<std::streamsize>(length));
  check<IoError>(bool(in), "{}: the header cannot be read", path);
  return parse_safetensors_header(path, text, size - sizeof(length) - length);
}

Safetensors load_safetensors(const std::string& path) {
  std::error_code error;
  check<IoError>(std::filesystem::is_regular_file(path, error), "{}: is not a file; check the name",
                 path);
  const uint64_t size = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  check<IoError>(!error && in, "{}: cannot be opened: {}", path, std::strerror(errno));

  SafetensorsHeader header = read_header(path, in, size);
  Safetensors out{{}, std::move(header.metadata)};
  out.tensors.reserve(header.entries.size());
  for (auto& e : header.entries) {
    const Tensor x = read_tensor(in, e);
    check<IoError>(bool(in), "{}: the data of tensor \"{}\" cannot be read", path, e.name);
    out.tensors.emplace_back(std::move(e.name), x);
  }
  return out;
}

void save_safetensors(const std::string& path, const NamedTensors& tensors,
                      const Metadata& metadata) {
  check<IoError>(tensors.size() <= kMostSafetensors && metadata.size() <= kMostMetadata,
                 "{}: {} tensors and {} entries of metadata; at most {} and {} can be read again",
                 path, tensors.size(), metadata.size(), kMostSafetensors, kMostMetadata);
  std::string text;  // written by hand: ordered_json would compare each name with all before it
  const auto add = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{}{}:{}", text.empty() ? "{" : ",", json(name).dump(), value);
  };
  try {
    if (!metadata.empty()) add("__metadata__", json(metadata).dump());
    uint64_t at = 0;
    std::set<std::string_view> names{"__metadata__"};
    for (const auto& [name, x] : tensors) {
      check<IoError>(x.defined(), "{}: tensor \"{}\" is undefined", path, name);
      check<IoError>(names.insert(name).second, "{}: two tensors are called \"{}\"", path, name);
      const uint64_t bytes = static_cast<uint64_t>(x.numel()) * size_of(x.dtype());
      add(name, fmt::format(
                    R"({{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", type_name(x.dtype()),
                    json(std::vector(x.shape().begin(), x.shape().end())).dump(), at, at + bytes));
      at += bytes;
    }
  } catch (const json::exception& e) {
    throw IoError(fmt::format("{}: a name or metadata is not UTF-8: {}", path, e.what()));
  }
  text += text.empty() ? "{}" : "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data is aligned
  const uint64_t length = text.size();
  check<IoError>(length <= kMaxHeader, "{}: a header of {} bytes is over the format's limit of {}",
                 path, length, kMaxHeader);

  AtomicFile file(path);
  file.write(&length, sizeof(length));
  file.write(text.data(), text.size());
  for (const auto& [_, tensor] : tensors) {
    const Tensor x = raw::contiguous(raw::to(tensor.detach(), Device::CPU));
    file.write(x.view().data, static_cast<size_t>(x.numel()) * size_of(x.dtype()));
  }
  file.commit();
}

}  // namespace gradus
