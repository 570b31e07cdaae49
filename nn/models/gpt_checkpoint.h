#pragma once
// A GPT as a file. Its tensors alone do not tell how many heads it has, so the configuration goes
// into the checkpoint's metadata:
//   save_checkpoint(path, {.model = model.state_dict(), .metadata = to_metadata(model.config)});
//   Gpt model = load_gpt(load_checkpoint(path));
#include "nn/checkpoint.h"
#include "nn/models/gpt.h"

namespace gradus {

/// The configuration as entries "gpt.layers", "gpt.heads", …. A choice that is the default has no
/// entry.
Metadata to_metadata(const GptConfig& config);
/// The configuration that such entries describe. IoError: one is missing, or out of range. A choice
/// without an entry is the default.
GptConfig gpt_config(const Metadata& metadata);
/// How many numbers a GPT of this configuration is trained on, without building it:
///   (V + T) C + L (12 C^2 + 13 C) + 2 C, without T if positions are rotary,
/// and (2 L + 1) C fewer with RMSNorm
int64_t num_parameters(const GptConfig& config);

/// The model that a checkpoint holds. IoError: its configuration is missing, out of range, or asks
/// for another number of parameters than the file holds; this is noticed before a model is built,
/// because a few digits could ask for gigabytes. ValueError: the tensors' names or shapes differ.
Gpt load_gpt(const Checkpoint& checkpoint);
/// The same with a dropout of its own, to train the model further.
Gpt load_gpt(const Checkpoint& checkpoint, double dropout);

}  // namespace gradus
