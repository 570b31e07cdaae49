// What the processor refuses while a kernel runs: an address without memory, an integer division by
// zero, a stack overflow. And what the kernel itself refuses: a failed assert().
#pragma once

namespace simt {

/// While it exists, such a fault ends the grid with a report, as fail() does. Faults of the host's
/// own code go to the handler that was there before.
class FaultHandler {
 public:
  FaultHandler();
  ~FaultHandler();
  FaultHandler(const FaultHandler&) = delete;
  FaultHandler& operator=(const FaultHandler&) = delete;
};

}  // namespace simt
