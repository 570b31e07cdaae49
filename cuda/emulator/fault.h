// What the processor itself refuses while a kernel runs: an address where nothing is, a division of
// integers by zero, a stack that is used up. And what the kernel refuses to go on with: assert().
#pragma once

namespace simt {

/// While it exists, such a fault ends the grid with a report, as fail() does; faults of the host's
/// own code are left to whoever cared for them before.
class FaultHandler {
 public:
  FaultHandler();
  ~FaultHandler();
  FaultHandler(const FaultHandler&) = delete;
  FaultHandler& operator=(const FaultHandler&) = delete;
};

}  // namespace simt
