#pragma once
// Talking to the chatbot: on a terminal, or through a pipe with a question on each line.
#include "examples/support/chat/chatbot.h"

namespace gradus::support {

/// Reads questions and commands from standard input until it ends, and writes the answers as they
/// come. On a terminal lines can be edited, and Ctrl-C stops an answer. /help lists the commands,
/// and says what can be asked: `topics`. The words are the conversation's.
void chat(Conversation& conversation, const Words& words, const std::string& topics);

}  // namespace gradus::support
