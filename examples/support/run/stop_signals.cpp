#include "examples/support/run/stop_signals.h"

#include <unistd.h>

#include <csignal>

namespace gradus::support {

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
volatile std::sig_atomic_t stop_signal = 0;

void on_signal(int signal) {
  if (stop_signal != 0) _exit(128 + signal);
  stop_signal = signal;
}

}  // namespace

StopSignals::StopSignals() {
  stop_signal = 0;
  for (int i = 0; i < 2; ++i) before_[i] = std::signal(kSignals[i], on_signal);
}

StopSignals::~StopSignals() {
  for (int i = 0; i < 2; ++i) std::signal(kSignals[i], before_[i]);
}

bool StopSignals::asked() const { return stop_signal != 0; }

void StopSignals::leave() const { throw Interrupted{128 + stop_signal}; }

}  // namespace gradus::support
