// From the address that an instruction computes to the memory there.
#include "cuda/emulator/block.h"
#include "cuda/emulator/launch.h"
#include "cuda/emulator/memory.h"
#include "cuda/emulator/ptx.h"

namespace simt::ptx {

char* Machine::locate(const Instruction& i, Operand base, size_t bytes, bool write) {
  const auto address = get<uint64_t>(base) + static_cast<uint64_t>(int64_t{i.offset});
  auto* const pointer = reinterpret_cast<char*>(address);
  char* place = nullptr;
  switch (i.space) {
    case Space::Shared: place = shared(i, static_cast<uint32_t>(address), bytes); break;
    case Space::Local:
    case Space::Param: place = in_frame(pointer, bytes) ? pointer : nullptr; break;
    default:
      if (in_global(pointer, bytes) || in_shared(pointer, bytes) || in_frame(pointer, bytes))
        place = pointer;
  }
  const bool aligned = (reinterpret_cast<uintptr_t>(place) & (bytes - 1)) == 0;
  if (!place || !aligned) bad_address(i, pointer, place, bytes, write);
  return place;
}

void Machine::bad_address(const Instruction& i, const char* pointer, const char* place,
                          size_t bytes, bool write) const {
  const std::string access = (write ? "writes " : "reads ") + std::to_string(bytes) + " bytes at ";
  if (!place) fault(i, access + describe_address(pointer));
  fault(i, access + "an address that is not a multiple of " + std::to_string(bytes));
}

bool Machine::in_global(const char* pointer, size_t bytes) {
  if (last_global_.contains(pointer, bytes)) return true;
  Range found;
  if (const Allocation* a = find_allocation(pointer)) {
    found = {a->begin, a->bytes};
  } else {
    for (const GlobalArray& array : function_.module->globals)
      if (Range{array.address, array.bytes}.contains(pointer, bytes))
        found = {array.address, array.bytes};
  }
  if (!found.contains(pointer, bytes)) return false;
  last_global_ = found;
  return true;
}

bool Machine::in_frame(const char* pointer, size_t bytes) const {
  for (const Machine* m = this; m; m = m->caller_)
    if (Range{m->frame_.data(), m->frame_.size()}.contains(pointer, bytes)) return true;
  return false;
}

// ---- Shared memory ------------------------------------------------------------------------------

Machine::Window Machine::shared_array(size_t which) {
  std::vector<char*>& known = kernel_.shared_;
  const SharedArray& array = function_.module->shared[which];
  const bool dynamic = array.address == kDynamicShared;
  known.resize(function_.module->shared.size());
  if (!known[which])
    known[which] =
        static_cast<char*>(dynamic ? dynamic_shared(1) : static_shared(array.declaration));
  const size_t bytes = dynamic ? block.launch->config.shared_bytes : array.declaration.bytes;
  return {array.address, static_cast<uint32_t>(bytes), known[which]};
}

char* Machine::shared(const Instruction& i, uint32_t address, size_t bytes) {
  const auto inside = [&](const Window& w) {
    const uint32_t distance = address - w.address;
    return w.place && distance <= w.bytes && bytes <= w.bytes - distance;
  };
  if (inside(last_shared_)) return last_shared_.place + (address - last_shared_.address);
  const auto& arrays = function_.module->shared;
  for (size_t k = 0; k < arrays.size(); ++k) {
    const uint32_t distance = address - arrays[k].address;
    const bool dynamic = arrays[k].address == kDynamicShared;
    if (dynamic ? address < kDynamicShared : distance > arrays[k].declaration.bytes) continue;
    last_shared_ = shared_array(k);
    if (inside(last_shared_)) return last_shared_.place + distance;
    fault(i, "accesses byte " + std::to_string(distance) + " of the shared array " +
                 arrays[k].name + " of " + std::to_string(last_shared_.bytes) + " bytes");
  }
  fault(i, "accesses an address outside of all shared arrays");
}

bool Machine::in_shared(const char* pointer, size_t bytes, uint32_t* address) const {
  const auto& arrays = function_.module->shared;
  const std::vector<char*>& known = kernel_.shared_;
  for (size_t k = 0; k < known.size(); ++k) {
    const bool dynamic = arrays[k].address == kDynamicShared;
    const size_t size = dynamic ? block.launch->config.shared_bytes : arrays[k].declaration.bytes;
    if (!Range{known[k], size}.contains(pointer, bytes)) continue;
    if (address) *address = arrays[k].address + static_cast<uint32_t>(pointer - known[k]);
    return true;
  }
  return false;
}

}  // namespace simt::ptx
