#pragma once
// Pictures of results. A figure is one or more panels; a panel is axes and layers: lines, points, a
// heat map of a grid, contour lines, a labelled matrix, a grey picture. One call writes two files:
//
//   save_plot(app.out("loss"), {Panel({.title = "Loss", .x = "epoch", .y = "cross-entropy"})
//                                   .line("training", train)
//                                   .line("held out", test)});
//
// out/…/loss.svg, drawn by gnuplot, and out/…/loss.csv, the numbers. Where gnuplot is not installed
// it says which package has it, writes the numbers, and goes on. Colours are those of Okabe and Ito
// (2008), which people with any colour vision can tell apart; points also differ in shape.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace gradus::support {

struct Axes {
  std::string title = {}, x = {}, y = {};
  bool log_x = false, log_y = false;
};

/// Values on a rectangle: nx × ny cells, row by row, the first row at y0. A cell's value belongs to
/// its centre.
struct Grid {
  double x0, x1, y0, y1;
  int64_t nx, ny;
  std::vector<double> values;
  double x(int64_t column) const { return x0 + (x1 - x0) * (double(column) + 0.5) / double(nx); }
  double y(int64_t row) const { return y0 + (y1 - y0) * (double(row) + 0.5) / double(ny); }
};

/// The grid of f(x, y).
Grid sample_grid(double x0, double x1, double y0, double y1, int64_t nx, int64_t ny,
                 const std::function<double(double, double)>& f);

enum class Colors {
  Blues,      // nothing is white, much is dark blue: counts, attention
  Diverging,  // -1 is blue, 0 white, 1 orange; where values go further, so do the colours
  Chances,    // 0 is blue, ½ white, 1 orange: probabilities
  Terrain,    // low is grey, high is white: a landscape under lines of any colour
  Ink,        // 0 is paper, high is black: pictures
  Classes,    // class numbers 0 … 7, in pale versions of the colours of points
};

/// What a panel keeps of each call below; the writers of gnuplot's script and of the CSV read it.
struct PlotLayer {
  enum class Kind { Line, Points, Path, Heat, Contour, Matrix, Image };
  Kind kind;
  std::string name = {};
  std::vector<double> x = {}, y = {};  // of Line, Points and Path
  Grid grid = {};                      // of the others
  Colors colors = Colors::Blues;
  std::vector<double> levels = {};                   // of Contour
  std::vector<std::string> rows = {}, columns = {};  // of Matrix
  std::string format = {};
};

class Panel {
 public:
  explicit Panel(Axes axes = {}) : axes_(std::move(axes)) {}

  /// A line through (x, y); without x, against 1, 2, 3, … An empty name stays out of the legend.
  Panel& line(std::string name, std::vector<double> x, std::vector<double> y);
  Panel& line(std::string name, std::vector<double> y);
  /// One mark per (x, y). Points and lines take the palette's colours in the order of their calls.
  Panel& points(std::string name, std::vector<double> x, std::vector<double> y);
  /// A path: its points joined by a thin line; a circle where it starts, a star where it ends, and
  /// the legend says so.
  Panel& path(std::string name, std::vector<double> x, std::vector<double> y);
  /// A heat map. The axes take the grid's range.
  Panel& heat(Grid grid, Colors colors);
  /// Lines of equal value; drawn thin and grey over what came before.
  Panel& contour(Grid grid, std::vector<double> levels);
  /// A matrix with a label per row and column, the first row on top. `format` (as in printf, for a
  /// double) prints each value in its cell; empty prints none.
  Panel& matrix(std::vector<double> values, std::vector<std::string> rows,
                std::vector<std::string> columns, std::string format = "",
                Colors colors = Colors::Blues);
  /// A picture, row by row from the top, without axes; the panel's title is its caption.
  Panel& image(std::vector<double> pixels, int64_t width, int64_t height,
               Colors colors = Colors::Ink);

  const Axes& axes() const { return axes_; }
  const std::vector<PlotLayer>& layers() const { return layers_; }

 private:
  Panel& add(PlotLayer layer);

  Axes axes_;
  std::vector<PlotLayer> layers_;
};

/// Writes `path`.svg and `path`.csv, and says so. `columns` panels stand side by side (0: as near
/// to a square as possible). Throws ValueError for data that cannot be drawn, IoError for files.
void save_plot(const std::filesystem::path& path, const std::vector<Panel>& panels,
               int columns = 0);

/// Writes `source`, a graph in Graphviz' language, to `path`.dot and as drawn by dot to `path`.svg.
void save_graph(const std::filesystem::path& path, const std::string& source);

}  // namespace gradus::support
