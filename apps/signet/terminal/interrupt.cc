#include "signet/terminal/interrupt.h"

#include <csignal>
#include <initializer_list>

namespace signet::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_signal(int) { interrupted = 1; }

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

bool is_interrupted() { return interrupted != 0; }

}  // namespace signet::cli
