// The runtime API of memory: allocations, copies, symbols. Every call checks what a GPU's would, and says
// in words what it found.
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

/// What is wrong with one side of a copy, "" if nothing.
std::string objection(const char* side, const void* p, std::size_t bytes, bool device,
                      bool either) {
  const Allocation* const a = find_allocation(p);
  if (!p) return std::string(side) + " is a null pointer";
  if (!either && device && !a)
    return std::string(side) + " should be device memory and is " + describe_address(p);
  if (!either && !device && a && a->space == check::Space::device)
    return std::string(side) + " should be host memory and is " + describe_address(p);
  if (a && !in_allocation(p, bytes))
    return "the end is out of bounds: " + std::to_string(bytes) + " bytes from " +
           describe_address(p);
  return "";
}

/// `height` rows of `width` bytes. One row for most copies.
struct Rows {
  std::size_t width, height = 1;
  std::size_t to_pitch = 0, from_pitch = 0;  // from one row to the next

  std::size_t bytes() const { return width * height; }
  std::size_t extent(std::size_t pitch) const { return (height - 1) * pitch + width; }
  bool overlap() const { return height > 1 && (width > to_pitch || width > from_pitch); }

  template <class F>
  void each(F f) const {
    for (std::size_t i = 0; i < height; ++i) f(i * to_pitch, i * from_pitch);
  }
};

cudaError_t copy(const char* call, void* to, const void* from, const Rows& rows,
                 cudaMemcpyKind kind, cudaStream_t stream, bool async, Loc where) {
  if (unsigned(kind) > cudaMemcpyDefault) return set_error(cudaErrorInvalidMemcpyDirection);
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  if (rows.overlap()) return set_error(cudaErrorInvalidPitchValue);
  if (rows.bytes() == 0) return set_error(cudaSuccess);
  const std::size_t to_bytes = rows.extent(rows.to_pitch),
                    from_bytes = rows.extent(rows.from_pitch);
  const bool any = kind == cudaMemcpyDefault;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  std::string wrong = objection("the destination", to, to_bytes, to_device, any);
  if (wrong.empty()) wrong = objection("the source", from, from_bytes, from_device, any);
  if (!wrong.empty())
    return complain(cudaErrorInvalidValue, std::string(call) + " of " +
                                               std::to_string(rows.bytes()) + " bytes, " +
                                               spelling(kind) + ": " + wrong);

  // Ordinary ("pageable") host memory is copied aside at once, and written before the call returns.
  std::shared_ptr<char[]> aside;
  if (!find_allocation(from)) {
    aside.reset(new char[from_bytes]);
    std::memcpy(aside.get(), from, from_bytes);
  }
  submit(stream, call, where, [=] {
    rows.each([&](std::size_t to_row, std::size_t from_row) {
      const char* const source = static_cast<const char*>(from) + from_row;
      char* const target = static_cast<char*>(to) + to_row;
      check::read(source, rows.width);
      std::memmove(target, aside ? aside.get() + from_row : source, rows.width);
      check::written(target, rows.width);
    });
  });
  if (!async || !find_allocation(to)) {
    drain(stream);
    check::host_waits_for_stream(stream);
  }
  return set_error(cudaSuccess);
}

cudaError_t set(const char* call, void* p, int value, const Rows& rows, cudaStream_t stream,
                Loc where) {
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  if (rows.height > 1 && rows.width > rows.to_pitch) return set_error(cudaErrorInvalidPitchValue);
  if (rows.bytes() == 0) return set_error(cudaSuccess);
  const std::string wrong =
      objection("the destination", p, rows.extent(rows.to_pitch), true, false);
  if (!wrong.empty())
    return complain(cudaErrorInvalidValue,
                    std::string(call) + " of " + std::to_string(rows.bytes()) + " bytes: " + wrong);
  submit(stream, call, where, [=] {
    rows.each([&](std::size_t row, std::size_t) {
      std::memset(static_cast<char*>(p) + row, value, rows.width);
      check::written(static_cast<char*>(p) + row, rows.width);
    });
  });
  return set_error(cudaSuccess);
}

cudaError_t copy_symbol(const char* call, void* symbol, std::size_t symbol_bytes,
                        std::size_t offset, std::size_t bytes, void* to, const void* from) {
  if (offset > symbol_bytes || bytes > symbol_bytes - offset)
    return complain(cudaErrorInvalidValue, std::string(call) + ": " + std::to_string(bytes) +
                                               " bytes from byte " + std::to_string(offset) +
                                               " of a symbol of " + std::to_string(symbol_bytes) +
                                               " bytes");
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
  remember_address(symbol, symbol_bytes);
  *p = symbol;
  return set_error(cudaSuccess);
}

// ---- Memory --------------------------------------------------------------------------------------

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
    return complain(cudaErrorInvalidValue,
                    "cudaFreeHost: the pointer is not one that cudaMallocHost gave: it points to " +
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
  return set("cudaMemset", p, value, {bytes}, nullptr, where);
}

cudaError_t cudaMemsetAsync(void* p, int value, std::size_t bytes, cudaStream_t stream, Loc where) {
  return set("cudaMemsetAsync", p, value, {bytes}, stream, where);
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
  return set("cudaMemset2D", p, value, {width, height, pitch}, nullptr, where);
}

cudaError_t cudaMemset2DAsync(void* p, std::size_t pitch, int value, std::size_t width,
                              std::size_t height, cudaStream_t stream, Loc where) {
  return set("cudaMemset2DAsync", p, value, {width, height, pitch}, stream, where);
}
