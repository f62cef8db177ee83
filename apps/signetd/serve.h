// Serving until a signal says otherwise.
#pragma once

#include "signetd/daemon.h"

namespace signet {

// SIGTERM, SIGINT and SIGHUP wait for serve_until_signal(). Call before any thread starts.
void block_signals();

// No core dumps, no new privileges. Call first.
void guard_memory();

// Serves until SIGTERM or SIGINT, then drains. SIGHUP loads `sources` again: what can change does,
// what can't is named in the log, and a configuration with a fault changes nothing.
void serve_until_signal(Daemon& daemon, config::Config config, const config::Sources& sources);

// Settings that hold at once: the log level.
void apply_live(const config::Config& config);

}  // namespace signet
