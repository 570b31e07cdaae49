// Text from outside (titles, names, labels) goes between single quotes, where gnuplot substitutes
// nothing. Numbers go into data blocks.
#include "examples/support/show/gnuplot.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "examples/support/show/terminal.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

using Kind = PlotLayer::Kind;

// Okabe and Ito's colours without their yellow, which is too pale for a line; a shape for each.
constexpr const char* kColors[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                   "#E69F00", "#56B4E9", "#000000", "#7F7F7F"};
constexpr const char* kPaleColors[] = {"#CFE4F2", "#F8DFCF", "#CFEBE2", "#F5E4ED",
                                       "#FBEBCF", "#E0F1FB", "#D9D9D9", "#EDEDED"};
constexpr int kShapes[] = {7, 9, 5, 13, 11, 15, 7, 9};
constexpr const char *kPathStart = "start", *kPathEnd = "end";  // in the legend
constexpr size_t kPaletteSize = std::size(kColors);

std::string quote(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\n')
      out += "'.\"\\n\".'";
    else if (c == '\'')
      out += "''";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out + "'";
}

std::string number(double v) { return std::isfinite(v) ? fmt::format("{:.9g}", v) : "NaN"; }

struct Size {
  int64_t width, height;
};

Size size_in_pixels(const Panel& panel, bool is_only_panel) {
  for (const PlotLayer& layer : panel.layers()) {
    if (layer.kind == Kind::Image) return {130, 165};
    if (layer.kind != Kind::Matrix) continue;
    int longest = 0;
    for (const std::string& label : layer.row_labels)
      longest = std::max(longest, display_width(label));
    for (const std::string& label : layer.column_labels)
      longest = std::max(longest, display_width(label));
    const int64_t cell = layer.format.empty() ? 22 : 46;
    return {150 + 8 * longest + cell * layer.grid.nx, 110 + 6 * longest + cell * layer.grid.ny};
  }
  return is_only_panel ? Size{640, 440} : Size{440, 360};
}

/// At least -1 to 1, so that panels side by side usually share one range.
std::string symmetric_color_range(const std::vector<double>& values) {
  double largest = 1;
  for (const double v : values)
    if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
  return fmt::format("set cbrange [{}:{}]\n", number(-largest), number(largest));
}

std::string palette(Colors colors) {
  switch (colors) {
    case Colors::Blues:
      return "set palette defined (0 '#FFFFFF', 1 '#C6DBEF', 2 '#6BAED6', 3 '#2171B5', 4 "
             "'#08306B')\n";
    case Colors::Diverging:
    case Colors::Chances: return "set palette defined (0 '#7FB8D8', 1 '#FFFFFF', 2 '#EAAE7F')\n";
    case Colors::Terrain: return "set palette defined (0 '#8A929C', 1 '#FBFBFC')\n";
    case Colors::Ink: return "set palette defined (0 '#FFFFFF', 1 '#000000')\n";
    case Colors::Classes: break;
  }
  std::string out = fmt::format("set cbrange [-0.5:{}.5]\nset palette maxcolors {} defined (",
                                kPaletteSize - 1, kPaletteSize);
  for (size_t i = 0; i < kPaletteSize; ++i)
    out += fmt::format("{}{} '{}'", i > 0 ? ", " : "", i, kPaleColors[i]);
  return out + ")\n";
}

/// Dark text on a light cell, white on a dark one.
int text_color(const PlotLayer& matrix, double value) {
  const auto [low, high] =
      std::minmax_element(matrix.grid.values.begin(), matrix.grid.values.end());
  return value > (*low + *high) / 2 && matrix.colors == Colors::Blues ? 0xFFFFFF : 0x222222;
}

/// Every cell repeated `factor` × `factor` times.
Grid enlarged(const Grid& grid, int64_t factor) {
  Grid out{grid.x0, grid.x1, grid.y0, grid.y1, grid.nx * factor, grid.ny * factor, {}};
  for (int64_t row = 0; row < out.ny; ++row)
    for (int64_t column = 0; column < out.nx; ++column)
      out.values.push_back(grid.values[row / factor * grid.nx + column / factor]);
  return out;
}

/// The layer's numbers: "x y" or "x y value (colour of the text)"; a blank line after each row.
std::string data_block(const std::string& name, const PlotLayer& layer) {
  std::string out = name + " << EOD\n";
  for (size_t i = 0; i < layer.x.size(); ++i)
    out += fmt::format("{} {}\n", number(layer.x[i]), number(layer.y[i]));
  // Viewers blur a small picture when they enlarge it; enlarged here, its pixels stay square.
  const Grid grid = layer.kind == Kind::Image ? enlarged(layer.grid, 5) : layer.grid;
  for (int64_t row = 0; row < grid.ny; ++row) {
    for (int64_t column = 0; column < grid.nx; ++column) {
      const double v = grid.values[row * grid.nx + column];
      out += fmt::format("{} {} {}", number(grid.x(column)), number(grid.y(row)), number(v));
      out += layer.kind == Kind::Matrix ? fmt::format(" {}\n", text_color(layer, v)) : "\n";
    }
    out += "\n";
  }
  return out + "EOD\n";
}

