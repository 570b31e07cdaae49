#pragma once
// How large a grid may become. Plain C++, so that tests can include it too.
#include <cstdint>

namespace gradus::cuda {

/// Beyond this many blocks, which fill any GPU many times over, blocks and threads take several
/// pieces of work each. A test lowers it, so that small tensors need the loops of large ones.
inline int64_t max_blocks = int64_t{1} << 20;

/// Blocks for `n` independent pieces of work; a kernel strides over what one grid does not cover.
inline unsigned blocks_for(int64_t n) {
  return static_cast<unsigned>(n < max_blocks ? n : max_blocks);
}

}  // namespace gradus::cuda
