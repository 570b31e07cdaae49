#include "examples/support/show/layout.h"

#include <algorithm>

#include "examples/support/show/terminal.h"

namespace gradus::support {
namespace {

using Kind = PlotLayer::Kind;

constexpr double kGap = 20;        // around everything
constexpr double kBarWidth = 105;  // with its numbers
constexpr double kCell = 25;       // the least size of a matrix's cell
constexpr int kTickLetters = 5;    // of a number beside an axis

bool has_bar(const PlotLayer& layer) {
  return (layer.kind == Kind::Heat && layer.colors != Colors::Classes) ||
         (layer.kind == Kind::Matrix && layer.format.empty());
}

/// The colours of all panels, so that a colour means the same in each.
Range color_range(const std::vector<Panel>& panels) {
  Range range;
  for (const Panel& panel : panels)
    for (const PlotLayer& layer : panel.layers()) {
      if (!has_bar(layer)) continue;
      if (layer.colors == Colors::Chances) range = {0, 1};
      if (layer.colors == Colors::Diverging) range.include(1);
      for (const double v : layer.grid.values)
        range.include(layer.colors == Colors::Diverging ? std::abs(v) : v);
      if (layer.colors == Colors::Diverging) range.low = -range.high;
    }
  return range;
}

int longest(const std::vector<std::string>& texts) {
  int columns = 0;
  for (const std::string& text : texts) columns = std::max(columns, display_width(text));
  return columns;
}

template <class Same>
bool all_same(const std::vector<Panel>& panels, const Same& same) {
  return std::all_of(panels.begin(), panels.end(),
                     [&](const Panel& panel) { return same(panels[0], panel); });
}

}  // namespace

void Range::include(double v) {
  if (!std::isfinite(v)) return;
  low = std::min(low, v);
  high = std::max(high, v);
}

Range extent(char axis, const std::vector<Panel>& panels) {
  Range range;
  for (const Panel& panel : panels)
    for (const PlotLayer& layer : panel.layers()) {
      const bool is_log = axis == 'x' ? panel.axes().log_x : panel.axes().log_y;
      for (const double v : axis == 'x' ? layer.x : layer.y)
        if (v > 0 || !is_log) range.include(v);
      if (layer.grid.values.empty()) continue;
      range.include(axis == 'x' ? layer.grid.x0 : layer.grid.y0);
      range.include(axis == 'x' ? layer.grid.x1 : layer.grid.y1);
    }
  return range;
}

std::vector<std::string> legend(const Panel& panel) {
  std::vector<std::string> names;
  for (const PlotLayer& layer : panel.layers()) {
    if (!layer.name.empty()) names.push_back(layer.name);
    if (layer.kind == Kind::Path) names.insert(names.end(), {kPathStart, kPathEnd});
  }
  return names;
}

Layout::Layout(const std::vector<Panel>& panels_, int columns_)
    : panels(panels_.size()),
      columns(std::min(columns_, static_cast<int>(panels))),
      shares_axes(panels > 1 && all_same(panels_,
                                         [](const Panel& a, const Panel& b) {
                                           return a.axes().x == b.axes().x &&
                                                  a.axes().y == b.axes().y &&
                                                  a.axes().log_x == b.axes().log_x &&
                                                  a.axes().log_y == b.axes().log_y;
                                         })),
      shares_legend(
          all_same(panels_, [](const Panel& a, const Panel& b) { return legend(a) == legend(b); })),
      colors(color_range(panels_)),
      left(kGap),
      right(1.5 * kGap),  // for half of the last label
      top(kGap),
      bottom(kGap),
      bar_width(colors.empty() ? 0 : kBarWidth) {
  const auto rows = (static_cast<int>(panels) + columns - 1) / columns;
  height = std::max(height, 300.0 * rows);
  double least_width = 0, least_height = 0;  // of a plot
  double column_label = 0, column_cells = 1;
  bool has_pictures = false, is_square = false;
  for (const Panel& panel : panels_) {
    const Axes& axes = panel.axes();
    const auto title_lines = 1 + std::count(axes.title.begin(), axes.title.end(), '\n');
    top = std::max(top, kGap + (axes.title.empty() ? 0 : kLine * double(title_lines)));
    double row_label = kLetter * kTickLetters;
    for (const PlotLayer& layer : panel.layers()) {
      has_pictures = has_pictures || layer.kind == Kind::Image;
      if (layer.kind != Kind::Matrix) continue;
      is_square = is_square || layer.format.empty();
      row_label = kLetter * longest(layer.row_labels);
      column_label = std::max(column_label, kLetter * longest(layer.column_labels));
      column_cells = std::max(column_cells, double(layer.grid.nx));
      least_width = std::max(least_width, kCell * double(layer.grid.nx));
      least_height = std::max(least_height, kCell * double(layer.grid.ny));
    }
    left = std::max(left, kGap + row_label + (axes.y.empty() ? 0 : 1.6 * kLine));
    bottom = std::max(bottom, kGap + (axes.x.empty() ? 1 : 2) * kLine);
    const std::vector<std::string> names = legend(panel);
    const double entry = 85 + kLetter * longest(names);  // with its line or mark
    const double per_line =
        std::max(1.0, std::floor((shares_legend ? width : width / columns) / entry));
    legend_height = std::max(legend_height, kLine * std::ceil(double(names.size()) / per_line));
  }
  if (has_pictures) left = right = bottom = kGap / 4;

  const auto labelled = [&](int in_line) { return shares_axes ? 1 : in_line; };
  const double beside =
      bar_width + left * labelled(columns) + kGap * (columns - labelled(columns)) + right * columns;
  width = std::max(width, beside + least_width * columns);
  plot_width = (width - beside) / columns;

  slants_labels = column_label > plot_width / column_cells;
  if (slants_labels) bottom += 0.7 * column_label;
  const double above = top * rows + bottom * labelled(rows) + kGap * (rows - labelled(rows)) +
                       legend_height * (shares_legend ? 1 : rows);
  plot_height = std::max(least_height, (height - above) / rows);
  if (has_pictures || (is_square && plot_height > plot_width)) plot_height = plot_width;
  height = above + plot_height * rows;
}

double Layout::plot_left(size_t panel) const {
  const auto column = static_cast<int>(panel) % columns;
  const double between = plot_width + right + (shares_axes ? kGap : left);
  return left + between * column;
}

double Layout::plot_top(size_t panel) const {
  const auto row = static_cast<int>(panel) / columns;
  const double between =
      plot_height + top + (shares_axes ? kGap : bottom) + (shares_legend ? 0 : legend_height);
  return top + between * row;
}

}  // namespace gradus::support
