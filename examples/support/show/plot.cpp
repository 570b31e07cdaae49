// A panel checks its data when it is given them. gnuplot.cpp draws; the CSV is written here. Lines
// that share their x become a column each. Anything else becomes one row per number, with its panel
// and series, which any spreadsheet or data-frame library can pivot.
#include "examples/support/show/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "examples/support/data/csv.h"
#include "examples/support/show/gnuplot.h"
#include "examples/support/show/process.h"
#include "examples/support/show/terminal.h"
#include "nn/file.h"
#include "nn/text/utf8.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

using Kind = PlotLayer::Kind;

void check_grid(const char* operation, const Grid& g) {
  check<ValueError>(g.nx > 0 && g.ny > 0 && g.nx * g.ny == static_cast<int64_t>(g.values.size()),
                    "{}: {} values for a grid of {} × {}; give one value per cell", operation,
                    g.values.size(), g.nx, g.ny);
}

std::string cell(double v) { return fmt::format("{:.7g}", v); }

/// Whether there is a single panel, with nothing but lines over the same x.
bool lines_share_x(const std::vector<Panel>& panels) {
  if (panels.size() != 1) return false;
  const auto& layers = panels[0].layers();
  return std::all_of(layers.begin(), layers.end(), [&](const PlotLayer& l) {
    return l.kind == Kind::Line && l.x == layers[0].x;
  });
}

void write_column_per_line(const std::filesystem::path& path, const Panel& panel) {
  const auto& layers = panel.layers();
  std::vector<std::string> header = {panel.axes().x.empty() ? "x" : panel.axes().x};
  for (const PlotLayer& l : layers) header.push_back(l.name.empty() ? panel.axes().y : l.name);
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < layers[0].x.size(); ++i) {
    rows.push_back({cell(layers[0].x[i])});
    for (const PlotLayer& l : layers) rows.back().push_back(cell(l.y[i]));
  }
  write_csv(path, header, rows);
}

void write_row_per_number(const std::filesystem::path& path, const std::vector<Panel>& panels) {
  std::vector<std::vector<std::string>> rows;
  for (const Panel& panel : panels) {
    for (const PlotLayer& l : panel.layers()) {
      if (l.kind == Kind::Contour) continue;  // lines through a grid, whose values we leave out
      const std::string& title = panel.axes().title;
      for (size_t i = 0; i < l.x.size(); ++i)
        rows.push_back({title, l.name, cell(l.x[i]), cell(l.y[i]), ""});
      for (size_t i = 0; i < l.grid.values.size(); ++i) {
        const size_t row = i / l.grid.nx, column = i % l.grid.nx;
        const bool labelled = l.kind == Kind::Matrix;
        rows.push_back({title, l.name, labelled ? l.column_labels[column] : cell(l.grid.x(column)),
                        labelled ? l.row_labels[row] : cell(l.grid.y(row)),
                        cell(l.grid.values[i])});
      }
    }
  }
  write_csv(path, {"panel", "series", "x", "y", "value"}, rows);
}

std::filesystem::path with_extension(const std::filesystem::path& path, const char* extension) {
  return path.string() + extension;
}

/// Whether a terminal would give any of its characters two columns, as it does Chinese ones.
bool has_wide_characters(std::string_view utf8) {
  for (size_t i = 0; i < utf8.size();) {
    const auto length = static_cast<size_t>(std::max(1, utf8_length(utf8.substr(i))));
    if (display_width(utf8.substr(i, length)) > 1) return true;
    i += length;
  }
  return false;
}

/// Whether fontconfig, which viewers ask where a font lacks a character, knows a Chinese font.
bool has_chinese_font() {
  FILE* fonts = popen("fc-list :lang=zh family 2>/dev/null", "r");
  if (fonts == nullptr) return false;
  const bool any = std::fgetc(fonts) != EOF;
  pclose(fonts);
  return any;
}

/// Draws `path`.svg, or says which package is missing; then says what was written.
void draw(const std::vector<std::string>& command, const char* package, const std::string& source,
          const std::filesystem::path& path, const char* numbers) {
  try {
    if (run_filter(command, source, with_extension(path, ".svg")) == Filter::Done) {
      fmt::print("wrote {}.svg and {}\n", path.string(), numbers);
      return;
    }
  } catch (const IoError& e) {  // a missing picture must not end a long run
    fmt::print("wrote {}{}; no picture: {}\n", path.string(), numbers, e.what());
    return;
  }
  fmt::print("wrote {}{}; the picture needs {}: apt install {}\n", path.string(), numbers,
             command[0], package);
}

}  // namespace

Grid sample_grid(double x0, double x1, double y0, double y1, int64_t nx, int64_t ny,
                 const std::function<double(double, double)>& f) {
  Grid grid{x0, x1, y0, y1, nx, ny, {}};
  for (int64_t row = 0; row < ny; ++row)
    for (int64_t column = 0; column < nx; ++column)
      grid.values.push_back(f(grid.x(column), grid.y(row)));
  return grid;
}

