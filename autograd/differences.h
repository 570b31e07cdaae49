#pragma once
// The derivative of u . f along one number x, from values of f alone, with a bound on its error.
//
// A central difference D(h) = (u . f(x + h) - u . f(x - h)) / 2h has two errors: O(h^2), and the
// noise of f divided by h. Which h is best depends on f, so many are tried, the smallest first. Two
// of them together cancel the h^2 (Richardson): R = (16 D(h) - D(4h)) / 15.
//
// How much R changes from one step to the next measures both errors. Noise falls like 1 / h, so the
// largest change · h so far, divided by h, bounds it. The best R has the smallest bound (an idea
// of Ridders, Advances in Engineering Software 4, 1982). A bound may be too small by chance, or
// because a large step leapt over a whole wave; then it contradicts those of smaller steps, and
// the search ends (Lepski, 1991). Before we believe a bound, nearby steps must give R within it.
//
// Values inside f that cancel, as in 1 - cos x near 0, leave noise that the size of f does not
// show. But the last binary digits of f do: all are 0. Then the lowest digit used is the noise.
//
// If small steps do not change f at all, the slope is 0. The exception is a staircase, such as f
// has after rounding to float32: there, small steps say nothing.
#include <functional>
#include <limits>
#include <vector>

namespace gradus {

struct Slope {
  double value = 0;
  double error = std::numeric_limits<double>::infinity();  // infinity: f is not finite around x
  double step = 0;                                         // the h that gave it
  double size = 0;  // of the outputs that depend on x: sum of |u_i f_i|
};

class Differences {
 public:
  using Outputs = std::vector<double>;
  /// f(v) gives all outputs if x is v; u are their weights. `around` is the typical size of x's
  /// neighbours, and positive: the unit of steps if x is 0.
  Differences(std::function<Outputs(double)> f, const Outputs& u, double x, double around)
      : f_(std::move(f)), u_(u), x_(x), around_(around) {}

  /// One central difference, with h = `step` · the size of x: two evaluations of f.
  Slope quick(double step) const;
  /// Whether all outputs of f at x are finite.
  bool finite() const;
  /// Whether f has the same value at x ± `step` · the size of x, which counts as at least 1.
  bool still(double step) const;
  /// The search described above; it ends early once the error is below `accuracy`.
  Slope careful(double accuracy) const;

  /// Whether f jumps within `step` of x, or bends there with `slope` between those of both sides.
  bool kink(double slope, double step) const;
  /// The smallest slope that f can show: with it, moving x by its own size (at least 1) would
  /// change only the last digits of f. The size of f counts as at least `least_size`.
  double resolution(double least_size) const;
  /// Whether f moves in steps of float32: its values all fit into a float32, though x does not.
  bool through_float32() const;

 private:
  /// The change of u . f between two places, summed output by output: an output that does not
  /// change adds no noise.
  struct Change {
    double value = 0;
    double size = 0;   // of the outputs that depend on x; of all, if none does
    double grain = 0;  // of the same outputs, weighted
    bool finite = true;
  };
  Change change(const Outputs& from, const Outputs& to) const;
  Slope central(double h, bool& flat) const;
  double unit() const;
  double span() const;
  void find_dependent() const;
  double grain_of(size_t output, const std::vector<Outputs>& values) const;
  double richardson(double h) const;
  double scatter(const Slope& s) const;
  void verify(Slope& s) const;
  bool contradicts_any(Slope& s, std::vector<Slope>& candidates) const;
  Slope best_verified(std::vector<Slope>& candidates) const;
  enum class Stairs { Unclear, No, Yes };
  Stairs stairs_within(double h, double tread) const;

  std::function<Outputs(double)> f_;
  const Outputs& u_;
  double x_, around_;
  // For each output, once find_dependent() has run: whether it depends on x; and its grain, the
  // lowest digit in use if values inside f cancel, else 0.
  mutable std::vector<bool> depends_;
  mutable std::vector<double> grain_;
};

}  // namespace gradus
