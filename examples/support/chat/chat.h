#pragma once
// Talking to the chatbot: on a terminal, or through a pipe with a question on each line.
#include "examples/support/chat/chatbot.h"

namespace gradus::support {

/// Reads questions and commands from standard input until it ends, and writes the answers as they
/// come. On a terminal lines can be edited, and Ctrl-C stops an answer. /help lists the commands.
void chat(const Gpt& model, const BytePairEncoder& tokenizer, SamplingOptions options,
          uint64_t seed);

}  // namespace gradus::support
