#pragma once
// A checkpoint is all that a run needs to continue as if it had never stopped: the model, what the
// optimizer remembers, the state of the random numbers, and any text of yours (the step, the
// configuration). A resumed run equals an unbroken one bit for bit.
//
//   save_checkpoint("run.ckpt", {.model = net.state_dict(),
//                                .optimizer = opt.state_dict(),
//                                .generators = {{"default", default_generator().state()}},
//                                .metadata = {{"step", "1000"}}});
//   Checkpoint c = load_checkpoint("run.ckpt");
//   net.load_state_dict(c.model);
//   opt.load_state_dict(c.optimizer);
//   default_generator().set_state(generator_state(c));
//   int64_t step = metadata_number(c.metadata, "step");
#include <cstdint>
#include <limits>
#include <string>

#include "nn/safetensors.h"
#include "tensor/philox.h"

namespace gradus {

struct Checkpoint {
  NamedTensors model = {}, optimizer = {};
  // Where training goes on, if `model` is from an earlier step that was better.
  NamedTensors latest = {};
  std::map<std::string, PhiloxKey> generators = {};
  Metadata metadata = {};
};

/// Writes one safetensors file. Prefixes tell the parts apart: "model.", "optimizer.", "latest.",
/// and "generator." (two I64: seed, offset). The file appears whole or not at all. IoError as for
/// save_safetensors.
void save_checkpoint(const std::string& path, const Checkpoint& checkpoint);
/// IoError: the file is not a checkpoint of this version, or it is damaged; see load_safetensors.
Checkpoint load_checkpoint(const std::string& path);

/// The text under `key`. IoError if there is none.
const std::string& metadata_text(const Metadata& metadata, const std::string& key);
/// The whole number under `key`, from 0 to `most`. IoError if there is none.
int64_t metadata_number(const Metadata& metadata, const std::string& key,
                        int64_t most = std::numeric_limits<int64_t>::max());
/// The state of the generator called "default". IoError if the checkpoint has none.
PhiloxKey generator_state(const Checkpoint& checkpoint);

}  // namespace gradus
