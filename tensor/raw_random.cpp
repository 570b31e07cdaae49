// Random numbers on values. A key gives the same numbers on every device.
#include "tensor/raw.h"

namespace gradus::raw {

void uniform_(const Tensor& out, PhiloxKey key, double low, double high) {
  check_floating("uniform", {{"the result", out}});
  backend(out.device()).uniform(key, low, high, out.view());
}
void normal_(const Tensor& out, PhiloxKey key, double mean, double std) {
  check_floating("normal", {{"the result", out}});
  backend(out.device()).normal(key, mean, std, out.view());
}
Tensor dropout(const Tensor& x, PhiloxKey key, double p) {
  check_floating("dropout", {{"x", x}});
  Tensor out = empty(x.shape(), x.options());
  backend(x.device()).dropout(key, p, contiguous(x).view(), out.view());
  return out;
}

}  // namespace gradus::raw
