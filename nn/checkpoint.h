#pragma once
// A checkpoint is all that a run needs to go on as if it had never stopped: the model, what the
// optimizer remembers, where the random numbers are, and any text of yours (the step, the
// configuration). A resumed run equals an unbroken one bit for bit.
//
//   save_checkpoint("run.ckpt", {.model = net.state_dict(),
//                                .optimizer = opt.state_dict(),
//                                .generators = {{"default", default_generator().state()}},
//                                .metadata = {{"step", "1000"}}});
//   Checkpoint c = load_checkpoint("run.ckpt");
//   net.load_state_dict(c.model);
//   opt.load_state_dict(c.optimizer);
//   default_generator().set_state(c.generators.at("default"));
#include "nn/safetensors.h"
#include "tensor/philox.h"

namespace gradus {

struct Checkpoint {
  NamedTensors model = {}, optimizer = {};
  std::map<std::string, PhiloxKey> generators = {};
  Metadata metadata = {};
};

/// One safetensors file: the parts are told apart by their prefixes "model.", "optimizer." and
/// "generator." (two I64: seed, offset). Whole or not at all, and IoError, as save_safetensors.
void save_checkpoint(const std::string& path, const Checkpoint& checkpoint);
/// IoError: the file is not a checkpoint of this version, or damaged; see load_safetensors.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace gradus
