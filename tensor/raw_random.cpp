// Random numbers on values. A key gives the same numbers on every device.
#include "tensor/raw.h"

namespace gradus::raw {

void uniform_(const Tensor& out, PhiloxKey key, double low, double high) {
  check_floating("uniform", {{"the result", out}});
  check_contiguous("uniform", {"the result", out});
  out.written();
  backend(out.device()).uniform(key, low, high, out.view());
}
void normal_(const Tensor& out, PhiloxKey key, double mean, double std) {
  check_floating("normal", {{"the result", out}});
  check_contiguous("normal", {"the result", out});
  out.written();
  backend(out.device()).normal(key, mean, std, out.view());
}
Tensor dropout(const Tensor& x, PhiloxKey key, double p) {
  check_floating("dropout", {{"x", x}});
  check<ValueError>(p >= 0 && p < 1, "dropout: probability {}; it must be in [0, 1)", p);
  Tensor out = empty(x.shape(), x.options());
  backend(x.device()).dropout(key, p, contiguous(x).view(), out.view());
  return out;
}

}  // namespace gradus::raw
