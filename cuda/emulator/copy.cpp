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

cudaError_t copy(const char* call, void* to, const void* from, std::size_t bytes,
                 cudaMemcpyKind kind, cudaStream_t stream, bool async, Loc where) {
  if (unsigned(kind) > cudaMemcpyDefault) return set_error(cudaErrorInvalidMemcpyDirection);
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  if (bytes == 0) return set_error(cudaSuccess);
  const bool any = kind == cudaMemcpyDefault;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  std::string wrong = objection("the destination", to, bytes, to_device, any);
  if (wrong.empty()) wrong = objection("the source", from, bytes, from_device, any);
  if (!wrong.empty())
    return complain(cudaErrorInvalidValue, std::string(call) + " of " + std::to_string(bytes) +
                                               " bytes, " + spelling(kind) + ": " + wrong);

  // Ordinary ("pageable") host memory is copied aside at once, and written before the call returns.
  std::shared_ptr<char[]> aside;
  if (!find_allocation(from)) {
    aside.reset(new char[bytes]);
    std::memcpy(aside.get(), from, bytes);
  }
  submit(stream, call, where, [=] {
    check::read(from, bytes);
    std::memmove(to, aside ? aside.get() : from, bytes);
    check::written(to, bytes);
  });
  if (!async || !find_allocation(to)) {
    drain(stream);
    check::host_waits_for_stream(stream);
  }
  return set_error(cudaSuccess);
}

cudaError_t set(const char* call, void* p, int value, std::size_t bytes, cudaStream_t stream,
                Loc where) {
  if (!is_stream(stream)) return set_error(cudaErrorInvalidResourceHandle);
  if (bytes == 0) return set_error(cudaSuccess);
  if (const std::string wrong = objection("the destination", p, bytes, true, false); !wrong.empty())
    return complain(cudaErrorInvalidValue,
                    std::string(call) + " of " + std::to_string(bytes) + " bytes: " + wrong);
  submit(stream, call, where, [=] {
    std::memset(p, value, bytes);
    check::written(p, bytes);
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
  return copy("cudaMemcpy", to, from, bytes, kind, nullptr, false, where);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream, Loc where) {
  return copy("cudaMemcpyAsync", to, from, bytes, kind, stream, true, where);
}

cudaError_t cudaMemset(void* p, int value, std::size_t bytes, Loc where) {
  return set("cudaMemset", p, value, bytes, nullptr, where);
}

cudaError_t cudaMemsetAsync(void* p, int value, std::size_t bytes, cudaStream_t stream, Loc where) {
  return set("cudaMemsetAsync", p, value, bytes, stream, where);
}
