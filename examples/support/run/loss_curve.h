#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gradus::support {

/// How the loss falls: what a plot shows and, as text, what a checkpoint keeps. Every step's
/// training loss is added; a point is the mean of those since the last point, beside the loss on
/// validation data.
struct LossCurve {
  std::vector<double> steps, training, validation;
  double sum = 0;     // of the losses since the last point
  int64_t added = 0;  // how many they are

  void add(double loss);
  /// The mean of the losses since the last point.
  double recent() const;
  void add_point(int64_t step, double validation_loss);

  /// The point where the validation loss was lowest, which must not be sought among none.
  size_t best() const;
  /// Whether the model learns by heart: the last `patience` points (0: never) have not brought the
  /// validation loss below the best, but the training loss went on falling.
  bool overfits(int64_t patience) const;

  /// A loss to get below, such as a simpler model's.
  struct Rival {
    std::string name;
    double loss;
  };
  /// Draws the losses over the steps (save_plot); nothing if there are fewer than two points.
  void draw(const std::filesystem::path& path, const std::string& title, const std::string& unit,
            const Rival& rival) const;
  std::string text() const;
  /// The lines that make sense, up to the first that does not.
  static LossCurve from_text(const std::string& text);
};

}  // namespace gradus::support
