// Text from outside (titles, names, labels) only ever stands between single quotes, where gnuplot
// substitutes nothing; numbers stand in data blocks.
#include "examples/support/show/gnuplot.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "examples/support/show/terminal.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

using Kind = PlotLayer::Kind;

// Okabe and Ito's colours, without the yellow that is too pale for a line; a shape for each.
constexpr const char* kColors[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                   "#E69F00", "#56B4E9", "#000000", "#7F7F7F"};
constexpr const char* kPale[] = {"#CFE4F2", "#F8DFCF", "#CFEBE2", "#F5E4ED",
                                 "#FBEBCF", "#E0F1FB", "#D9D9D9", "#EDEDED"};
constexpr int kShapes[] = {7, 9, 5, 13, 11, 15, 7, 9};
constexpr const char *kStart = "start", *kEnd = "end";  // of a path, in the legend
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

Size pixels(const Panel& panel, bool alone) {
  for (const PlotLayer& l : panel.layers()) {
    if (l.kind == Kind::Image) return {130, 165};
    if (l.kind != Kind::Matrix) continue;
    int longest = 0;
    for (const std::string& s : l.rows) longest = std::max(longest, display_width(s));
    for (const std::string& s : l.columns) longest = std::max(longest, display_width(s));
    const int64_t cell = l.format.empty() ? 22 : 46;
    return {150 + 8 * longest + cell * l.grid.nx, 110 + 6 * longest + cell * l.grid.ny};
  }
  return alone ? Size{640, 440} : Size{440, 360};
}

/// The same for panels side by side, as long as their values are of the usual size.
std::string symmetric_range(const std::vector<double>& values) {
  double edge = 1;
  for (const double v : values)
    if (std::isfinite(v)) edge = std::max(edge, std::abs(v));
  return fmt::format("set cbrange [{}:{}]\n", number(-edge), number(edge));
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
    out += fmt::format("{}{} '{}'", i > 0 ? ", " : "", i, kPale[i]);
  return out + ")\n";
}

/// Dark text on a light cell, white on a dark one.
int text_color(const PlotLayer& matrix, double value) {
  const auto [low, high] =
      std::minmax_element(matrix.grid.values.begin(), matrix.grid.values.end());
  return value > (*low + *high) / 2 && matrix.colors == Colors::Blues ? 0xFFFFFF : 0x222222;
}

/// The same picture with `times` × `times` cells for one.
Grid enlarged(const Grid& g, int64_t times) {
  Grid out{g.x0, g.x1, g.y0, g.y1, g.nx * times, g.ny * times, {}};
  for (int64_t i = 0; i < out.nx * out.ny; ++i)
    out.values.push_back(g.values[i / out.nx / times * g.nx + i % out.nx / times]);
  return out;
}

/// The layer's numbers: "x y" or "x y value (colour of the text)"; a blank line after each row.
std::string data_block(const std::string& name, const PlotLayer& l) {
  std::string out = name + " << EOD\n";
  for (size_t i = 0; i < l.x.size(); ++i)
    out += fmt::format("{} {}\n", number(l.x[i]), number(l.y[i]));
  // Viewers blur an enlarged picture; one that is large already keeps its pixels square.
  const Grid grid = l.kind == Kind::Image ? enlarged(l.grid, 5) : l.grid;
  for (int64_t row = 0; row < grid.ny; ++row) {
    for (int64_t column = 0; column < grid.nx; ++column) {
      const double v = grid.values[row * grid.nx + column];
      out += fmt::format("{} {} {}", number(grid.x(column)), number(grid.y(row)), number(v));
      out += l.kind == Kind::Matrix ? fmt::format(" {}\n", text_color(l, v)) : "\n";
    }
    out += "\n";
  }
  return out + "EOD\n";
}

/// Turns the block of a Contour layer from a grid into the lines of equal value.
std::string contour_block(const std::string& name, const PlotLayer& l) {
  std::string levels;
  for (double level : l.levels) levels += (levels.empty() ? "" : ", ") + number(level);
  return fmt::format(
      "set contour base\nunset surface\nset cntrparam levels discrete {}\nset table {}lines\n"
      "splot {}\nunset table\nreset\n",
      levels, name, name);
}

