// JSON is read event by event. A tree of it would take ten times the memory of the text, and would
// keep only the last of two equal names.
#include "nn/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace gradus {

namespace {

using Entry = SafetensorsHeader::Entry;

constexpr const char* kMetadata = "__metadata__";

/// A reader for nlohmann::json::sax_parse. Every function throws, or returns true to continue.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}
  SafetensorsHeader header;

  bool null() { return value("null"); }
  bool boolean(bool on) { return value(on ? "true" : "false"); }
  bool number_integer(int64_t n) { return value(std::to_string(n)); }
  bool number_unsigned(uint64_t n) { return value(std::to_string(n), n); }
  bool number_float(double, const std::string& text) { return value(text); }
  bool binary(nlohmann::json::binary_t&) { return value("binary"); }
  bool string(std::string& text) {
    if (place_ == Place::Metadata) {
      check<IoError>(header.metadata.emplace(key_, std::move(text)).second,
                     "{}: {} has \"{}\" twice", path_, kMetadata, key_);
      check<IoError>(header.metadata.size() <= kMostMetadata, "{}: {} has more than {} entries",
                     path_, kMetadata, kMostMetadata);
    } else if (place_ == Place::Tensor && key_ == "dtype" && file_type(text)) {
      header.entries.back().type = file_type(text);
    } else {
      value("\"" + text + "\"");
    }
    return true;
  }

  bool key(std::string& name) {
    key_ = std::move(name);
    if (place_ != Place::Tensor) return true;
    const auto field = std::ranges::find(kFields, key_);
    need(field != std::end(kFields), kNeeds);
    bool& seen = seen_[field - std::begin(kFields)];
    need(!seen, "has \"{}\" twice", key_);
    return seen = true;
  }

  bool start_object(size_t) {
    if (place_ == Place::Outside) {
      place_ = Place::Names;
    } else if (place_ == Place::Names && key_ == kMetadata) {
      check<IoError>(!std::exchange(has_metadata_, true), "{}: the header has \"{}\" twice", path_,
                     kMetadata);
      place_ = Place::Metadata;
    } else if (place_ == Place::Names) {
      check<IoError>(header.entries.size() < kMostSafetensors,
                     "{}: the header has more than {} tensors", path_, kMostSafetensors);
      header.entries.push_back({std::move(key_), nullptr, {}, 0, 0});
      std::ranges::fill(seen_, false);
      place_ = Place::Tensor;
    } else {
      value("{…}");
    }
    return true;
  }
  bool end_object() {
    if (place_ == Place::Tensor) finish_tensor();
    place_ = place_ == Place::Names ? Place::Outside : Place::Names;
    return true;
  }
  bool start_array(size_t) {
    if (place_ != Place::Tensor || key_ == "dtype") return value("[…]");
    place_ = key_ == "shape" ? Place::Shape : Place::Offsets;
    offsets_ = 0;
    return true;
  }
  bool end_array() {
    need(place_ == Place::Shape || offsets_ == 2, kOffsets);
    place_ = Place::Tensor;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    throw IoError(
        fmt::format("{}: the header is not JSON from its byte {} on; the file is damaged, or not "
                    "safetensors",
                    path_, position));
  }

 private:
  enum class Place { Outside, Names, Metadata, Tensor, Shape, Offsets };
  static constexpr std::string_view kFields[] = {"dtype", "shape", "data_offsets"};
  static constexpr char kNeeds[] = "needs exactly dtype, shape and data_offsets";
  static constexpr char kShape[] = "the shape is not a list of at most {} sizes";
  static constexpr char kOffsets[] = "data_offsets are not [begin, end] with 0 <= begin <= end";

  /// An error about the tensor that is being read, unless `ok`.
  template <class... Args>
  void need(bool ok, fmt::format_string<const Args&...> what, const Args&... args) const {
    if (ok) return;
    throw IoError(fmt::format("{}: tensor \"{}\": {}", path_,
                              place_ == Place::Names ? key_ : header.entries.back().name,
                              fmt::format(what, args...)));
  }

  /// Any value other than the texts that belong here. A whole number that is not negative comes as
  /// a `count` too.
  bool value(const std::string& text, std::optional<uint64_t> count = {}) {
    const bool fits = count && *count >> 63 == 0;
    switch (place_) {
      case Place::Outside: throw IoError(path_ + ": the header is not a JSON object");
      case Place::Names:
        check<IoError>(key_ != kMetadata, "{}: {} is not a JSON object", path_, kMetadata);
        need(false, kNeeds);
        break;
      case Place::Metadata:
        throw IoError(fmt::format("{}: {} \"{}\" is not text", path_, kMetadata, key_));
      case Place::Tensor:
        need(key_ != "dtype", "the dtype {} is unknown here; convert the file to F32", text);
        need(key_ != "shape", kShape, kMaxDims);
        need(false, kOffsets);
        break;
      case Place::Shape: {
        Shape& shape = header.entries.back().shape;
        need(fits, "the size {} in its shape is negative, not a whole number, or too large", text);
        need(shape.size() < kMaxDims, kShape, kMaxDims);
        shape.push_back(static_cast<int64_t>(*count));
        break;
      }
      case Place::Offsets:
        need(fits && offsets_ < 2, kOffsets);
        (offsets_++ == 0 ? header.entries.back().begin : header.entries.back().end) = *count;
    }
    return true;
  }

  /// Checks its shape, times the bytes of its type, against its offsets.
  void finish_tensor() {
    const Entry& e = header.entries.back();
    need(std::ranges::count(seen_, true) == std::ssize(kFields), kNeeds);
    int64_t bytes = e.type->bytes, bound = bytes;  // bound: what the strides stay below
    for (const int64_t size : e.shape)
      need(!__builtin_mul_overflow(bytes, size, &bytes) &&
               !__builtin_mul_overflow(bound, std::max<int64_t>(size, 1), &bound) &&
               bound < int64_t{1} << 56,
           "the sizes in its shape {} are too large", e.shape);
    need(e.begin <= e.end, kOffsets);
    need(e.end - e.begin == static_cast<uint64_t>(bytes),
         "{} {} needs {} bytes, but its data_offsets [{}, {}] hold {}", e.type->name, e.shape,
         bytes, e.begin, e.end, e.end - e.begin);
  }

  const std::string& path_;
  Place place_ = Place::Outside;
  std::string key_;
  bool seen_[std::size(kFields)] = {}, has_metadata_ = false;
  int offsets_ = 0;
};

void check_names(const std::string& path, const std::vector<Entry>& entries) {
  std::vector<std::string_view> names;
  for (const Entry& e : entries) names.push_back(e.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  check<IoError>(twice == names.end(), "{}: the header has \"{}\" twice", path,
                 twice == names.end() ? "" : *twice);
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

}  // namespace

SafetensorsHeader parse_safetensors_header(const std::string& path, const std::string& text,
                                           uint64_t data_bytes) {
  Reader reader(path);
  nlohmann::json::sax_parse(text, &reader);
  std::vector<Entry>& entries = reader.header.entries;
  check_names(path, entries);
  std::ranges::stable_sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  check_coverage(path, entries, data_bytes);
  return std::move(reader.header);
}

}  // namespace gradus
