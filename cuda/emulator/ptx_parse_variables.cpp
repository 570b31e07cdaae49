// The variables of a PTX file: registers, and arrays in every kind of memory. Their sizes are
// compared with a GPU's limits before any memory is allocated.
#include <dlfcn.h>

#include <algorithm>
#include <bit>

#include "cuda/emulator/ptx_parser.h"

namespace simt::ptx {

constexpr size_t kMostBytes = 256 << 20;    // of all arrays of a file
constexpr size_t kMostFrame = 512 << 10;    // CUDA's limit for a thread's local memory
constexpr size_t kMostRegisters = 1 << 20;  // of a function: nvcc uses a new one for each value
constexpr size_t kMostRegistersOfFile = 4 << 20;
constexpr size_t kMostAlign = 4096;

/// The next word as a number of at most `most`.
uint64_t Parser::bounded_number(uint64_t most, const char* what) {
  const std::string_view word = peek().text;
  if (!is_number(word) || number(word) > most)
    error("expected " + std::string(what) + " from 0 to " + std::to_string(most));
  ++at_;
  return number(word);
}

// .align 4 .b8 name[16]: the words between the space and `;`, `,`, `)` or `=`.
Parser::Declaration Parser::declaration(std::string_view until) {
  Declaration d;
  d.line = peek().line;
  size_t count = 1;
  while (until.find(peek().text) == until.npos) {
    const std::string_view word = next();
    if (word == ".align") {
      d.align = bounded_number(kMostAlign, "an alignment");
      if (!std::has_single_bit(d.align)) error("an alignment must be a power of two");
    } else if (word == "[") {
      const bool open = peek().text == "]";
      d.is_extern |= open;
      count *= open ? 0 : bounded_number(kMostBytes / std::max<size_t>(count, 1), "an array size");
      expect("]");
    } else if (word.starts_with('.')) {
      if (const Type type = type_of(word.substr(1)); type != Type::None) d.type = type;
    } else {
      d.name = word;
    }
  }
  d.bytes = count * size_of(d.type);
  d.align = std::max(d.align, size_of(d.type));
  return d;
}

void Parser::variable(Space space) {
  const Declaration d = declaration(";=");
  if (space == Space::Shared)
    shared_array(d);
  else if (space == Space::Global)
    global_array(d);
  else
    scopes_.back().slices[d.name] = place(d.bytes, d.align);
  expect(";");
}

void Parser::shared_array(const Declaration& d) {
  SharedArray& array = module_.shared.emplace_back();
  array.name = d.name;
  array.address = kDynamicShared;
  array.declaration = {array.name.c_str(), d.bytes, d.align, 1, module_.path.c_str(), d.line};
  if (d.is_extern) return;
  const auto align = static_cast<uint32_t>(std::max<size_t>(d.align, 16));
  array.address = (shared_top_ + align - 1) / align * align;
  if (array.address + d.bytes > kDynamicShared)
    error("the shared arrays take more memory than any GPU has");
  shared_top_ = array.address + static_cast<uint32_t>(d.bytes) + 64;  // leaves a gap
}

void Parser::global_array(const Declaration& d) {
  GlobalArray& array = module_.globals.emplace_back();
  array.name = d.name;
  array.bytes = d.bytes;
  array.address = static_cast<char*>(dlsym(RTLD_DEFAULT, array.name.c_str()));
  if (!array.address) {
    global_bytes_ += d.bytes;
    if (global_bytes_ > kMostBytes)
      error("the arrays of this file take more than " + std::to_string(kMostBytes) + " bytes");
    array.own = std::make_unique<char[]>(d.bytes + d.align);
    const auto start = reinterpret_cast<uintptr_t>(array.own.get());
    array.address = array.own.get() + (d.align - start % d.align) % d.align;
  }
  if (!accept("=")) return;
  if (array.own)
    initialise(array, d.type);
  else
    while (peek().text != ";" && !peek().text.empty()) next();  // C++ has initialised it
}

// = 5, = {1, 2, 3}, = generic(other): values of the variable's type
void Parser::initialise(GlobalArray& array, Type type) {
  char* to = array.address;
  while (peek().text != ";") {
    const std::string_view word = next();
    if (word == "{" || word == "}" || word == "," || word == "generic" || word == "(" ||
        word == ")")
      continue;
    const uint64_t value = is_number(word) ? number(word) : address_of(word);
    if (to + size_of(type) > array.address + array.bytes) error("more values than elements");
    std::memcpy(to, &value, size_of(type));
    to += size_of(type);
  }
}

uint64_t Parser::address_of(std::string_view name) {
  for (const SharedArray& array : module_.shared)
    if (array.name == name) return array.address;
  for (const GlobalArray& array : module_.globals)
    if (array.name == name) return reinterpret_cast<uintptr_t>(array.address);
  if (const auto f = module_.functions.find(name); f != module_.functions.end())
    return reinterpret_cast<uintptr_t>(f->second.get());
  error("unknown name `" + std::string(name) + "`");
}

Slice Parser::place(size_t bytes, size_t align) {
  size_t& top = function_->frame_bytes;
  top = (top + align - 1) / align * align;
  if (bytes > kMostFrame - std::min(top, kMostFrame))
    error("parameters and local arrays take more than the " + std::to_string(kMostFrame) +
          " bytes that a GPU thread has");
  const Slice slice{top, bytes};
  top += bytes;
  return slice;
}

void Parser::declare_registers() {  // .reg .b32 %r<3>;  .reg .u32 %lo, %hi;
  next();
  do {
    const std::string_view name = next();
    if (!accept("<")) {
      scopes_.back().registers[std::string(name)] = new_register();
      continue;
    }
    const uint64_t count =
        bounded_number(kMostRegisters - std::min(kMostRegisters, function_->registers.size()),
                       "a number of registers");
    expect(">");
    registers_ += count;
    if (registers_ > kMostRegistersOfFile)
      error("the functions of this file have more than " + std::to_string(kMostRegistersOfFile) +
            " registers");
    for (uint64_t k = 0; k < count; ++k)
      scopes_.back().registers[std::string(name) + std::to_string(k)] = new_register();
  } while (accept(","));
  expect(";");
}

}  // namespace simt::ptx