/// Turns the block of a Contour layer from a grid into the lines of equal value.
std::string contour_block(const std::string& name, const PlotLayer& layer) {
  std::string levels;
  for (const double level : layer.levels) levels += (levels.empty() ? "" : ", ") + number(level);
  return fmt::format(
      "set contour base\nunset surface\nset cntrparam levels discrete {}\nset table {}lines\n"
      "splot {}\nunset table\nreset\n",
      levels, name, name);
}

std::string tics(const char* axis, const std::vector<std::string>& labels, const char* layout) {
  std::string out = fmt::format("set {} (", axis);
  for (size_t i = 0; i < labels.size(); ++i) {
    std::string label;  // gnuplot reads a label as a format, so % becomes %%
    for (const char c : labels[i]) label += c == '%' ? "%%" : std::string(1, c);
    out += fmt::format("{}{} {}", i > 0 ? ", " : "", quote(label), i);
  }
  return out + fmt::format(") {}\n", layout);
}

std::string matrix_settings(const PlotLayer& matrix) {
  const auto is_wide = [](const std::string& label) { return display_width(label) > 3; };
  const bool slant = std::any_of(matrix.column_labels.begin(), matrix.column_labels.end(), is_wide);
  return fmt::format("set xrange [-0.5:{}.5]\nset yrange [{}.5:-0.5]\nset size ratio -1\n",
                     matrix.grid.nx - 1, matrix.grid.ny - 1) +
         "unset grid\nset tics scale 0\n" + (matrix.format.empty() ? "" : "unset colorbox\n") +
         tics("xtics", matrix.column_labels, slant ? "rotate by 40 right" : "norotate center") +
         tics("ytics", matrix.row_labels, "");
}

/// gnuplot ends a logarithmic axis at whole decades, which may leave most of it empty, and labels
/// only those decades. Ours ends where the data end. If it is short, 2 and 5 get labels too. If x
/// has few values, those are the labels.
std::string log_axis(const char* axis, const Panel& panel) {
  std::set<double> values;
  for (const PlotLayer& layer : panel.layers())
    for (const double v : *axis == 'x' ? layer.x : layer.y)
      if (v > 0 && std::isfinite(v)) values.insert(v);
  std::string out = fmt::format("set logscale {0}\nset format {0} '%g'\n", axis);
  if (values.empty()) return out;
  const double low = *values.begin(), high = *values.rbegin();
  // A little wider on both sides, or rounding may drop the label at an end.
  out += fmt::format("set {}range [{}:{}]\n", axis, number(low * (1 - 1e-6)),
                     number(high * (1 + 1e-6)));
  std::vector<double> labels;
  if (*axis == 'x' && values.size() <= 8)
    labels.assign(values.begin(), values.end());
  else if (high < 100 * low)
    for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high; decade *= 10)
      for (const double v : {decade, 2 * decade, 5 * decade})
        if (v >= low && v <= high) labels.push_back(v);
  if (labels.empty()) return out;
  std::string list;
  for (const double v : labels) list += (list.empty() ? "" : ", ") + number(v);
  return out + fmt::format("set {}tics ({})\n", axis, list);
}

/// How many lines the legend takes in a panel of this width. gnuplot does not make room for them
/// by itself.
int64_t legend_lines(const Panel& panel, int64_t width) {
  std::vector<std::string> names;
  for (const PlotLayer& layer : panel.layers()) {
    if (!layer.name.empty()) names.push_back(layer.name);
    if (layer.kind == Kind::Path) names.insert(names.end(), {kPathStart, kPathEnd});
  }
  int64_t longest = 0;
  for (const std::string& name : names) longest = std::max<int64_t>(longest, display_width(name));
  const int64_t per_line = std::max<int64_t>(1, (width - 110) / (54 + 7 * longest));
  return (std::ssize(names) + per_line - 1) / per_line;
}

