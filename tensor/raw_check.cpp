// What the operations of tensor/raw.h check before a kernel trusts its input, and what several share.
#include "tensor/raw.h"

namespace gradus::raw {

void check_same_device(const char* op, std::initializer_list<Operand> operands) {
  const Operand& first = *operands.begin();
  for (const Operand& o : operands)
    check<DeviceError>(!o.tensor.defined() || o.tensor.device() == first.tensor.device(),
                       "{}: {} is on {}, {} is on {}; move one with to(x, device)", op, first.name,
                       name(first.tensor.device()), o.name,
                       o.tensor.defined() ? name(o.tensor.device()) : "");
}

void check_floating(const char* op, std::initializer_list<Operand> operands) {
  const Operand& first = *operands.begin();
  check<DTypeError>(first.tensor.is_floating_point(),
                    "{}: not defined for int64, but {} is; convert it with to(x, F32)", op,
                    first.name);
  for (const Operand& o : operands)
    check<DTypeError>(!o.tensor.defined() || o.tensor.dtype() == first.tensor.dtype(),
                      "{}: {} is {}, {} is {}; convert one with to(x, {}), or a module with to(…)",
                      op, first.name, name(first.tensor.dtype()), o.name,
                      o.tensor.defined() ? name(o.tensor.dtype()) : "",
                      first.tensor.dtype() == F64 ? "F64" : "F32");
  check_same_device(op, operands);
}

}  // namespace gradus::raw
