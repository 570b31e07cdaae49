// The runtime API for memory: allocations, copies, symbols. Every call checks what a GPU's would
// check, and explains what it found.
#include <cuda_runtime.h>

#include <cstring>
#include <memory>

#include "cuda/emulator/check.h"
#include "cuda/emulator/errors.h"
#include "cuda/emulator/memory.h"
#include "cuda/emulator/stream.h"

using namespace simt;

namespace {

const char* spelling(cudaMemcpyKind kind) {
  constexpr const char* names[] = {"cudaMemcpyHostToHost", "cudaMemcpyHostToDevice",
                                   "cudaMemcpyDeviceToHost", "cudaMemcpyDeviceToDevice",
                                   "cudaMemcpyDefault"};
  return names[kind];
}

bool in_space(const void* p, check::Space space) {
  const Allocation* const a = find_allocation(p);
  return a && a->space == space;
}

enum class Side { host, device, either };

/// Why `name`, one end of a copy, is wrong, or "".
std::string objection(const char* name, const void* p, std::size_t bytes, Side side) {
  const Allocation* const a = find_allocation(p);
  if (!p) return std::string(name) + " is a null pointer";
  if (side == Side::device && !a)
    return std::string(name) + " must be device memory, but is " + describe_address(p);
  if (side == Side::host && a && a->space == check::Space::device)
    return std::string(name) + " must be host memory, but is device memory: " + describe_address(p);
  if (a && !in_allocation(p, bytes))
    return std::string(name) + " is out of bounds: " + std::to_string(bytes) + " bytes from " +
           describe_address(p);
  return "";
}

Side destination_side(cudaMemcpyKind kind) {
  if (kind == cudaMemcpyDefault) return Side::either;
  const bool device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  return device ? Side::device : Side::host;
}
Side source_side(cudaMemcpyKind kind) {
  if (kind == cudaMemcpyDefault) return Side::either;
  const bool device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  return device ? Side::device : Side::host;
}

/// `height` rows of `width` bytes. Most copies have a single row.
struct Rectangle {
  std::size_t width, height = 1;
  std::size_t to_pitch = 0, from_pitch = 0;  // from the start of one row to the next

  std::size_t bytes() const { return width * height; }
  std::size_t extent(std::size_t pitch) const { return (height - 1) * pitch + width; }
  bool rows_overlap() const { return height > 1 && (width > to_pitch || width > from_pitch); }
};

cudaError_t copy(const char* call, void* to, const void* from, const Rectangle& area,
                 cudaMemcpyKind kind, cudaStream_t stream, bool async, Loc where) {
  if (unsigned(kind) > cudaMemcpyDefault) return set_error(cudaErrorInvalidMemcpyDirection);
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  if (area.rows_overlap()) return set_error(cudaErrorInvalidPitchValue);
  if (area.bytes() == 0) return set_error(cudaSuccess);
  const std::size_t to_bytes = area.extent(area.to_pitch);
  const std::size_t from_bytes = area.extent(area.from_pitch);
  std::string wrong = objection("the destination", to, to_bytes, destination_side(kind));
  if (wrong.empty()) wrong = objection("the source", from, from_bytes, source_side(kind));
  if (!wrong.empty())
    return report_error(cudaErrorInvalidValue, std::string(call) + " of " +
                                                   std::to_string(area.bytes()) + " bytes, " +
                                                   spelling(kind) + ": " + wrong);

  // From ordinary ("pageable") host memory, a copy is taken at once. To such memory, the data is
  // written before the call returns.
  std::shared_ptr<char[]> staged;
  if (!find_allocation(from)) {
    staged.reset(new char[from_bytes]);
    std::memcpy(staged.get(), from, from_bytes);
  }
  submit(stream, call, where, [=] {
    for (std::size_t row = 0; row < area.height; ++row) {
      const std::size_t offset = row * area.from_pitch;
      const char* const source = static_cast<const char*>(from) + offset;
      char* const target = static_cast<char*>(to) + row * area.to_pitch;
      check::range_read(source, area.width);
      std::memmove(target, staged ? staged.get() + offset : source, area.width);
      check::range_written(target, area.width);
    }
  });
  if (!async || !find_allocation(to)) {
    drain(stream);
    check::host_waits_for_stream(stream);
  }
  return set_error(cudaSuccess);
}

cudaError_t fill(const char* call, void* p, int value, const Rectangle& area, cudaStream_t stream,
                 Loc where) {
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  if (area.height > 1 && area.width > area.to_pitch) return set_error(cudaErrorInvalidPitchValue);
  if (area.bytes() == 0) return set_error(cudaSuccess);
  const std::string wrong =
      objection("the destination", p, area.extent(area.to_pitch), Side::device);
  if (!wrong.empty())
    return report_error(
        cudaErrorInvalidValue,
        std::string(call) + " of " + std::to_string(area.bytes()) + " bytes: " + wrong);
  submit(stream, call, where, [=] {
    for (std::size_t row = 0; row < area.height; ++row) {
      char* const target = static_cast<char*>(p) + row * area.to_pitch;
      std::memset(target, value, area.width);
      check::range_written(target, area.width);
    }
  });
  return set_error(cudaSuccess);
}

cudaError_t copy_symbol(const char* call, void* symbol, std::size_t symbol_bytes,
                        std::size_t offset, std::size_t bytes, void* to, const void* from) {
  if (offset > symbol_bytes || bytes > symbol_bytes - offset)
    return report_error(cudaErrorInvalidValue,
                        std::string(call) + ": out of bounds: " + std::to_string(bytes) +
                            " bytes from byte " + std::to_string(offset) + " of a symbol of " +
                            std::to_string(symbol_bytes) + " bytes");
  drain_all();
  check::host_waits_for_device();
  remember_symbol(symbol, symbol_bytes);
  std::memcpy(to, from, bytes);
  return set_error(cudaSuccess);
}

}  // namespace

