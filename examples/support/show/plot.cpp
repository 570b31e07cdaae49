// The panels check what they are given, once; gnuplot.cpp draws, and the rows of the CSV are made
// here: a column per line where all lines share their x, else one row per number with its panel and
// series, which any spreadsheet or data-frame library can pivot.
#include "examples/support/show/plot.h"

#include <algorithm>
#include <cmath>

#include "examples/support/data/csv.h"
#include "examples/support/show/gnuplot.h"
#include "examples/support/show/process.h"
#include "nn/file.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

using Kind = PlotLayer::Kind;

void check_grid(const char* what, const Grid& g) {
  check<ValueError>(g.nx > 0 && g.ny > 0 && g.nx * g.ny == static_cast<int64_t>(g.values.size()),
                    "{}: {} values for a grid of {} × {}", what, g.values.size(), g.nx, g.ny);
}

std::string cell(double v) { return fmt::format("{:.7g}", v); }

/// One panel of nothing but lines over the same x.
bool is_wide(const std::vector<Panel>& panels) {
  if (panels.size() != 1) return false;
  const auto& layers = panels[0].layers();
  return std::all_of(layers.begin(), layers.end(), [&](const PlotLayer& l) {
    return l.kind == Kind::Line && l.x == layers[0].x;
  });
}

void write_wide(const std::filesystem::path& path, const Panel& panel) {
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

void write_long(const std::filesystem::path& path, const std::vector<Panel>& panels) {
  std::vector<std::vector<std::string>> rows;
  for (const Panel& panel : panels) {
    for (const PlotLayer& l : panel.layers()) {
      if (l.kind == Kind::Contour) continue;  // the levels of a grid whose heat map has the numbers
      const std::string& title = panel.axes().title;
      for (size_t i = 0; i < l.x.size(); ++i)
        rows.push_back({title, l.name, cell(l.x[i]), cell(l.y[i]), ""});
      for (size_t i = 0; i < l.grid.values.size(); ++i) {
        const size_t row = i / l.grid.nx, column = i % l.grid.nx;
        rows.push_back(
            {title, l.name, l.columns.empty() ? cell(l.grid.x(column)) : l.columns[column],
             l.rows.empty() ? cell(l.grid.y(row)) : l.rows[row], cell(l.grid.values[i])});
      }
    }
  }
  write_csv(path, {"panel", "series", "x", "y", "value"}, rows);
}

std::filesystem::path with(const std::filesystem::path& path, const char* extension) {
  return path.string() + extension;
}

/// Draws, or says which package would; then says what was written.
void draw(const std::vector<std::string>& command, const char* package, const std::string& source,
          const std::filesystem::path& path, const char* numbers) {
  try {
    if (run_filter(command, source, with(path, ".svg")) == Filter::Done) {
      fmt::print("wrote {}.svg and {}\n", path.string(), numbers);
      return;
    }
  } catch (const IoError& e) {  // a picture is not worth a run
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
  check<ValueError>(layer.x.size() == layer.y.size(), "plot {}: {} x for {} y", layer.name,
                    layer.x.size(), layer.y.size());
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

Panel& Panel::path(std::string name, std::vector<double> x, std::vector<double> y) {
  check<ValueError>(!x.empty(), "plot {}: an empty path", name);
  return add({.kind = Kind::Path, .name = std::move(name), .x = std::move(x), .y = std::move(y)});
}

Panel& Panel::heat(Grid grid, Colors colors) {
  check_grid("heat", grid);
  return add({.kind = Kind::Heat, .grid = std::move(grid), .colors = colors});
}

Panel& Panel::contour(Grid grid, std::vector<double> levels) {
  check_grid("contour", grid);
  check<ValueError>(grid.nx > 1 && grid.ny > 1 && !levels.empty(), "contour: no cells or levels");
  return add({.kind = Kind::Contour, .grid = std::move(grid), .levels = std::move(levels)});
}

Panel& Panel::matrix(std::vector<double> values, std::vector<std::string> rows,
                     std::vector<std::string> columns, std::string format, Colors colors) {
  const auto ny = static_cast<int64_t>(rows.size()), nx = static_cast<int64_t>(columns.size());
  Grid grid{-0.5, double(nx) - 0.5, -0.5, double(ny) - 0.5, nx, ny, std::move(values)};
  check_grid("matrix", grid);
  return add({.kind = Kind::Matrix,
              .grid = std::move(grid),
              .colors = colors,
              .rows = std::move(rows),
              .columns = std::move(columns),
              .format = std::move(format)});
}

Panel& Panel::image(std::vector<double> pixels, int64_t width, int64_t height, Colors colors) {
  Grid grid{0, double(width), 0, double(height), width, height, std::move(pixels)};
  check_grid("image", grid);
  return add({.kind = Kind::Image, .grid = std::move(grid), .colors = colors});
}

void save_plot(const std::filesystem::path& path, const std::vector<Panel>& panels, int columns) {
  check<ValueError>(!panels.empty(), "save_plot: {}: no panel", path.string());
  for (const Panel& panel : panels)
    check<ValueError>(!panel.layers().empty(), "save_plot: {}: panel '{}' is empty", path.string(),
                      panel.axes().title);
  if (columns <= 0) columns = static_cast<int>(std::ceil(std::sqrt(panels.size())));
  if (is_wide(panels))
    write_wide(with(path, ".csv"), panels[0]);
  else
    write_long(with(path, ".csv"), panels);
  // -d: nothing of the user's own settings.
  draw({"gnuplot", "-d"}, "gnuplot-nox", gnuplot_script(panels, columns), path, ".csv");
}

void save_graph(const std::filesystem::path& path, const std::string& source) {
  write_file(with(path, ".dot"), source);
  draw({"dot", "-Tsvg"}, "graphviz", source, path, ".dot");
}

}  // namespace gradus::support