std::string tics(const char* axis, const std::vector<std::string>& labels, const char* more) {
  std::string out = fmt::format("set {} (", axis);
  for (size_t i = 0; i < labels.size(); ++i) {
    std::string label;  // which gnuplot reads as a format
    for (const char c : labels[i]) label += c == '%' ? "%%" : std::string(1, c);
    out += fmt::format("{}{} {}", i > 0 ? ", " : "", quote(label), i);
  }
  return out + fmt::format(") {}\n", more);
}

std::string matrix_settings(const PlotLayer& l) {
  const bool wide = std::any_of(l.columns.begin(), l.columns.end(),
                                [](const std::string& s) { return display_width(s) > 3; });
  return fmt::format("set xrange [-0.5:{}.5]\nset yrange [{}.5:-0.5]\nset size ratio -1\n",
                     l.grid.nx - 1, l.grid.ny - 1) +
         "unset grid\nset tics scale 0\n" + (l.format.empty() ? "" : "unset colorbox\n") +
         tics("xtics", l.columns, wide ? "rotate by 40 right" : "norotate center") +
         tics("ytics", l.rows, "");
}

/// gnuplot ends a logarithmic axis at whole decades, which may leave most of it empty, and labels
/// nothing but those. So this one ends where the data do; a short one has labels at 2 and 5 too, and
/// one with few points has its labels at those.
std::string log_axis(const char* axis, const Panel& panel) {
  std::set<double> values;
  for (const PlotLayer& l : panel.layers())
    for (const double v : *axis == 'x' ? l.x : l.y)
      if (v > 0 && std::isfinite(v)) values.insert(v);
  std::string out = fmt::format("set logscale {0}\nset format {0} '%g'\n", axis);
  if (values.empty()) return out;
  const double low = *values.begin(), high = *values.rbegin();
  // A little more on both sides, or rounding costs a label that stands at an end.
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

/// How many rows gnuplot needs for the legend of a panel of this width: it does not make room for
/// them by itself.
int legend_rows(const Panel& panel, int64_t width) {
  int64_t names = 0, longest = 0;
  const auto add = [&](const std::string& name) {
    if (!name.empty()) ++names, longest = std::max<int64_t>(longest, display_width(name));
  };
  for (const PlotLayer& l : panel.layers()) {
    add(l.name);
    if (l.kind == Kind::Path) add(kStart), add(kEnd);
  }
  const int64_t columns = std::max<int64_t>(1, (width - 110) / (54 + 7 * longest));
  return static_cast<int>((names + columns - 1) / columns);
}

/// What holds for the whole panel: title, axes, ranges, palette.
std::string settings(const Panel& panel, int64_t width) {
  const Axes& axes = panel.axes();
  std::string out =
      "reset\nset datafile missing 'NaN'\nset border 3 lc rgb '#555555'\n"
      "set tics nomirror out textcolor rgb '#333333'\n"
      "set grid back lt 1 lw 1 lc rgb '#E8E8E8'\n"
      "set key bmargin center horizontal Left reverse samplen 1.5 width 1 textcolor rgb "
      "'#333333'\n";
  out += fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", quote(axes.title),
                     quote(axes.x), quote(axes.y));
  if (const int rows = legend_rows(panel, width); rows > 0)
    out += fmt::format("set bmargin {}\n", (axes.x.empty() ? 3 : 4.5) + rows);
  if (width < 500) out += "set tics font ',10'\n";  // or 1800 and 2000 would touch
  if (axes.log_x) out += log_axis("x", panel);
  if (axes.log_y) out += log_axis("y", panel);
  for (const PlotLayer& l : panel.layers()) {
    const Grid& g = l.grid;
    if (l.kind == Kind::Heat || l.kind == Kind::Matrix || l.kind == Kind::Image)
      out += palette(l.colors);
    if (l.colors == Colors::Diverging) out += symmetric_range(g.values);
    if (l.colors == Colors::Chances) out += "set cbrange [0:1]\n";
    if (l.kind == Kind::Heat || l.kind == Kind::Contour)
      out += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", number(g.x0), number(g.x1),
                         number(g.y0), number(g.y1));
    if (l.kind == Kind::Heat && l.colors == Colors::Classes) out += "unset colorbox\n";
    if (l.kind == Kind::Matrix) out += matrix_settings(l);
    if (l.kind == Kind::Image)
      out += fmt::format("set xrange [0:{}]\nset yrange [{}:0]\nset cbrange [0:*]\n", g.nx, g.ny) +
             "unset tics\nunset border\nunset colorbox\nunset grid\nset size ratio -1\n"
             "set margins 0.5, 0.5, 0.5, 2.6\nset title font ',9' offset 0,-0.6\n";
  }
  return out;
}

