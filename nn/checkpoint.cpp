// Prefixes on the way out, and off again on the way in.
#include "nn/checkpoint.h"

namespace gradus {

static constexpr const char* kKey = "gradus.checkpoint";
static constexpr const char* kVersion = "1";

void save_checkpoint(const std::string& path, const Checkpoint& c) {
  NamedTensors all;
  for (const auto& [name, x] : c.model) all.emplace_back("model." + name, x);
  for (const auto& [name, x] : c.optimizer) all.emplace_back("optimizer." + name, x);
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
  check<IoError>(!version.empty(),
                 "{}: is not a checkpoint; for weights alone there is load_safetensors", path);
  check<IoError>(version.mapped() == kVersion,
                 "{}: is a checkpoint of version {}, and this program reads version {}", path,
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

}  // namespace gradus
