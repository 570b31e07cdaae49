// Text from outside (titles, names, labels) goes between single quotes, where gnuplot substitutes
// nothing. Numbers go into data blocks.
#include "examples/support/show/gnuplot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "examples/support/show/layout.h"
#include "examples/support/show/terminal.h"

namespace gradus::support {
namespace {

using Kind = PlotLayer::Kind;

// Okabe and Ito's colours without their yellow, which is too pale for a line; a shape for each.
constexpr const char* kColors[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                   "#E69F00", "#56B4E9", "#000000", "#7F7F7F"};
constexpr const char* kPaleColors[] = {"#CFE4F2", "#F8DFCF", "#CFEBE2", "#F5E4ED",
                                       "#FBEBCF", "#E0F1FB", "#D9D9D9", "#EDEDED"};
constexpr int kShapes[] = {7, 9, 5, 13, 11, 15, 7, 9};
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

struct Tic {
  double at;
  std::string label;
};

std::string set_tics(const std::string& axis, const std::vector<Tic>& tics,
                     const char* layout = "") {
  std::string list;
  for (const Tic& tic : tics) {
    std::string label;  // gnuplot reads a label as a format, so % becomes %%
    for (const char c : tic.label) label += c == '%' ? "%%" : std::string(1, c);
    list += (list.empty() ? "" : ", ") + quote(label) + " " + number(tic.at);
  }
  return fmt::format("set {}tics ({}) {}\n", axis, list, layout);
}

std::string set_range(const std::string& axis, const Range& range) {
  return fmt::format("set {}range [{}:{}]\n", axis, number(range.low), number(range.high));
}

/// gnuplot ends a logarithmic axis at whole decades, which may leave most of it empty, and labels
/// 0.01 beside 1e-06. Ours ends where the data end, and its labels are in one notation. If it is
/// short, 2 and 5 get labels too; if it is long, not every decade does. If x has few values, those
/// are the labels.
std::string log_axis(const std::string& axis, const Panel& panel, const Range& range,
                     bool has_labels) {
  std::string out = fmt::format("set logscale {}\n", axis);
  if (range.empty()) return out;
  const auto [low, high] = range;
  std::set<double> values;
  for (const PlotLayer& layer : panel.layers())
    if (axis == "x") values.insert(layer.x.begin(), layer.x.end());
  if (values.empty() || values.size() > 8) {
    values.clear();
    const int first = static_cast<int>(std::floor(std::log10(low)));
    const int last = static_cast<int>(std::floor(std::log10(high)));
    const int stride = (last - first) / 6 + 1;  // in decades
    for (int decade = first; decade <= last; ++decade)
      for (const int digit : {1, 2, 5})
        if (digit == 1 ? decade % stride == 0 : high < 100 * low)
          values.insert(digit * std::pow(10, decade));
  }
  const bool plain = low >= 1e-3 && high < 1e6;
  const auto label = [plain](double v) {
    const double decade = std::floor(std::log10(v) + 1e-9);
    return plain || v == 1 ? fmt::format("{:g}", v)
                           : fmt::format("{:g}e{:.0f}", v / std::pow(10, decade), decade);
  };
  std::vector<Tic> tics;
  for (const double v : values)
    if (v >= low && v <= high) tics.push_back({v, has_labels ? label(v) : ""});
  // A little wider on both sides, or rounding may drop the label at an end.
  return out + set_range(axis, {low * (1 - 1e-6), high * (1 + 1e-6)}) + set_tics(axis, tics);
}

/// The least 1, 2 or 5 times a power of ten that leaves each label the room it needs.
double tic_step(const std::string& axis, const Range& range, double pixels) {
  const double least = range.length() * (axis == "x" ? 62 : 48) / pixels;
  double step = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {2.0, 2.5, 2.0})
    if (step < least) step *= factor;
  return step;
}

/// `exact`: the axis ends where the data end. Otherwise at a label.
std::string linear_axis(const std::string& axis, Range range, double pixels, bool exact,
                        bool has_labels) {
  if (range.empty() || range.length() == 0) return "";
  const double step = tic_step(axis, range, pixels);
  if (!exact) range = {step * std::floor(range.low / step), step * std::ceil(range.high / step)};
  return set_range(axis, range) + fmt::format("set {}tics {}\nset format {} '{}'\n", axis,
                                              number(step), axis, has_labels ? "%g" : "");
}

std::string matrix_settings(const PlotLayer& matrix, size_t panel, const Layout& figure) {
  const auto tics = [](const char* axis, bool has_labels, const std::vector<std::string>& labels,
                       const char* layout) {
    std::vector<Tic> out;
    for (const std::string& label : labels)
      out.push_back({double(out.size()), has_labels ? label : ""});
    return set_tics(axis, out, layout);
  };
  return fmt::format("set xrange [-0.5:{}.5]\nset yrange [{}.5:-0.5]\n", matrix.grid.nx - 1,
                     matrix.grid.ny - 1) +
         "unset grid\nset tics scale 0\n" + (matrix.format.empty() ? "set size ratio -1\n" : "") +
         tics("x", figure.labels_x(panel), matrix.column_labels,
              figure.slants_labels ? "rotate by 40 right" : "norotate center") +
         tics("y", figure.labels_y(panel), matrix.row_labels, "");
}

/// Margins that put a plot into this rectangle, in pixels from the figure's upper left corner.
std::string margins(const Layout& layout, double left, double right, double top, double bottom) {
  return fmt::format(
      "set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\n"
      "set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\n",
      left / layout.width, right / layout.width, 1 - top / layout.height,
      1 - bottom / layout.height);
}

/// Where the panel is, and which labels and colour bar it draws for others too.
std::string place(const std::vector<Panel>& panels, size_t p, const Layout& layout) {
  const Axes& axes = panels[p].axes();
  const double x = layout.plot_left(p), y = layout.plot_top(p);
  const double right = x + layout.plot_width, bottom = y + layout.plot_height;
  std::string out = margins(layout, x, right, y, bottom);
  out += fmt::format("set title {} offset 0,-0.4\n", quote(axes.title));
  const auto text = [](bool shown, const std::string& of) { return quote(shown ? of : ""); };
  out += fmt::format("set ylabel {} offset 1.2,0\n", text(layout.labels_y(p), axes.y));
  out += fmt::format("set xlabel {} offset 0,0.5\n", text(layout.labels_x(p), axes.x));
  if (p + 1 < panels.size()) return out + "unset colorbox\n";
  const double top = layout.plot_top(0);
  return out + fmt::format(
                   "set colorbox user origin screen {:.4f}, screen {:.4f} "
                   "size screen {:.4f}, screen {:.4f}\n",
                   1 - layout.bar_width / layout.width, 1 - bottom / layout.height,
                   22 / layout.width, (bottom - top) / layout.height);
}

/// Title, axes, ranges and palette of a panel.
std::string panel_settings(const std::vector<Panel>& panels, size_t p, const Layout& layout) {
  const Panel& panel = panels[p];
  std::string out =
      "reset\nset datafile missing 'NaN'\nset border 3 lw 1.5 lc rgb '#555555'\n"
      "set tics nomirror out scale 0.6 textcolor rgb '#333333'\nset xtics offset 0,0.3\n"
      "set grid back lt 1 lw 1 lc rgb '#E0E0E0'\nunset key\n" +
      place(panels, p, layout);
  const std::vector<Panel> with = layout.shares_axes ? panels : std::vector<Panel>{panel};
  const bool fills_plane = !panel.layers()[0].grid.values.empty();
  for (const bool is_x : {true, false}) {
    const std::string axis = is_x ? "x" : "y";
    const Range range = extent(axis[0], with);
    const double pixels = is_x ? layout.plot_width : layout.plot_height;
    const bool has_labels = is_x ? layout.labels_x(p) : layout.labels_y(p);
    out += (is_x ? panel.axes().log_x : panel.axes().log_y)
               ? log_axis(axis, panel, range, has_labels)
               : linear_axis(axis, range, pixels, is_x || fills_plane, has_labels);
  }
  out += linear_axis("cb", layout.colors, layout.plot_height, true, true);
  for (const PlotLayer& layer : panel.layers()) {
    const Grid& grid = layer.grid;
    if (layer.kind == Kind::Heat || layer.kind == Kind::Matrix || layer.kind == Kind::Image)
      out += palette(layer.colors);
    if (layer.kind == Kind::Heat && layer.colors == Colors::Classes) out += "unset colorbox\n";
    if (layer.kind == Kind::Matrix) out += matrix_settings(layer, p, layout);
    if (layer.kind == Kind::Matrix && !layer.format.empty()) out += "unset colorbox\n";
    if (layer.kind == Kind::Image)
      out += fmt::format("set xrange [0:{}]\nset yrange [{}:0]\nset cbrange [0:*]\n", grid.nx,
                         grid.ny) +
             "unset tics\nunset border\nunset colorbox\nunset grid\nset size ratio -1\n";
  }
  return out;
}

/// What is drawn of a layer's points: which of them, how, and its name in the legend, if any.
struct Mark {
  std::string points, style, name;
};

/// Of layers that take a colour.
std::vector<Mark> marks(const PlotLayer& layer, size_t color) {
  const std::string in_color = fmt::format("lc rgb '{}'", kColors[color]);
  const std::string shape = fmt::format("with points pt {} ", kShapes[color]);
  switch (layer.kind) {
    case Kind::Line: return {{"", "with lines lw 3 " + in_color, layer.name}};
    case Kind::Points:
      return {{"", shape + "ps 0.75 lc rgb '#FFFFFF'", ""},
              {"", shape + "ps 0.5 " + in_color, layer.name}};
    case Kind::Path:
      return {{"", "with linespoints lw 3 pt 7 ps 0.2 " + in_color, layer.name},
              {"every ::0::0", "with points pt 6 ps 1.4 lw 3 " + in_color, kPathStart},
              {fmt::format("every ::{0}::{0}", layer.x.size() - 1),
               "with points pt 3 ps 1.6 lw 3 " + in_color, kPathEnd}};
    default: return {};
  }
}

/// What the plot command says about the panel's layers, whose data blocks are $p0l0, $p0l1, …
std::string plot_clauses(const Panel& panel, size_t p) {
  std::string out;
  size_t colored_layers = 0;
  for (size_t l = 0; l < panel.layers().size(); ++l) {
    const PlotLayer& layer = panel.layers()[l];
    const std::string block = fmt::format("{}$p{}l{}", l > 0 ? ", " : "", p, l);
    switch (layer.kind) {
      case Kind::Heat:
      case Kind::Image: out += block + " using 1:2:3 with image"; break;
      case Kind::Contour: out += block + "lines using 1:2 with lines lw 2 lc rgb '#606060'"; break;
      case Kind::Matrix:
        out += block +
               " using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror fillstyle solid "
               "noborder linecolor palette";
        if (!layer.format.empty())
          out += fmt::format(
              ", $p{}l{} using 1:2:(sprintf({},$3)):4 with labels textcolor rgb "
              "variable",
              p, l, quote(layer.format));
        break;
      default: {
        const std::vector<Mark> all = marks(layer, colored_layers++ % kPaletteSize);
        for (size_t m = 0; m < all.size(); ++m)
          out += fmt::format("{} {} using 1:2 {}", m == 0 ? block : fmt::format(", $p{}l{}", p, l),
                             all[m].points, all[m].style);
      }
    }
  }
  return out;
}

/// The legend of a panel, as a plot that shows nothing else. In a plot of its own it may be wider
/// than the panel.
std::string legend_plot(const Panel& panel, const Layout& layout, double left, double right,
                        double bottom) {
  if (layout.legend_height == 0) return "";
  std::string entries;
  size_t colored_layers = 0;
  for (const PlotLayer& layer : panel.layers()) {
    if (layer.x.empty() && !layer.grid.values.empty()) continue;
    for (const Mark& mark : marks(layer, colored_layers++ % kPaletteSize))
      if (!mark.name.empty())
        entries += fmt::format(", keyentry {} title {}", mark.style, quote(mark.name));
  }
  return "reset\n" + margins(layout, left, right, bottom - layout.legend_height, bottom) +
         "unset border\nunset tics\nset xrange [0:1]\nset yrange [0:1]\n"
         "set key inside center center horizontal Left reverse samplen 1.5 width 1 "
         "textcolor rgb '#333333'\nplot 2 notitle" +
         entries + "\n";
}

}  // namespace

