// Reading is three steps: the length against the file, the header against the format, the data into
// tensors. JSON's parser keeps the last of two equal keys, so its events are watched for the first.
#include "nn/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "nn/atomic_file.h"
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

/// What the file calls it, what it becomes, its bytes there; no function where the bytes are ours.
struct FileType {
  const char* name;
  DType dtype;
  int64_t bytes;
  void (*read)(const char* bytes, void* out, int64_t n) = nullptr;
};
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

struct Entry {
  std::string name;
  const FileType* type;
  Shape shape;
  uint64_t begin, end;
};

/// Parses JSON; refuses a key that occurs twice in one object, and nesting that the format lacks.
json parse_header(const std::string& path, const std::string& text) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, json::parse_event_t event, const json& value) {
    check<IoError>(depth <= 4, "{}: the header nests deeper than safetensors do", path);
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key)
      check<IoError>(keys.back().insert(value.get<std::string>()).second,
                     "{}: the header has \"{}\" twice", path, value.get<std::string>());
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::exception& e) {
    throw IoError(
        fmt::format("{}: the header is not JSON ({}); the file is damaged, or not "
                    "safetensors",
                    path, e.what()));
  }
}

/// A JSON number that is a whole one in [0, 2^63).
bool is_count(const json& j) { return j.is_number_unsigned() && j.get<uint64_t>() >> 63 == 0; }

Entry parse_entry(const std::string& path, const std::string& name, const json& j) {
  const std::string where = fmt::format("{}: tensor \"{}\"", path, name);
  check<IoError>(j.is_object() && j.size() == 3 && j.contains("dtype") && j.contains("shape") &&
                     j.contains("data_offsets"),
                 "{}: needs exactly dtype, shape and data_offsets", where);
  const json &dtype = j["dtype"], &shape = j["shape"], &offsets = j["data_offsets"];
  Entry e{name, nullptr, {}, 0, 0};
  for (const FileType& t : kTypes)
    if (dtype == t.name) e.type = &t;
  check<IoError>(e.type != nullptr, "{}: the dtype {} is unknown here; convert the file to F32",
                 where, dtype.dump(-1, ' ', false, json::error_handler_t::replace));

  check<IoError>(shape.is_array() && shape.size() <= kMaxDims,
                 "{}: the shape is not a list of at most {} sizes", where, kMaxDims);
  int64_t bytes = e.type->bytes, bound = e.type->bytes;  // bound: of the strides, beside a 0 too
  for (const json& size : shape) {
    const bool fits =
        is_count(size) && !__builtin_mul_overflow(bytes, size.get<int64_t>(), &bytes) &&
        !__builtin_mul_overflow(bound, std::max<int64_t>(size.get<int64_t>(), 1), &bound) &&
        bound < int64_t{1} << 56;
    check<IoError>(fits, "{}: the size {} in its shape is negative, no whole number or too large",
                   where, size.dump(-1, ' ', false, json::error_handler_t::replace));
    e.shape.push_back(size.get<int64_t>());
  }

  check<IoError>(offsets.is_array() && offsets.size() == 2 && is_count(offsets[0]) &&
                     is_count(offsets[1]) && offsets[0] <= offsets[1],
                 "{}: data_offsets are not [begin, end] with 0 <= begin <= end", where);
  e.begin = offsets[0].get<uint64_t>();
  e.end = offsets[1].get<uint64_t>();
  check<IoError>(e.end - e.begin == static_cast<uint64_t>(bytes),
                 "{}: {} {} needs {} bytes, but its data_offsets [{}, {}] hold {}", where,
                 e.type->name, e.shape, bytes, e.begin, e.end, e.end - e.begin);
  return e;
}

/// The tensors must follow each other through the data without a gap or an overlap, to its end.
void check_coverage(const std::string& path, const std::vector<Entry>& entries, uint64_t size) {
  uint64_t at = 0;
  for (const Entry& e : entries) {
    check<IoError>(e.begin == at,
                   "{}: tensor \"{}\" begins at {}, {} the data before it, which ends "
                   "at {}",
                   path, e.name, e.begin, e.begin < at ? "inside" : "with a gap after", at);
    at = e.end;
  }
  check<IoError>(
      at == size,
      "{}: the tensors take {} bytes, but {} bytes of data follow the header; the file {}", path,
      at, size, at > size ? "is cut off: fetch it again" : "has something extra");
}

Tensor read_tensor(std::ifstream& in, const Entry& e) {
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

}  // namespace

Safetensors load_safetensors(const std::string& path) {
  std::error_code error;
  check<IoError>(std::filesystem::is_regular_file(path, error),
                 "{}: is not a file that can be read; check the name", path);
  const uint64_t size = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  check<IoError>(!error && in, "{}: cannot be opened: {}", path, std::strerror(errno));

  uint64_t length = 0;
  in.read(reinterpret_cast<char*>(&length), sizeof(length));
  check<IoError>(in && length <= kMaxHeader && length <= size - sizeof(length),
                 "{}: {} bytes cannot hold a safetensors header{}; the file is cut off, or another "
                 "format",
                 path, size, in ? fmt::format(" of {} bytes", length) : "");
  std::string text(length, '\0');
  in.read(text.data(), static_cast<std::streamsize>(length));
  check<IoError>(bool(in), "{}: the header cannot be read", path);

  const json header = parse_header(path, text);
  check<IoError>(header.is_object(), "{}: the header is not a JSON object", path);
  Safetensors out;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(parse_entry(path, name, value));
      continue;
    }
    check<IoError>(value.is_object(), "{}: __metadata__ is not a JSON object", path);
    for (const auto& [key, text_value] : value.items()) {
      check<IoError>(text_value.is_string(), "{}: __metadata__ \"{}\" is not text", path, key);
      out.metadata[key] = text_value.get<std::string>();
    }
  }
  std::ranges::stable_sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  check_coverage(path, entries, size - sizeof(length) - length);
  for (const Entry& e : entries) {
    out.tensors.emplace_back(e.name, read_tensor(in, e));
    check<IoError>(bool(in), "{}: the data of tensor \"{}\" cannot be read", path, e.name);
  }
  return out;
}

void save_safetensors(const std::string& path, const NamedTensors& tensors,
                      const Metadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const auto& [name, x] : tensors) {
    check<IoError>(x.defined(), "{}: tensor \"{}\" is undefined", path, name);
    check<IoError>(name != "__metadata__" && !header.contains(name),
                   "{}: two tensors are called \"{}\"", path, name);
    const uint64_t bytes = static_cast<uint64_t>(x.numel()) * size_of(x.dtype());
    header[name] = {{"dtype", x.dtype() == F32   ? "F32"
                              : x.dtype() == F64 ? "F64"
                                                 : "I64"},
                    {"shape", std::vector<int64_t>(x.shape().begin(), x.shape().end())},
                    {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception& e) {
    throw IoError(fmt::format("{}: a name or metadata is not UTF-8: {}", path, e.what()));
  }
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
