// Cooperative groups: the block and its tiles as objects. Each function calls one from simt/sync.h
// with the group's mask.
#pragma once
#include <type_traits>

#include "simt/sync.h"

#define SIMT_WHERE simt::Loc where = simt::Loc::current()

namespace cooperative_groups {

class thread_block {
 public:
  static void sync(SIMT_WHERE) { simt::block_barrier(simt::BarrierOp::plain, 0, where); }
  static unsigned thread_rank() {
    return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  }
  static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
  static unsigned num_threads() { return size(); }
  static dim3 group_index() { return blockIdx; }
  static dim3 thread_index() { return threadIdx; }
  static dim3 group_dim() { return blockDim; }
  static dim3 dim_threads() { return blockDim; }
};

inline thread_block this_thread_block() { return {}; }

/// `Size` consecutive threads of a block, all in one warp and part of Parent. A function that takes
/// a tile with any parent leaves Parent out (void).
template <unsigned Size, class Parent = void>
class thread_block_tile {
  static_assert(Size >= 1 && Size <= 32 && (Size & (Size - 1)) == 0,
                "a tile has 1, 2, 4, 8, 16 or 32 threads");

 public:
  thread_block_tile(unsigned rank, unsigned tiles) : rank_(rank), tiles_(tiles) {}
  template <class Other>
  requires std::is_void_v<Parent> thread_block_tile(const thread_block_tile<Size, Other>& tile)
      : rank_(tile.meta_group_rank()), tiles_(tile.meta_group_size()) {}

  static constexpr unsigned size() { return Size; }
  static constexpr unsigned num_threads() { return Size; }
  static unsigned thread_rank() { return thread_block::thread_rank() % Size; }
  unsigned meta_group_rank() const { return rank_; }
  unsigned meta_group_size() const { return tiles_; }

  static void sync(SIMT_WHERE) { __syncwarp(mask(), where); }
  template <class T>
  static T shfl(T value, int source, SIMT_WHERE) {
    return __shfl_sync(mask(), value, source, int(Size), where);
  }
  template <class T>
  static T shfl_up(T value, unsigned delta, SIMT_WHERE) {
    return __shfl_up_sync(mask(), value, delta, int(Size), where);
  }
  template <class T>
  static T shfl_down(T value, unsigned delta, SIMT_WHERE) {
    return __shfl_down_sync(mask(), value, delta, int(Size), where);
  }
  template <class T>
  static T shfl_xor(T value, int lane_mask, SIMT_WHERE) {
    return __shfl_xor_sync(mask(), value, lane_mask, int(Size), where);
  }
  static int any(int predicate, SIMT_WHERE) { return __any_sync(mask(), predicate, where); }
  static int all(int predicate, SIMT_WHERE) { return __all_sync(mask(), predicate, where); }
  static unsigned lanes() { return mask(); }  // CUDA has no such function
  static unsigned ballot(int predicate, SIMT_WHERE) {
    return __ballot_sync(mask(), predicate, where) >> first_lane();
  }
  template <class T>
  static unsigned match_any(T value, SIMT_WHERE) {
    return __match_any_sync(mask(), value, where) >> first_lane();
  }

 private:
  static unsigned first_lane() { return simt::lane_id() & ~(Size - 1); }
  static unsigned mask() { return (Size == 32 ? ~0u : (1u << (Size & 31)) - 1) << first_lane(); }

  unsigned rank_, tiles_;  // among the tiles of the parent
};

template <unsigned Size, class Parent>
thread_block_tile<Size, Parent> tiled_partition(const Parent& parent) {
  return {parent.thread_rank() / Size, (parent.size() + Size - 1) / Size};
}

template <class Group>
void sync(const Group& group, SIMT_WHERE) {
  group.sync(where);
}

}  // namespace cooperative_groups

#undef SIMT_WHERE

#include "simt/more_groups.h"