Panel& Panel::add(PlotLayer layer) {
  check<ValueError>(layer.x.size() == layer.y.size(),
                    "Panel: '{}' has {} x values, but {} y values; give as many of both",
                    layer.name, layer.x.size(), layer.y.size());
  layers_.push_back(std::move(layer));
  return *this;
}

Panel& Panel::line(std::string name, std::vector<double> x, std::vector<double> y) {
  return add({.kind = Kind::Line, .name = std::move(name), .x = std::move(x), .y = std::move(y)});
}

Panel& Panel::line(std::string name, std::vector<double> y) {
  std::vector<double> x(y.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i + 1);
  return line(std::move(name), std::move(x), std::move(y));
}

Panel& Panel::points(std::string name, std::vector<double> x, std::vector<double> y) {
  return add({.kind = Kind::Points, .name = std::move(name), .x = std::move(x), .y = std::move(y)});
}

Panel& Panel::points_by_class(const std::vector<std::string>& classes,
                              const std::vector<int64_t>& label, const std::vector<double>& x,
                              const std::vector<double>& y) {
  check<ValueError>(label.size() == x.size() && label.size() == y.size(),
                    "points_by_class: {} labels, {} x and {} y values; give as many of each",
                    label.size(), x.size(), y.size());
  for (size_t c = 0; c < classes.size(); ++c) {
    std::vector<double> class_x, class_y;
    for (size_t i = 0; i < label.size(); ++i) {
      if (label[i] != static_cast<int64_t>(c)) continue;
      class_x.push_back(x[i]);
      class_y.push_back(y[i]);
    }
    points(classes[c], class_x, class_y);
  }
  return *this;
}

Panel& Panel::path(std::string name, std::vector<double> x, std::vector<double> y) {
  check<ValueError>(!x.empty(), "path: '{}' has no points; give at least one", name);
  return add({.kind = Kind::Path, .name = std::move(name), .x = std::move(x), .y = std::move(y)});
}

Panel& Panel::heat(Grid grid, Colors colors) {
  check_grid("heat", grid);
  return add({.kind = Kind::Heat, .grid = std::move(grid), .colors = colors});
}

Panel& Panel::contour(Grid grid, std::vector<double> levels) {
  check_grid("contour", grid);
  check<ValueError>(grid.nx > 1 && grid.ny > 1 && !levels.empty(),
                    "contour: a grid of {} × {} and {} levels; it takes 2 × 2 cells and one level",
                    grid.nx, grid.ny, levels.size());
  return add({.kind = Kind::Contour, .grid = std::move(grid), .levels = std::move(levels)});
}

Panel& Panel::matrix(std::vector<double> values, std::vector<std::string> row_labels,
                     std::vector<std::string> column_labels, std::string format, Colors colors) {
  const int64_t ny = std::ssize(row_labels), nx = std::ssize(column_labels);
  Grid grid{-0.5, double(nx) - 0.5, -0.5, double(ny) - 0.5, nx, ny, std::move(values)};
  check_grid("matrix", grid);
  return add({.kind = Kind::Matrix,
              .grid = std::move(grid),
              .colors = colors,
              .row_labels = std::move(row_labels),
              .column_labels = std::move(column_labels),
              .format = std::move(format)});
}

Panel& Panel::image(std::vector<double> pixels, int64_t width, int64_t height, Colors colors) {
  Grid grid{0, double(width), 0, double(height), width, height, std::move(pixels)};
  check_grid("image", grid);
  return add({.kind = Kind::Image, .grid = std::move(grid), .colors = colors});
}

void save_plot(const std::filesystem::path& path, const std::vector<Panel>& panels, int columns) {
  check<ValueError>(!panels.empty(), "save_plot: {}: no panels; give at least one", path.string());
  for (const Panel& panel : panels)
    check<ValueError>(!panel.layers().empty(),
                      "save_plot: {}: the panel '{}' is empty; add a line or points", path.string(),
                      panel.axes().title);
  if (columns <= 0) columns = static_cast<int>(std::ceil(std::sqrt(panels.size())));
  if (lines_share_x(panels))
    write_column_per_line(with_extension(path, ".csv"), panels[0]);
  else
    write_row_per_number(with_extension(path, ".csv"), panels);
  const std::string script = gnuplot_script(panels, columns);
  // -d: ignore the user's own settings.
  draw({"gnuplot", "-d"}, "gnuplot-nox", script, path, ".csv");
  if (has_wide_characters(script) && !has_chinese_font())
    fmt::print("no font on this machine has its Chinese characters: apt install fonts-noto-cjk\n");
}

void save_graph(const std::filesystem::path& path, const std::string& source) {
  write_file(with_extension(path, ".dot"), source);
  draw({"dot", "-Tsvg"}, "graphviz", source, path, ".dot");
}

}  // namespace gradus::support
