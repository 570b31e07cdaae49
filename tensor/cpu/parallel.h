#pragma once
// Every parallel loop of the CPU's kernels goes through here. A loop is cut into pieces by its
// shape alone; threads only choose who does a piece: the same bits on any number of them.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace gradus::cpu {

// Work is counted in elements of a cheap loop, such as an addition.
inline constexpr int64_t kGrain = 16384;     // what is worth waking a second thread for
inline constexpr int64_t kPieceWork = 4096;  // below that, starting a piece would be noticed
inline constexpr int64_t kMostPieces = 256;  // four for each of 64 threads: nearly equal shares

/// Into how many pieces a loop over `items` is cut that cost `cost` each. Where there are fewer
/// pieces than items it is a power of two, as the number of cores often is: equal shares.
inline int64_t pieces(int64_t items, int64_t cost, int64_t most = kMostPieces) {
  const double work = static_cast<double>(items) * static_cast<double>(cost);
  if (work < 2 * kGrain) return std::min<int64_t>(items, 1);
  const double count = std::min(work / kPieceWork, static_cast<double>(most));
  return std::min(items, static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(count))));
}

/// [0, n) in `count` parts of nearly one length that begin at multiples of `align`.
struct Parts {
  int64_t n, count, align, units;
  Parts(int64_t length, int64_t parts, int64_t alignment = 1)
      : n(length), count(parts), align(alignment), units((length + alignment - 1) / alignment) {}
  int64_t begin(int64_t i) const { return i == 0 ? 0 : i == count ? n : units * i / count * align; }
  int64_t end(int64_t i) const { return begin(i + 1); }
};

/// How threads share pieces. Alike: neighbouring pieces to one thread, the same ones in each loop,
/// so that what it wrote is still in its cache. Uneven: whoever is free takes the next.
enum class Share { Alike, Uneven };

/// piece_of(loop, i) for each of `count` pieces, all of which cost `work`.
void run_pieces(int64_t count, int64_t work, Share share, const void* loop,
                void (*piece_of)(const void* loop, int64_t piece));

/// f(piece) for each of them. Through a pointer, so that a piece is compiled once: inlined here on
/// one thread and there on many, its sums would not be vectorised alike, and bits would differ.
template <class F>
void for_pieces(int64_t count, int64_t work, Share share, const F& f) {
  run_pieces(count, work, share, &f,
             [](const void* loop, int64_t piece) { (*static_cast<const F*>(loop))(piece); });
}

/// f(begin, end) over pieces of [0, n): items that cost `cost` each. A piece begins at a multiple
/// of `align`: of a line of cache, or of what a vector loop takes at once.
template <class F>
void parallel_for(int64_t n, int64_t cost, const F& f, int64_t align = 1) {
  Parts parts(n, 1, align);
  parts.count = pieces(parts.units, cost * align);
  for_pieces(parts.count, n * cost, Share::Alike,
             [&](int64_t piece) { f(parts.begin(piece), parts.end(piece)); });
}

/// f(i) for independent items that cost `cost` each.
template <class F>
void parallel_items(int64_t n, int64_t cost, const F& f) {
  parallel_for(n, cost, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}

/// f(i) for large items of unequal cost, `cost` on the average. Put the largest first: then the
/// last thread to finish is not much later than the others.
template <class F>
void parallel_tasks(int64_t n, int64_t cost, const F& f) {
  const Parts parts(n, pieces(n, cost, std::numeric_limits<int64_t>::max()));
  for_pieces(parts.count, n * cost, Share::Uneven, [&](int64_t piece) {
    for (int64_t i = parts.begin(piece); i < parts.end(piece); ++i) f(i);
  });
}

/// While it lives, this thread's loops only say how they are cut, and do nothing. So a test can ask
/// for the cuts of GPT-2's shapes without GPT-2's memory or time.
class DryRun {
 public:
  DryRun();
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  struct Loop {
    int64_t pieces, work;
  };
  std::vector<Loop> loops;
};

}  // namespace gradus::cpu