cudaError_t simt::copy_to_symbol(void* symbol, std::size_t symbol_bytes, std::size_t offset,
                                 const void* from, std::size_t bytes) {
  return copy_symbol("cudaMemcpyToSymbol", symbol, symbol_bytes, offset, bytes,
                     static_cast<char*>(symbol) + offset, from);
}

cudaError_t simt::copy_from_symbol(void* to, void* symbol, std::size_t symbol_bytes,
                                   std::size_t offset, std::size_t bytes) {
  return copy_symbol("cudaMemcpyFromSymbol", symbol, symbol_bytes, offset, bytes, to,
                     static_cast<const char*>(symbol) + offset);
}

cudaError_t simt::symbol_address(void** p, void* symbol, std::size_t symbol_bytes) {
  remember_addressed_symbol(symbol, symbol_bytes);
  *p = symbol;
  return set_error(cudaSuccess);
}

// ---- Memory -------------------------------------------------------------------------------------

cudaError_t cudaMalloc(void** p, std::size_t bytes) {
  return allocate(p, bytes, check::Space::device);
}
cudaError_t cudaMallocAsync(void** p, std::size_t bytes, cudaStream_t) {
  return allocate(p, bytes, check::Space::device);
}
cudaError_t cudaMallocHost(void** p, std::size_t bytes) {
  return allocate(p, bytes, check::Space::pinned);
}
cudaError_t cudaHostAlloc(void** p, std::size_t bytes, unsigned) {
  return allocate(p, bytes, check::Space::pinned);
}
cudaError_t cudaMallocManaged(void** p, std::size_t bytes, unsigned) {
  return allocate(p, bytes, check::Space::managed);
}

cudaError_t cudaFree(void* p) {
  if (!p) return set_error(cudaSuccess);
  drain_all();
  check::host_waits_for_device();
  return free_memory(p);
}

cudaError_t cudaFreeAsync(void* p, cudaStream_t stream) {
  if (!p) return set_error(cudaSuccess);
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  submit(stream, "cudaFreeAsync", Loc{}, [p] { free_memory(p); });
  return set_error(cudaSuccess);
}

cudaError_t cudaFreeHost(void* p) {
  if (p && !in_space(p, check::Space::pinned))
    return report_error(cudaErrorInvalidValue,
                        "cudaFreeHost: cudaMallocHost did not return this pointer: it points to " +
                            describe_address(p));
  return cudaFree(p);
}

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  if (!in_space(host, check::Space::pinned)) return set_error(cudaErrorInvalidValue);
  *device = host;
  return set_error(cudaSuccess);
}

cudaError_t cudaMallocPitch(void** p, std::size_t* pitch, std::size_t width, std::size_t height) {
  constexpr std::size_t kRow = 512;
  *pitch = (width + kRow - 1) / kRow * kRow;
  return allocate(p, *pitch * height, check::Space::device);
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = kDeviceBytes;
  *free = kDeviceBytes - allocated_bytes();
  return set_error(cudaSuccess);
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* p) {
  const Allocation* const a = find_allocation(p);
  void* const q = const_cast<void*>(p);
  *attributes = {cudaMemoryTypeUnregistered, -1, nullptr, q};
  if (a && a->space == check::Space::device) *attributes = {cudaMemoryTypeDevice, 0, q, nullptr};
  if (a && a->space == check::Space::managed) *attributes = {cudaMemoryTypeManaged, 0, q, q};
  if (a && a->space == check::Space::pinned) *attributes = {cudaMemoryTypeHost, 0, q, q};
  return set_error(cudaSuccess);
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                       Loc where) {
  return copy("cudaMemcpy", to, from, {bytes}, kind, nullptr, false, where);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream, Loc where) {
  return copy("cudaMemcpyAsync", to, from, {bytes}, kind, stream, true, where);
}

cudaError_t cudaMemset(void* p, int value, std::size_t bytes, Loc where) {
  return fill("cudaMemset", p, value, {bytes}, nullptr, where);
}

cudaError_t cudaMemsetAsync(void* p, int value, std::size_t bytes, cudaStream_t stream, Loc where) {
  return fill("cudaMemsetAsync", p, value, {bytes}, stream, where);
}

cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                         std::size_t width, std::size_t height, cudaMemcpyKind kind, Loc where) {
  return copy("cudaMemcpy2D", to, from, {width, height, to_pitch, from_pitch}, kind, nullptr, false,
              where);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream, Loc where) {
  return copy("cudaMemcpy2DAsync", to, from, {width, height, to_pitch, from_pitch}, kind, stream,
              true, where);
}

cudaError_t cudaMemset2D(void* p, std::size_t pitch, int value, std::size_t width,
                         std::size_t height, Loc where) {
  return fill("cudaMemset2D", p, value, {width, height, pitch}, nullptr, where);
}

cudaError_t cudaMemset2DAsync(void* p, std::size_t pitch, int value, std::size_t width,
                              std::size_t height, cudaStream_t stream, Loc where) {
  return fill("cudaMemset2DAsync", p, value, {width, height, pitch}, stream, where);
}
