#pragma once
// Where everything in a figure is, in pixels, and what its axes and colours have to show.
#include <cmath>
#include <string>
#include <vector>

#include "examples/support/show/plot.h"

namespace gradus::support {

struct Range {
  double low = INFINITY, high = -INFINITY;
  bool empty() const { return low > high; }
  double length() const { return high - low; }
  void include(double v);  // ignores NaN and infinity
};

/// Whatever shows a figure scales it to a page or a screen. All figures are equally wide, and
/// letters and lines equally thick, so they are so there, too: large enough for the last row of a
/// lecture hall. Only a large matrix makes a figure larger.
constexpr double kFont = 20, kLine = 32, kLetter = 11.5;  // the height and width that text takes

/// Panels with the same axes share them: the labels on the left and at the bottom do for all. There
/// is one colour bar, on the right, and one legend, at the bottom, if all panels have the same.
struct Layout {
  Layout(const std::vector<Panel>& panels_, int columns_);

  size_t panels;
  int columns;
  bool shares_axes, shares_legend;
  bool slants_labels = false;       // of a matrix's columns
  Range colors;                     // of all panels; empty if there is no colour bar
  double left, right, top, bottom;  // what is around a plot
  double plot_width = 0, plot_height = 0;
  double legend_height = 0, bar_width = 0;
  double width = 960, height = 600;

  /// Whether the panel's axes have labels of their own.
  bool labels_x(size_t panel) const { return !shares_axes || panel + columns >= panels; }
  bool labels_y(size_t panel) const { return !shares_axes || panel % columns == 0; }
  double plot_left(size_t panel) const;
  double plot_top(size_t panel) const;
};

/// What an axis, 'x' or 'y', has to show of these panels: of points their coordinates (on a
/// logarithmic axis those that it can show), of a grid its ends.
Range extent(char axis, const std::vector<Panel>& panels);

/// What the legend names.
std::vector<std::string> legend(const Panel& panel);
constexpr const char *kPathStart = "start", *kPathEnd = "end";

}  // namespace gradus::support