/// The clauses of the plot command for one layer; `color` counts the layers that take a colour.
std::string clauses(const std::string& block, const PlotLayer& l, size_t& color) {
  const std::string title = l.name.empty() ? "notitle" : "title " + quote(l.name);
  const auto next = [&] { return color++ % kPaletteSize; };
  switch (l.kind) {
    case Kind::Heat:
    case Kind::Image: return block + " using 1:2:3 with image notitle";
    case Kind::Contour: return block + "lines using 1:2 with lines lw 1.2 lc rgb '#606060' notitle";
    case Kind::Matrix:
      return block +
             " using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror fillstyle "
             "solid noborder linecolor palette notitle" +
             (l.format.empty() ? ""
                               : fmt::format(", {} using 1:2:(sprintf({},$3)):4 with labels font "
                                             "',10' textcolor rgb variable notitle",
                                             block, quote(l.format)));
    case Kind::Line:
      return fmt::format("{} using 1:2 with lines lw 2 lc rgb '{}' {}", block, kColors[next()],
                         title);
    case Kind::Points: {
      const size_t c = next();
      return fmt::format(
          "{0} using 1:2 with points pt {1} ps 0.75 lc rgb '#FFFFFF' notitle, "
          "{0} using 1:2 with points pt {1} ps 0.5 lc rgb '{2}' {3}",
          block, kShapes[c], kColors[c], title);
    }
    case Kind::Path: {
      const char* const c = kColors[next()];
      return fmt::format(
          "{0} using 1:2 with linespoints lw 1.6 pt 7 ps 0.2 lc rgb '{1}' {2}, "
          "{0} using 1:2 every ::0::0 with points pt 6 ps 1.2 lw 2 lc rgb '{1}' title '{4}', "
          "{0} using 1:2 every ::{3}::{3} with points pt 3 ps 1.4 lw 2 lc rgb '{1}' title '{5}'",
          block, c, title, l.x.size() - 1, kStart, kEnd);
    }
  }
  return "";
}

}  // namespace

std::string gnuplot_script(const std::vector<Panel>& panels, int columns) {
  const auto name = [](size_t panel, size_t layer) { return fmt::format("$p{}l{}", panel, layer); };
  Size size{0, 0};
  std::string blocks, plots;
  for (size_t p = 0; p < panels.size(); ++p) {
    const Size own = pixels(panels[p], panels.size() == 1);
    size = {std::max(size.width, own.width), std::max(size.height, own.height)};
    std::string plot;
    size_t color = 0;
    for (size_t l = 0; l < panels[p].layers().size(); ++l) {
      const PlotLayer& layer = panels[p].layers()[l];
      blocks += data_block(name(p, l), layer);
      if (layer.kind == Kind::Contour) blocks += contour_block(name(p, l), layer);
      plot += (l > 0 ? ", " : "plot ") + clauses(name(p, l), layer, color);
    }
    plots += settings(panels[p], own.width) + plot + "\n";
  }
  const auto rows = (static_cast<int64_t>(panels.size()) + columns - 1) / columns;
  const std::string head = fmt::format(
      "set terminal svg size {},{} noenhanced font 'sans-serif,12' background 'white'\n",
      size.width * columns, size.height * rows);
  if (panels.size() == 1) return blocks + head + plots;
  return blocks + head + fmt::format("set multiplot layout {},{}\n", rows, columns) + plots +
         "unset multiplot\n";
}

}  // namespace gradus::support