/// Title, axes, ranges and palette of a panel.
std::string panel_settings(const Panel& panel, int64_t width) {
  const Axes& axes = panel.axes();
  std::string out =
      "reset\nset datafile missing 'NaN'\nset border 3 lc rgb '#555555'\n"
      "set tics nomirror out textcolor rgb '#333333'\n"
      "set grid back lt 1 lw 1 lc rgb '#E8E8E8'\n"
      "set key bmargin center horizontal Left reverse samplen 1.5 width 1 textcolor rgb "
      "'#333333'\n";
  out += fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", quote(axes.title),
                     quote(axes.x), quote(axes.y));
  if (const int64_t lines = legend_lines(panel, width); lines > 0)
    out += fmt::format("set bmargin {}\n", (axes.x.empty() ? 3 : 4.5) + double(lines));
  if (width < 500) out += "set tics font ',10'\n";  // a larger font lets 1800 and 2000 touch
  if (axes.log_x) out += log_axis("x", panel);
  if (axes.log_y) out += log_axis("y", panel);
  for (const PlotLayer& layer : panel.layers()) {
    const Grid& grid = layer.grid;
    if (layer.kind == Kind::Heat || layer.kind == Kind::Matrix || layer.kind == Kind::Image)
      out += palette(layer.colors);
    if (layer.colors == Colors::Diverging) out += symmetric_color_range(grid.values);
    if (layer.colors == Colors::Chances) out += "set cbrange [0:1]\n";
    if (layer.kind == Kind::Heat || layer.kind == Kind::Contour)
      out += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", number(grid.x0),
                         number(grid.x1), number(grid.y0), number(grid.y1));
    if (layer.kind == Kind::Heat && layer.colors == Colors::Classes) out += "unset colorbox\n";
    if (layer.kind == Kind::Matrix) out += matrix_settings(layer);
    if (layer.kind == Kind::Image)
      out += fmt::format("set xrange [0:{}]\nset yrange [{}:0]\nset cbrange [0:*]\n", grid.nx,
                         grid.ny) +
             "unset tics\nunset border\nunset colorbox\nunset grid\nset size ratio -1\n"
             "set margins 0.5, 0.5, 0.5, 2.6\nset title font ',9' offset 0,-0.6\n";
  }
  return out;
}

/// What the plot command says about one layer. `colored_layers` counts those that took a colour.
std::string plot_clauses(const std::string& block, const PlotLayer& layer, size_t& colored_layers) {
  const std::string title = layer.name.empty() ? "notitle" : "title " + quote(layer.name);
  const auto next_color = [&] { return colored_layers++ % kPaletteSize; };
  switch (layer.kind) {
    case Kind::Heat:
    case Kind::Image: return block + " using 1:2:3 with image notitle";
    case Kind::Contour: return block + "lines using 1:2 with lines lw 1.2 lc rgb '#606060' notitle";
    case Kind::Matrix:
      return block +
             " using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror fillstyle "
             "solid noborder linecolor palette notitle" +
             (layer.format.empty()
                  ? ""
                  : fmt::format(", {} using 1:2:(sprintf({},$3)):4 with labels font "
                                "',10' textcolor rgb variable notitle",
                                block, quote(layer.format)));
    case Kind::Line:
      return fmt::format("{} using 1:2 with lines lw 2 lc rgb '{}' {}", block,
                         kColors[next_color()], title);
    case Kind::Points: {
      const size_t color = next_color();
      return fmt::format(
          "{0} using 1:2 with points pt {1} ps 0.75 lc rgb '#FFFFFF' notitle, "
          "{0} using 1:2 with points pt {1} ps 0.5 lc rgb '{2}' {3}",
          block, kShapes[color], kColors[color], title);
    }
    case Kind::Path: {
      const char* const color = kColors[next_color()];
      return fmt::format(
          "{0} using 1:2 with linespoints lw 1.6 pt 7 ps 0.2 lc rgb '{1}' {2}, "
          "{0} using 1:2 every ::0::0 with points pt 6 ps 1.2 lw 2 lc rgb '{1}' title '{4}', "
          "{0} using 1:2 every ::{3}::{3} with points pt 3 ps 1.4 lw 2 lc rgb '{1}' title '{5}'",
          block, color, title, layer.x.size() - 1, kPathStart, kPathEnd);
    }
  }
  return "";
}

}  // namespace

std::string gnuplot_script(const std::vector<Panel>& panels, int columns) {
  Size cell{0, 0};  // every panel gets the space that the largest needs
  std::string blocks, plots;
  for (size_t p = 0; p < panels.size(); ++p) {
    const Size size = size_in_pixels(panels[p], panels.size() == 1);
    cell = {std::max(cell.width, size.width), std::max(cell.height, size.height)};
    std::string plot;
    size_t colored_layers = 0;
    for (size_t l = 0; l < panels[p].layers().size(); ++l) {
      const PlotLayer& layer = panels[p].layers()[l];
      const std::string block = fmt::format("$p{}l{}", p, l);
      blocks += data_block(block, layer);
      if (layer.kind == Kind::Contour) blocks += contour_block(block, layer);
      plot += (l > 0 ? ", " : "plot ") + plot_clauses(block, layer, colored_layers);
    }
    plots += panel_settings(panels[p], size.width) + plot + "\n";
  }
  const auto rows = (static_cast<int64_t>(panels.size()) + columns - 1) / columns;
  const std::string head = fmt::format(
      "set terminal svg size {},{} noenhanced font 'sans-serif,12' background 'white'\n",
      cell.width * columns, cell.height * rows);
  if (panels.size() == 1) return blocks + head + plots;
  return blocks + head + fmt::format("set multiplot layout {},{}\n", rows, columns) + plots +
         "unset multiplot\n";
}

}  // namespace gradus::support
