#pragma once
#include <string>

#include "examples/support/data/text.h"
#include "examples/support/run/options.h"

namespace gradus::support {

/// The text that an example learns from: `file`, if it is not empty; under --fast little generated
/// stories; otherwise the best text that is installed. Prints its name and size. IoError as
/// load_text.
Corpus text_to_learn(const Example& app, const std::string& file);

}  // namespace gradus::support
