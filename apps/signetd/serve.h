// Serving until a signal says otherwise.
#pragma once

#include "signetd/daemon.h"
#include "signetd/file_watch.h"

namespace signet {

// SIGTERM, SIGINT and SIGHUP wait for serve_until_signal(). Call before any thread starts.
void block_signals();

// No core dumps, none of anonymous memory at least; no new privileges. Call first.
void guard_memory();

// Gives up what the daemon never does (sandbox.h), unless server.sandbox says otherwise. Where that
// is not to be had, the log says so and the daemon goes on.
void close_sandbox(const config::Config& config);

// Keeps some freed memory for the next burst. Before there are threads.
void keep_memory();

// The files that are read again when they change. Made before the daemon reads them, so that no
// change is missed.
struct WatchedFiles {
  explicit WatchedFiles(const config::Config& config);
  FileWatch tls;
  FileWatch tokens;
};

// Serves until SIGTERM or SIGINT, then drains. SIGHUP loads `sources` again: what can change does,
// what can't is named in the log, and a configuration with a fault changes nothing. It reads the
// files of tls and tokens again, as does a change of theirs, which is looked for every
// tls.check_every; where one is bad the last good stays.
void serve_until_signal(Daemon& daemon, config::Config config, const config::Sources& sources,
                        WatchedFiles files);

// Settings that hold at once: the log level.
void apply_live(const config::Config& config);

}  // namespace signet
