// The counters as a table, one line per kernel.
#include <cinttypes>

#include "cuda/emulator/profile.h"

namespace simt {
namespace {

/// "812", "3.2k", "17M": three digits are enough to compare.
std::string short_number(std::uint64_t n) {
  if (n < 1000) return std::to_string(n);
  double x = double(n);
  const char* unit = "";
  for (const char* next : {"k", "M", "G", "T"}) {
    if (x < 999.5) break;
    x /= 1000;
    unit = next;
  }
  char text[16];
  std::snprintf(text, sizeof text, x < 9.95 ? "%.1f%s" : "%.0f%s", x, unit);
  return text;
}

/// "4.00x": the actual number as a multiple of the ideal one.
std::string ratio(std::uint64_t needed, std::uint64_t ideal) {
  if (ideal == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.2fx", double(needed) / double(ideal));
  return text;
}

void print_row(std::FILE* to, const KernelProfile& k) {
  const auto text = [](std::uint64_t n) { return short_number(n); };
  std::fprintf(to, "%8s %7s %8s |", text(k.launches).c_str(), text(k.threads).c_str(),
               text(k.barriers).c_str());
  for (const GlobalTraffic* t : {&k.loads, &k.stores}) {
    std::fprintf(to, " %6s %7s %7s |", text(t->bytes).c_str(), text(t->sectors).c_str(),
                 ratio(t->sectors, t->ideal).c_str());
  }
  std::fprintf(to, " %8s %9s | %7s | %s\n", text(k.shared.requests).c_str(),
               text(k.shared.conflicts).c_str(), text(k.global_atomics + k.shared_atomics).c_str(),
               k.kernel.c_str());
}

}  // namespace

void print_profile(std::FILE* to) {
  std::fprintf(to,
               "\nWhat the kernels asked of memory (counted, not timed)\n"
               "                          |  global loads          |  global stores         |"
               "  shared memory     |         |\n"
               "launches threads barriers |  bytes sectors  /ideal |  bytes sectors  /ideal |"
               " requests conflicts | atomics | kernel\n");
  for (const KernelProfile& kernel : profile()) print_row(to, kernel);
}

}  // namespace simt
