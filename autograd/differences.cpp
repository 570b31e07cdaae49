#include "autograd/differences.h"

#include <algorithm>
#include <cmath>

namespace gradus {

namespace {
/// What the last digits of a difference of two values may be off by, relative to them.
constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();
/// Whether v is a number of so many binary digits; a float32 has 24.
bool fits(double v, int bits) {
  int exponent = 0;
  const double digits = std::ldexp(std::frexp(v, &exponent), bits);
  return digits == std::floor(digits);
}
}  // namespace

/// The size of x.
double Differences::unit() const { return std::abs(x_) > 1e-280 ? std::abs(x_) : around_; }

Differences::Change Differences::change(const Outputs& from, const Outputs& to) const {
  Change c;
  double all = 0;
  for (size_t i = 0; i < u_.size(); ++i) {
    const double size = std::abs(u_[i]) * std::max(std::abs(from[i]), std::abs(to[i]));
    if (std::isfinite(size)) all += size;
    if (from[i] == to[i] || (std::isnan(from[i]) && std::isnan(to[i]))) continue;
    c.value += u_[i] * (to[i] - from[i]);
    c.size += size;
  }
  c.finite = std::isfinite(c.value) && std::isfinite(c.size);
  if (c.size == 0) c.size = all;
  return c;
}

Slope Differences::central(double h, bool& flat) const {
  const double above = x_ + h, below = x_ - h, width = above - below;
  if (!(width > 0) || !std::isfinite(width)) return {};
  const Change c = change(f_(below), f_(above));
  const double rounding = kRounding * c.size;
  flat = std::abs(c.value) <= rounding;
  if (!c.finite) return {};
  return {c.value / width, rounding / width, h, c.size};
}

Slope Differences::quick(double step) const {
  bool flat = false;
  return central(step * std::max(unit(), around_ / 16), flat);
}

Slope Differences::careful(double accuracy) const {
  Slope best, before;  // `before` is the difference with a quarter of the step
  double last = 0;     // the R before
  double noise = 0;    // the largest change of R, times h
  bool flat = true;    // no step has changed f yet
  Grid grid = Grid::Unclear;
  std::vector<Slope> seen;
  const double end = 64 * std::max({unit(), around_, 1.0});
  int level = 0, first = 4;  // of fewer changes of R the largest may be small by chance
  for (double h = std::ldexp(unit(), -44); h <= end; h *= 4, ++level) {
    bool unchanged = false;
    const Slope now = central(h, unchanged);
    if (std::isinf(now.error)) break;
    const double r = (16 * before.value - now.value) / 15;
    const double rounding = 2 * before.error;
    if (level > 1) noise = std::max(noise, std::abs(r - last) * h);
    before = now, last = r;
    flat &= unchanged;
    if (level == 0 && !flat) grid = Grid::No;
    if (!flat && grid == Grid::Unclear) {
      grid = std::max(grid_within(4 * h), grid_within(16 * h));
      if (grid == Grid::Yes) seen.clear(), best = {}, first = std::max(first, level + 3);
      if (grid == Grid::Unclear) continue;
    }
    if (level < first) continue;
    const Slope s{r, noise / h + rounding, h, now.size};
    const auto contradicts = [&](const Slope& o) {
      return std::abs(o.value - r) > 2 * (o.error + s.error);
    };
    if (std::any_of(seen.begin(), seen.end(), contradicts)) break;
    seen.push_back(s);
    if (s.error < best.error) best = s;
    if (!flat && best.error <= accuracy) break;
  }
  return best;
}

/// On a grid, distances between values are multiples of the least, or of a simple part of it. The
/// places are at unequal distances, or a straight line would look so.
Differences::Grid Differences::grid_within(double h) const {
  std::vector<Outputs> values = {f_(x_)};
  for (int k = 1; k <= 24; ++k) values.push_back(f_(x_ + h * std::fmod(k * 0.6180339887, 1)));
  Grid grid = Grid::Unclear;
  for (size_t i = 0; i < u_.size(); ++i) {
    std::vector<double> column;
    for (const Outputs& v : values) column.push_back(v[i]);
    std::sort(column.begin(), column.end());
    column.erase(std::unique(column.begin(), column.end()), column.end());
    if (column.size() < 3) continue;
    double least = column.back() - column.front();
    for (size_t k = 1; k < column.size(); ++k) least = std::min(least, column[k] - column[k - 1]);
    for (int part = 1; part <= 4; ++part) {  // of the grid 2 and 3 distances may occur, but not 1
      const auto follows = [&](double v) {
        const double steps = (v - column.front()) / least * part;
        return std::abs(steps - std::round(steps)) < 0.01;
      };
      if (std::all_of(column.begin(), column.end(), follows)) return Grid::Yes;
    }
    if (column.size() > 8) grid = Grid::No;
  }
  return grid;
}

bool Differences::kink(double slope, double step) const {
  // A bend between the two sides that a smaller step does not straighten, or a rise that it does
  // not lower.
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
    bend = r - l, rise = moved;
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
