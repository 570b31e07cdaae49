#pragma once
// The derivative of u . f along one number x, from values of f alone, with a bound on its error.
//
// A central difference (u . f(x + h) - u . f(x - h)) / 2h is wrong by O(h^2), and by the noise of f
// over h. Which h is best depends on f, so all are tried, from far too small on. Two of them cancel
// the h^2 (Richardson): R = (16 D(h) - D(4h)) / 15. How much R changes from one step to the next
// measures both errors: noise falls like 1 / h, so the largest change · h so far, divided by h,
// bounds it; the best R has the smallest bound (the idea is that of Ridders, Advances in Engineering
// Software 4, 1982). A bound that is small by chance, or because a large step leapt over a whole
// wave, contradicts those of smaller steps: there the search ends (Lepski, 1991). Before a bound is
// believed, nearby steps must give R within it.
// Values inside f that cancel, as in 1 - cos x near 0, leave noise that f's own size does not show, but its
// last binary digits do: they are all 0. Then the lowest digit that is in use counts as the noise.
// Steps too small to change f at all say that the slope is 0, unless f is a staircase, as after a
// rounding to float32: then they say nothing.
#include <functional>
#include <limits>
#include <vector>

namespace gradus {

struct Slope {
  double value = 0;
  double error = std::numeric_limits<double>::infinity();  // infinity: f is not finite around x
  double step = 0;                                         // from which it is
  double size = 0;  // of the outputs that depend on x, were there no cancellation: sum of |u_i f_i|
};

class Differences {
 public:
  using Outputs = std::vector<double>;
  /// f gives all outputs at another x; u are their weights. `around` is the size of x's neighbours,
  /// positive: the unit of steps from x = 0.
  Differences(std::function<Outputs(double)> f, const Outputs& u, double x, double around)
      : f_(std::move(f)), u_(u), x_(x), around_(around) {}

  /// One central difference of step `step` · size of x: two evaluations.
  Slope quick(double step) const;
  /// Whether all of f's outputs at x are finite.
  bool finite() const;
  /// Whether f is the same at x ± step · size of x, taken as at least 1.
  bool still(double step) const;
  /// The search above; it ends early at an error of `accuracy`.
  Slope careful(double accuracy) const;

  /// Whether f bends within `step` of x, and `slope` lies between the slopes of its two sides; or f
  /// jumps there.
  bool kink(double slope, double step) const;
  /// The smallest slope that f can show: moving x by its own size (at least 1) changes only the last
  /// digits of f. f counts as at least `least_size` large.
  double resolution(double least_size) const;
  /// Whether f moves in steps of float32: its values all fit one, though x does not.
  bool through_float32() const;

 private:
  /// u . f at two places, subtracted output by output: what does not change leaves no noise.
  struct Change {
    double value = 0;
    double size = 0;   // of the outputs that depend on x; of all, if none does
    double grain = 0;  // of those
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
  enum class Stairs { Unclear, No, Yes };
  Stairs stairs_within(double h, double tread) const;

  std::function<Outputs(double)> f_;
  const Outputs& u_;
  double x_, around_;
  // Once asked for, of each output: whether it depends on x, and its lowest digit if values cancel.
  mutable std::vector<bool> depends_;
  mutable std::vector<double> grain_;
};

}  // namespace gradus
