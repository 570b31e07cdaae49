// The groups whose size is known only at run time: the lanes that run together, a group of any
// kind, and the grid. The grid has no sync(), because blocks run one after another.
#pragma once
#include <bit>

#include "simt/sync.h"

#define SIMT_WHERE simt::Loc where = simt::Loc::current()

namespace cooperative_groups {

/// Some lanes of a warp, numbered in order.
class coalesced_group {
 public:
  explicit coalesced_group(unsigned lanes) : lanes_(lanes) {}
  unsigned size() const { return unsigned(std::popcount(lanes_)); }
  unsigned num_threads() const { return size(); }
  unsigned thread_rank() const {
    return unsigned(std::popcount(lanes_ & ((1u << simt::lane_id()) - 1)));
  }
  unsigned lanes() const { return lanes_; }  // CUDA has no such function

  void sync(SIMT_WHERE) const { __syncwarp(lanes_, where); }
  template <class T>
  T shfl(T value, unsigned source, SIMT_WHERE) const {
    return __shfl_sync(lanes_, value, lane_of(source % size()), 32, where);
  }
  template <class T>
  T shfl_up(T value, unsigned delta, SIMT_WHERE) const {
    const unsigned me = thread_rank();
    return __shfl_sync(lanes_, value, lane_of(me < delta ? me : me - delta), 32, where);
  }
  template <class T>
  T shfl_down(T value, unsigned delta, SIMT_WHERE) const {
    const unsigned me = thread_rank();
    return __shfl_sync(lanes_, value, lane_of(delta < size() - me ? me + delta : me), 32, where);
  }
  int any(int predicate, SIMT_WHERE) const { return __any_sync(lanes_, predicate, where); }
  int all(int predicate, SIMT_WHERE) const { return __all_sync(lanes_, predicate, where); }
  unsigned ballot(int predicate, SIMT_WHERE) const {
    const unsigned votes = __ballot_sync(lanes_, predicate, where);
    unsigned packed = 0;
    for (unsigned rank = 0; rank < size(); ++rank) packed |= (votes >> lane_of(rank) & 1) << rank;
    return packed;
  }

 private:
  int lane_of(unsigned rank) const {
    unsigned rest = lanes_;
    while (rank-- > 0) rest &= rest - 1;
    return std::countr_zero(rest);
  }
  unsigned lanes_;
};

inline coalesced_group coalesced_threads(SIMT_WHERE) {
  return coalesced_group(__activemask(where));
}

/// A block, or some of a warp's lanes.
class thread_group {
 public:
  thread_group(const thread_block&) : lanes_(0) {}
  thread_group(const coalesced_group& group) : lanes_(group.lanes()) {}
  template <unsigned Size, class Parent>
  thread_group(const thread_block_tile<Size, Parent>& tile) : lanes_(tile.lanes()) {}

  unsigned size() const { return lanes_ ? coalesced_group(lanes_).size() : thread_block::size(); }
  unsigned num_threads() const { return size(); }
  unsigned thread_rank() const {
    return lanes_ ? coalesced_group(lanes_).thread_rank() : thread_block::thread_rank();
  }
  void sync(SIMT_WHERE) const {
    if (lanes_)
      __syncwarp(lanes_, where);
    else
      thread_block::sync(where);
  }

 private:
  unsigned lanes_;  // 0: the block
};

/// `size` consecutive threads of a block: 1, 2, 4, 8, 16 or 32.
inline thread_group tiled_partition(const thread_block&, unsigned size, SIMT_WHERE) {
  if (size < 1 || size > 32 || !std::has_single_bit(size))
    simt::fail("asks for a tile that does not have 1, 2, 4, 8, 16 or 32 threads", where);
  const unsigned first = simt::lane_id() & ~(size - 1);
  return coalesced_group((size == 32 ? ~0u : (1u << size) - 1) << first);
}

class grid_group {
 public:
  static unsigned long long size() { return num_blocks() * thread_block::size(); }
  static unsigned long long num_threads() { return size(); }
  static unsigned long long num_blocks() {
    return static_cast<unsigned long long>(gridDim.x) * gridDim.y * gridDim.z;
  }
  static unsigned long long block_rank() {
    return (static_cast<unsigned long long>(blockIdx.z) * gridDim.y + blockIdx.y) * gridDim.x +
           blockIdx.x;
  }
  static unsigned long long thread_rank() {
    return block_rank() * thread_block::size() + thread_block::thread_rank();
  }
  static dim3 group_dim() { return gridDim; }
  static void sync() = delete;  // blocks run one after another: end the kernel and launch another
};

inline grid_group this_grid() { return {}; }

}  // namespace cooperative_groups

#undef SIMT_WHERE
