#include "autograd/differences.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>

namespace gradus {

namespace {
/// How far the difference of two values may be off, relative to their size.
constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();

// The search of careful(). Steps grow by a factor of 4, which richardson() builds on.
constexpr double kFirstStep = 0x1p-44;  // of unit(): x itself has only a few digits below it
constexpr double kLastStep = 64;        // of span()
constexpr int kFirstCandidate = 4;      // of fewer changes of R, the largest may be small by chance
constexpr int kStairsSkipped = 3;       // steps to skip at a staircase: it looks smooth from afar
constexpr double kTread = 1.0 / 64;     // of the first step that changes f: stays on one stair
constexpr double kDisagree = 2;         // how many errors apart two slopes contradict each other

/// The lowest binary digit of v that is 1, and the lowest that a double of its size has.
double lowest_digit(double v) {
  int exponent = 0;
  const auto digits = static_cast<uint64_t>(std::ldexp(std::abs(std::frexp(v, &exponent)), 53));
  return std::ldexp(1, exponent - 53 + std::countr_zero(digits));
}
double last_digit(double v) { return std::abs(v) * std::numeric_limits<double>::epsilon(); }
/// Whether v has at most `bits` binary digits; a float32 has 24.
bool fits(double v, int bits) {
  int exponent = 0;
  const double digits = std::ldexp(std::frexp(v, &exponent), bits);
  return digits == std::floor(digits);
}
}  // namespace

/// The size of x.
double Differences::unit() const { return std::abs(x_) > 1e-280 ? std::abs(x_) : around_; }

/// How far x may have to move before f shows a change.
double Differences::span() const { return std::max({unit(), around_, 1.0}); }

Differences::Change Differences::change(const Outputs& from, const Outputs& to) const {
  Change c;
  double all = 0;
  for (size_t i = 0; i < u_.size(); ++i) {
    const double size = std::abs(u_[i]) * std::max(std::abs(from[i]), std::abs(to[i]));
    if (std::isfinite(size)) all += size;
    const bool same = from[i] == to[i] || (std::isnan(from[i]) && std::isnan(to[i]));
    if (!same) c.value += u_[i] * (to[i] - from[i]);
    if (same && (depends_.empty() || !depends_[i])) continue;
    c.size += size;
    if (!grain_.empty()) c.grain += std::abs(u_[i]) * grain_[i];
  }
  c.finite = std::isfinite(c.value) && std::isfinite(c.size);
  if (c.size == 0) c.size = all;
  return c;
}

/// Finds the outputs that depend on x. Even if a small step does not change them, they are rounded.
void Differences::find_dependent() const {
  if (!depends_.empty()) return;
  const Outputs here = f_(x_), above = f_(x_ + 16 * span()), below = f_(x_ - 16 * span());
  std::vector<Outputs> values;  // at distances from span() down to a thousandth of it
  for (int k = 0; k < 10; ++k)
    values.push_back(f_(x_ + std::ldexp(span(), -k) * (k % 2 ? -0.7853982 : 0.6180340)));
  for (size_t i = 0; i < u_.size(); ++i) {
    depends_.push_back(std::isfinite(here[i]) && (here[i] != above[i] || here[i] != below[i]));
    grain_.push_back(grain_of(i, values));
  }
}

/// The lowest digit that the values of an output use, if at least 7 different ones end in three
/// binary zeros or more; else 0. A function with only a few values, which may be round numbers,
/// has no grain.
double Differences::grain_of(size_t output, const std::vector<Outputs>& values) const {
  double lowest = std::numeric_limits<double>::infinity();
  std::set<double> end_in_zeros;
  for (const Outputs& all : values) {
    const double v = all[output];
    if (v == 0 || !std::isfinite(v)) continue;
    lowest = std::min(lowest, lowest_digit(v));
    if (lowest_digit(v) >= 4 * last_digit(v)) end_in_zeros.insert(v);
  }
  return end_in_zeros.size() >= 7 ? lowest : 0;
}

Slope Differences::central(double h, bool& flat) const {
  const double above = x_ + h, below = x_ - h, width = above - below;
  if (!(width > 0) || !std::isfinite(width)) return {};
  const Change c = change(f_(below), f_(above));
  const double rounding = kRounding * c.size + c.grain;
  flat = std::abs(c.value) <= rounding;
  if (!c.finite) return {};
  return {c.value / width, rounding / width, h, c.size};
}

Slope Differences::quick(double step) const {
  bool flat = false;
  return central(step * std::max(unit(), around_ / 16), flat);
}

bool Differences::finite() const {
  const Outputs here = f_(x_);
  return std::all_of(here.begin(), here.end(), [](double v) { return std::isfinite(v); });
}

bool Differences::still(double step) const {
  bool flat = false;
  const Slope wide = central(step * span(), flat);
  return wide.value == 0 && std::isfinite(wide.error);
}

/// R from steps h and h / 4.
double Differences::richardson(double h) const {
  bool flat = false;
  return (16 * central(h / 4, flat).value - central(h, flat).value) / 15;
}

/// By how much R changes if the step changes a little.
double Differences::scatter(const Slope& s) const {
  double most = 0;
  for (const double factor : {0.71, 0.81, 0.93, 1.09, 1.17, 1.31})
    most = std::max(most, std::abs(richardson(factor * s.step) - s.value));
  return most;
}

/// Raises the error to what nearby steps show.
void Differences::verify(Slope& s) const { s.error = std::max(s.error, 2 * scatter(s)); }

/// Whether s contradicts a candidate, even after both have been verified.
bool Differences::contradicts_any(Slope& s, std::vector<Slope>& candidates) const {
  const auto contradicts = [&s](const Slope& other) {
    return std::abs(other.value - s.value) > kDisagree * (other.error + s.error);
  };
  if (std::none_of(candidates.begin(), candidates.end(), contradicts)) return false;
  verify(s);
  for (Slope& other : candidates)
    if (contradicts(other)) verify(other);
  return std::any_of(candidates.begin(), candidates.end(), contradicts);
}

/// The candidate with the smallest error that nearby steps confirm.
Slope Differences::best_verified(std::vector<Slope>& candidates) const {
  if (candidates.empty()) return {};
  const auto better = [](const Slope& a, const Slope& b) { return a.error < b.error; };
  for (;;) {
    Slope& best = *std::min_element(candidates.begin(), candidates.end(), better);
    const double claimed = best.error;
    verify(best);
    if (best.error <= 2 * claimed) return best;
  }
}

Slope Differences::careful(double accuracy) const {
  find_dependent();
  bool flat = false;
  const bool depends = std::find(depends_.begin(), depends_.end(), true) != depends_.end();
  if (!depends && still(1)) return central(span(), flat);
  Slope quarter;           // the difference of the step before, which is a quarter of this one
  double last_r = 0;       // R of the step before
  double noise = 0;        // the largest change of R, times h
  double moving_step = 0;  // the first step that changes f
  Stairs stairs = Stairs::Unclear;
  std::vector<Slope> candidates;
  int level = 0, first_candidate = kFirstCandidate;
  for (double h = kFirstStep * unit(); h <= kLastStep * span(); h *= 4, ++level) {
    const Slope now = central(h, flat);
    if (std::isinf(now.error)) break;
    const double r = (16 * quarter.value - now.value) / 15;
    const double rounding = 2 * quarter.error;
    if (level > 1) noise = std::max(noise, std::abs(r - last_r) * h);
    quarter = now;
    last_r = r;
    if (moving_step == 0 && !flat) moving_step = h;
    if (level == 0 && !flat) stairs = Stairs::No;
    if (moving_step > 0 && stairs == Stairs::Unclear) {
      stairs = stairs_within(4 * h, kTread * moving_step);
      if (stairs == Stairs::Unclear) continue;
      if (stairs == Stairs::Yes) {
        candidates.clear();
        first_candidate = std::max(first_candidate, level + kStairsSkipped);
      }
    }
    if (level < first_candidate) continue;
    Slope s{r, noise / h + rounding, h, now.size};
    if (contradicts_any(s, candidates)) break;
    candidates.push_back(s);
    if (!flat && s.error <= accuracy) break;
  }
  return best_verified(candidates);
}

/// f is a staircase if it has several values, but at most places a step of `tread` changes nothing.
/// Beside a mere kink, such a step changes something on one side.
Differences::Stairs Differences::stairs_within(double h, double tread) const {
  constexpr int kPlaces = 16;
  std::vector<Outputs> values;
  int level = 0;
  for (int k = 0; k < kPlaces; ++k) {
    const double place = x_ + h * (2 * std::fmod((k + 1) * 0.6180339887, 1) - 1);
    values.push_back(f_(place));
    const Change c = change(values.back(), f_(place + tread));
    level += std::abs(c.value) <= kRounding * c.size;
  }
  std::sort(values.begin(), values.end());
  if (std::unique(values.begin(), values.end()) - values.begin() < 4) return Stairs::Unclear;
  return level > kPlaces * 3 / 4 ? Stairs::Yes : Stairs::No;
}

double Differences::resolution(double least_size) const {
  find_dependent();
  const Outputs here = f_(x_);
  const Change c = change(here, here);
  return 2 * (kRounding * std::max(least_size, c.size) + c.grain) / span();
}

bool Differences::kink(double slope, double step) const {
  // A bend: the slopes of both sides differ, and a smaller step does not bring them together. A
  // jump: f rises, and a smaller step does not make the rise smaller.
  const Outputs here = f_(x_);
  double bend = 0, rise = 0;
  bool bends = true, jumps = true;
  for (const double h : {step, step / 16}) {
    const Change left = change(f_(x_ - h), here), right = change(here, f_(x_ + h));
    if (!left.finite || !right.finite) return false;
    const double l = left.value / h, r = right.value / h;
    const double steep = std::max(std::abs(l), std::abs(r)), slack = 1e-3 * steep;
    const double rounding = kRounding * (left.size + right.size);
    bends &= std::abs(r - l) > std::max(0.01 * steep + 4 * rounding / h, 0.5 * std::abs(bend)) &&
             slope > std::min(l, r) - slack && slope < std::max(l, r) + slack;
    const double moved = left.value + right.value;
    jumps &= std::abs(moved) > std::max(1e3 * rounding, 0.5 * std::abs(rise));
    if (h < step) bends &= std::abs(r - l) < 2 * std::abs(bend);
    bend = r - l;
    rise = moved;
  }
  return bends || jumps;
}

bool Differences::through_float32() const {
  std::vector<Outputs> values;
  for (int k = -2; k <= 3; ++k) values.push_back(f_(x_ + unit() * k / 384));
  bool moves = false;
  for (size_t i = 0; i < u_.size(); ++i) {
    std::vector<double> column;
    for (const Outputs& v : values) column.push_back(v[i]);
    if (std::any_of(column.begin(), column.end(), [](double v) { return std::isnan(v); })) continue;
    std::sort(column.begin(), column.end());
    column.erase(std::unique(column.begin(), column.end()), column.end());
    if (column.size() < 2) continue;
    const auto within = [&](int bits) {
      return std::all_of(column.begin(), column.end(), [=](double v) { return fits(v, bits); });
    };
    if (!within(24)) return false;
    moves |= column.size() > 3 && !within(20);
  }
  return moves;
}

}  // namespace gradus
