// Copies in two dimensions: `height` rows of `width` bytes. `pitch` is the number of bytes from the
// start of one row to the start of the next.
#pragma once
#include "simt/runtime_api.h"

#define SIMT_WHERE simt::Loc where = simt::Loc::current()

/// Memory for rows that each start at a multiple of 512 bytes.
cudaError_t cudaMallocPitch(void** p, std::size_t* pitch, std::size_t width, std::size_t height);
template <class T>
cudaError_t cudaMallocPitch(T** p, std::size_t* pitch, std::size_t width, std::size_t height) {
  return cudaMallocPitch(reinterpret_cast<void**>(p), pitch, width, height);
}

cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                         std::size_t width, std::size_t height, cudaMemcpyKind, SIMT_WHERE);
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind, cudaStream_t = nullptr, SIMT_WHERE);
cudaError_t cudaMemset2D(void*, std::size_t pitch, int value, std::size_t width, std::size_t height,
                         SIMT_WHERE);
cudaError_t cudaMemset2DAsync(void*, std::size_t pitch, int value, std::size_t width,
                              std::size_t height, cudaStream_t = nullptr, SIMT_WHERE);

#undef SIMT_WHERE
