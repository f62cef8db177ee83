#include "signetd/serve.h"

#include <sys/prctl.h>

#include <csignal>

#include "base/log.h"
#include "config/changes.h"

namespace signet {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

LogLevel level_of(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

config::Config reload(config::Config before, const config::Sources& sources) {
  const auto after = config::load(sources);
  if (!after.ok()) {
    log(LogLevel::kError, "config.kept_last_good", {{"detail", after.error().detail}});
    return before;
  }
  const config::Changes changes = config::changed(before, *after);
  for (const config::Change& change : changes.live) {
    log(LogLevel::kInfo, "config.changed",
        {{"setting", change.name}, {"from", change.from}, {"to", change.to}});
  }
  for (const config::Change& change : changes.restart) {
    log(LogLevel::kWarn, "config.needs_restart",
        {{"setting", change.name}, {"from", change.from}, {"to", change.to}});
  }
  config::Config merged = config::merge_live(before, *after);
  apply_live(merged);
  return merged;
}

}  // namespace

void block_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// Keys and tokens are in this memory: no core dump, no debugger of another process.
void guard_memory() {
  (void)prctl(PR_SET_DUMPABLE, 0);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void apply_live(const config::Config& config) {
  set_log_level(level_of(config.text("server.log_level")));
}

void serve_until_signal(Daemon& daemon, config::Config config, const config::Sources& sources) {
  const sigset_t set = handled_signals();
  int signal = 0;
  while (sigwait(&set, &signal) == 0 && signal == SIGHUP) {
    config = reload(std::move(config), sources);
  }
  log(LogLevel::kInfo, "server.draining");
  daemon.stop(config.duration("server.drain_jitter"), config.duration("server.drain_timeout"));
  log(LogLevel::kInfo, "server.stopped");
}

}  // namespace signet