std::string gnuplot_script(const std::vector<Panel>& panels, int columns) {
  const Layout layout(panels, columns);
  std::string blocks, plots;
  for (size_t p = 0; p < panels.size(); ++p) {
    for (size_t l = 0; l < panels[p].layers().size(); ++l) {
      const PlotLayer& layer = panels[p].layers()[l];
      const std::string block = fmt::format("$p{}l{}", p, l);
      blocks += data_block(block, layer);
      if (layer.kind == Kind::Contour) blocks += contour_block(block, layer);
    }
    plots += panel_settings(panels, p, layout) + "plot " + plot_clauses(panels[p], p) + "\n";
    if (!layout.shares_legend) {
      const double left = layout.plot_left(p), bottom = layout.plot_top(p) + layout.plot_height;
      plots += legend_plot(panels[p], layout, left - layout.left, left + layout.plot_width,
                           bottom + layout.bottom + layout.legend_height);
    }
  }
  if (layout.shares_legend)
    plots += legend_plot(panels[0], layout, 0, layout.width, layout.height - 4);
  return blocks +
         fmt::format(
             "set terminal svg size {:.0f},{:.0f} noenhanced font 'sans-serif,{}' "
             "background 'white'\nset multiplot\n",
             layout.width, layout.height, kFont) +
         plots + "unset multiplot\n";
}

}  // namespace gradus::support
