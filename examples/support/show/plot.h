#pragma once
// Pictures of results. A figure has one or more panels. A panel has axes and layers: lines, points,
// a heat map of a grid, contour lines, a labelled matrix, a grey picture. One call writes two
// files:
//
//   save_plot(app.out("loss"), {Panel({.title = "Loss", .x = "epoch", .y = "cross-entropy"})
//                                   .line("training", train)
//                                   .line("held out", test)});
//
// They are out/…/loss.svg, drawn by gnuplot, and out/…/loss.csv, the numbers. If gnuplot is not
// installed, the program says which package has it, writes the numbers, and goes on. The colours
// are those of Okabe and Ito (2008), which people with any kind of colour vision can tell apart.
// Points also differ in shape. Panels with the same axes share their range and labels; a figure has
// one colour bar, and one legend if all panels have the same.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace gradus::support {

struct Axes {
  std::string title = {}, x = {}, y = {};
  bool log_x = false, log_y = false;
};

/// Values on a rectangle: nx × ny cells, row by row, the first row at y0. Each cell holds the value
/// at its centre.
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
  Blues,      // the lowest is white, the highest dark blue: counts, attention
  Diverging,  // -1 is blue, 0 white, 1 orange; the range widens if the values need it
  Chances,    // 0 is blue, ½ white, 1 orange: probabilities
  Terrain,    // low is grey, high is white: a landscape under lines of any colour
  Ink,        // 0 is paper, high is black: pictures
  Classes,    // class numbers 0 … 7, in pale versions of the colours of points
};

/// What a panel remembers of each call below, for the writers of gnuplot's script and of the CSV.
struct PlotLayer {
  enum class Kind { Line, Points, Path, Heat, Contour, Matrix, Image };
  Kind kind;
  std::string name = {};
  std::vector<double> x = {}, y = {};  // of Line, Points and Path
  Grid grid = {};                      // of the others
  Colors colors = Colors::Blues;
  std::vector<double> levels = {};                               // of Contour
  std::vector<std::string> row_labels = {}, column_labels = {};  // of Matrix
  std::string format = {};                                       // of Matrix
};

class Panel {
 public:
  explicit Panel(Axes axes = {}) : axes_(std::move(axes)) {}

  /// A line through the points (x, y). Without x, it is drawn over 1, 2, 3, … A line without a name
  /// has no entry in the legend.
  Panel& line(std::string name, std::vector<double> x, std::vector<double> y);
  Panel& line(std::string name, std::vector<double> y);
  /// One mark per (x, y). Points and lines take the palette's colours in the order of their calls.
  Panel& points(std::string name, std::vector<double> x, std::vector<double> y);
  /// The same, a colour per class: point i belongs to classes[label[i]].
  Panel& points_by_class(const std::vector<std::string>& classes, const std::vector<int64_t>& label,
                         const std::vector<double>& x, const std::vector<double>& y);
  /// A path: its points joined by a thin line, with a circle where it starts and a star where it
  /// ends. The legend explains both.
  Panel& path(std::string name, std::vector<double> x, std::vector<double> y);
  /// A heat map. The axes take the grid's range.
  Panel& heat(Grid grid, Colors colors);
  /// Lines of equal value, thin and grey, drawn over the earlier layers.
  Panel& contour(Grid grid, std::vector<double> levels);
  /// A matrix with a label for each row and column, the first row on top. `format` (as in printf,
  /// for a double) prints each value in its cell. If it is empty, no values are printed.
  Panel& matrix(std::vector<double> values, std::vector<std::string> row_labels,
                std::vector<std::string> column_labels, std::string format = "",
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

/// Writes `path`.svg and `path`.csv, and says so. `columns` panels stand side by side (0: as close
/// to a square as possible). Throws ValueError if there is nothing to draw, IoError if a file
/// cannot be written.
void save_plot(const std::filesystem::path& path, const std::vector<Panel>& panels,
               int columns = 0);

/// Writes `source`, a graph in Graphviz's language, to `path`.dot, and the picture that dot draws
/// of it to `path`.svg.
void save_graph(const std::filesystem::path& path, const std::string& source);

}  // namespace gradus::support
