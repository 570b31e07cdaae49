#pragma once
// Panels (plot.h) as a script for gnuplot, which writes SVG to its standard output.
#include <string>
#include <vector>

#include "examples/support/show/plot.h"

namespace gradus::support {

/// `columns` panels per row.
std::string gnuplot_script(const std::vector<Panel>& panels, int columns);

}  // namespace gradus::support
