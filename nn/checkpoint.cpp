// Saving puts prefixes before the names, loading takes them off again.
#include "nn/checkpoint.h"

#include <charconv>

namespace gradus {

static constexpr const char* kKey = "gradus.checkpoint";
static constexpr const char* kVersion = "1";

void save_checkpoint(const std::string& path, const Checkpoint& c) {
  NamedTensors all;
  for (const auto& [name, x] : c.model) all.emplace_back("model." + name, x);
  for (const auto& [name, x] : c.optimizer) all.emplace_back("optimizer." + name, x);
  for (const auto& [name, x] : c.latest) all.emplace_back("latest." + name, x);
  for (const auto& [name, key] : c.generators)
    all.emplace_back("generator." + name, tensor<int64_t>({static_cast<int64_t>(key.seed),
                                                           static_cast<int64_t>(key.offset)}));
  Metadata metadata = c.metadata;
  metadata.insert_or_assign(kKey, std::string(kVersion));
  save_safetensors(path, all, metadata);
}

Checkpoint load_checkpoint(const std::string& path) {
  Safetensors file = load_safetensors(path);
  const auto version = file.metadata.extract(kKey);
  check<IoError>(!version.empty(), "{}: is not a checkpoint; load_safetensors reads weights alone",
                 path);
  check<IoError>(version.mapped() == kVersion,
                 "{}: is a checkpoint of version {}, but this program reads version {}", path,
                 version.mapped(), kVersion);
  Checkpoint c;
  c.metadata = std::move(file.metadata);
  for (auto& [name, x] : file.tensors) {
    const auto strip = [&name = name](std::string_view prefix) {
      const bool found = name.starts_with(prefix);
      if (found) name.erase(0, prefix.size());
      return found;
    };
    if (strip("model.")) {
      c.model.emplace_back(name, x);
    } else if (strip("optimizer.")) {
      c.optimizer.emplace_back(name, x);
    } else if (strip("latest.")) {
      c.latest.emplace_back(name, x);
    } else {
      check<IoError>(strip("generator.") && x.dtype() == I64 && x.shape() == Shape{2},
                     "{}: tensor \"{}\" {} belongs to no part of a checkpoint", path, name,
                     x.shape());
      const std::vector<int64_t> words = x.to_vector<int64_t>();
      c.generators[name] = {static_cast<uint64_t>(words[0]), static_cast<uint64_t>(words[1])};
    }
  }
  return c;
}

const std::string& metadata_text(const Metadata& metadata, const std::string& key) {
  const auto it = metadata.find(key);
  check<IoError>(it != metadata.end(),
                 "checkpoint: its metadata has no entry \"{}\"; was it written by another program?",
                 key);
  return it->second;
}

int64_t metadata_number(const Metadata& metadata, const std::string& key, int64_t most) {
  const std::string& text = metadata_text(metadata, key);
  const char* end = text.data() + text.size();
  int64_t n = -1;
  const auto [stop, error] = std::from_chars(text.data(), end, n);
  check<IoError>(error == std::errc{} && stop == end && n >= 0 && n <= most,
                 "checkpoint: {} = \"{}\" is not a number from 0 to {}", key, text, most);
  return n;
}

PhiloxKey generator_state(const Checkpoint& checkpoint) {
  const auto it = checkpoint.generators.find("default");
  check<IoError>(it != checkpoint.generators.end(),
                 "checkpoint: it has no state of the random numbers, so it cannot be resumed");
  return it->second;
}

}  // namespace gradus
