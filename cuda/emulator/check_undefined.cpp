// The functions that the compiler calls where code compiled with -fsanitize=undefined is about to
// do something that C++ leaves undefined: overflow a signed integer, index past the end of an
// array, load through a misaligned pointer, … They replace libubsan's, so that the report names
// the kernel, the block and the thread.
//
// The compiler defines the layouts. Every record starts with a source location. A value is passed
// in a pointer-sized integer, or by address if it is wider.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "cuda/emulator/check.h"

namespace {

struct Place {
  const char* file;
  std::uint32_t line, column;
};
struct Type {
  std::uint16_t kind;  // 0: integer
  std::uint16_t info;  // for an integer: 2 * log2(its bits) + (1 if it is signed)
  char name[1];        // quoted, as in 'float [32]'
};
struct At {
  Place place;
};
struct OfType {
  Place place;
  const Type* type;
};
struct OfTwoTypes {
  Place place;
  const Type *first, *second;
};
struct Mismatch {
  Place place;
  const Type* type;
  unsigned char log2_alignment, access;
};

[[noreturn]] void found(const Place& place, const std::string& what) {
  const simt::check::Pause pause;
  std::string file = place.file ? place.file : "?";
  file = file.substr(file.rfind('/') + 1);
  const std::string text = what + " at " + file + ":" + std::to_string(place.line);
  if (simt::check::running.in_kernel) simt::fail(text);
  std::fprintf(stderr, "simt: host code: %s\n", text.c_str());
  std::abort();
}

std::string value(const Type& type, std::uintptr_t bits) {
  const unsigned width = 1u << (type.info >> 1);
  if (type.kind != 0 || width > 64) return "a value";
  if (!(type.info & 1)) return std::to_string(bits);
  return std::to_string(std::int64_t(std::uint64_t(bits) << (64 - width)) >> (64 - width));
}

[[noreturn]] void overflow(const OfType& data, const char* sign, std::uintptr_t a,
                           std::uintptr_t b) {
  found(data.place, "overflows " + std::string(data.type->name) + ": " + value(*data.type, a) +
                        sign + value(*data.type, b));
}

}  // namespace

extern "C" {
#define HANDLER(name, ...) [[noreturn]] void __ubsan_handle_##name(__VA_ARGS__)

HANDLER(out_of_bounds_abort, OfTwoTypes* data, std::uintptr_t index) {
  found(data->place,
        "index " + value(*data->second, index) + " is out of bounds for " + data->first->name);
}
HANDLER(type_mismatch_v1_abort, Mismatch* data, std::uintptr_t pointer) {
  const std::uintptr_t alignment = std::uintptr_t(1) << data->log2_alignment;
  const std::string type = data->type->name;
  if (!pointer) found(data->place, "uses a null pointer to " + type);
  if (pointer & (alignment - 1)) {
    found(data->place, "uses a misaligned address for " + type + ", which needs a multiple of " +
                           std::to_string(alignment));
  }
  found(data->place, "uses memory too small for " + type);
}
HANDLER(add_overflow_abort, OfType* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, " + ", a, b);
}
HANDLER(sub_overflow_abort, OfType* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, " - ", a, b);
}
HANDLER(mul_overflow_abort, OfType* data, std::uintptr_t a, std::uintptr_t b) {
  overflow(*data, " * ", a, b);
}
HANDLER(divrem_overflow_abort, OfType* data, std::uintptr_t a, std::uintptr_t b) {
  if (b == 0) found(data->place, "divides by zero: " + value(*data->type, a) + " / 0");
  overflow(*data, " / ", a, b);
}
HANDLER(negate_overflow_abort, OfType* data, std::uintptr_t a) {
  found(data->place,
        "overflows " + std::string(data->type->name) + ": -(" + value(*data->type, a) + ")");
}
HANDLER(shift_out_of_bounds_abort, OfTwoTypes* data, std::uintptr_t a, std::uintptr_t bits) {
  found(data->place, "shifts " + value(*data->first, a) + " of " + data->first->name + " by " +
                         value(*data->second, bits) + " bits");
}
HANDLER(load_invalid_value_abort, OfType* data, std::uintptr_t) {
  found(data->place, "loads a value that is not valid for " + std::string(data->type->name));
}
HANDLER(float_cast_overflow_abort, OfTwoTypes* data, std::uintptr_t) {
  found(data->place, "converts a " + std::string(data->first->name) + " that does not fit into " +
                         data->second->name);
}
HANDLER(vla_bound_not_positive_abort, OfType* data, std::uintptr_t) {
  found(data->place, "makes an array whose size is not positive");
}
HANDLER(pointer_overflow_abort, At* data, std::uintptr_t, std::uintptr_t) {
  found(data->place, "moves a pointer past the end of the address space");
}
HANDLER(builtin_unreachable, At* data) { found(data->place, "reaches unreachable code"); }
HANDLER(missing_return, At* data) { found(data->place, "leaves a function without a value"); }
HANDLER(nonnull_arg_abort, At* data) { found(data->place, "passes a null pointer"); }
HANDLER(nonnull_return_v1_abort, At*, At* place) { found(place->place, "returns a null pointer"); }
HANDLER(invalid_builtin_abort, At* data) {
  found(data->place, "counts the leading or trailing zeros of zero");
}
}  // extern "C"
