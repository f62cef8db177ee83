#include "signetd/serve.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "base/log.h"
#include "config/changes.h"
#include "signetd/exposure.h"
#include "signetd/sandbox.h"

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
  const auto kept = [&](const Error& error) {
    log(LogLevel::kError, "config.kept_last_good", {{"detail", error.detail}});
    return before;
  };
  const auto after = config::load(sources);
  if (!after.ok()) return kept(after.error());
  const Status doors = check_doors(*after, sources.profile == config::Profile::kDev);
  if (!doors.ok()) return kept(doors.error());
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

void apply_to(Daemon& daemon, const config::Config& config) {
  const Status allowed = daemon.allow_origins(config);
  if (!allowed.ok()) log(LogLevel::kError, "origins.kept", {{"detail", allowed.error().detail}});
}

void reload_tls(Daemon& daemon) {
  const Status reloaded = daemon.reload_tls();
  const std::optional<WallTime> ends = daemon.certificate_ends();
  if (!ends) return;
  const std::string until = iso8601(*ends);
  if (reloaded.ok()) return log(LogLevel::kInfo, "tls.reloaded", {{"certificate_ends", until}});
  log(LogLevel::kError, "tls.kept_last_good",
      {{"detail", reloaded.error().detail}, {"certificate_ends", until}});
}

// False where good keys can't be taken now, such as while the log has no room: they are tried
// again, or a key that was left out would be believed until somebody touches the file.
bool reload_tokens(Daemon& daemon, const config::Config& config) {
  const Status reloaded = daemon.reload_tokens(config);
  if (reloaded.ok()) {
    log(LogLevel::kInfo, "tokens.reloaded");
    return true;
  }
  log(LogLevel::kError, "tokens.kept_last_good", {{"detail", reloaded.error().detail}});
  const ErrorCode code = reloaded.error().code;
  return code != ErrorCode::kOverloaded && code != ErrorCode::kUnavailable;
}

// The next signal; 0 when none comes within `wait`. nullptr: for ever.
int next_signal(const sigset_t& set, const timespec* wait) {
  const int signal = sigtimedwait(&set, nullptr, wait);
  return signal > 0 ? signal : 0;
}

timespec timespec_of(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {seconds.count(), std::chrono::nanoseconds(time - seconds).count()};
}

bool reload_rules(Daemon& daemon, const config::Config& config) {
  const Status reloaded = daemon.reload_rules(config);
  if (reloaded.ok()) {
    log(LogLevel::kInfo, "policy.reloaded");
    return true;
  }
  log(LogLevel::kError, "policy.kept_last_good", {{"detail", reloaded.error().detail}});
  return false;
}

std::vector<std::string> token_files(const config::Config& config) {
  std::vector<std::string> files{config.text("tokens.keys")};
  for (const config::MeshSetting& mesh : config.meshes()) files.push_back(mesh.token_keys);
  return files;
}

}  // namespace

void block_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// Keys and tokens are in this memory: no core dump, no debugger of another process. Should root
// force a core all the same, it holds no anonymous memory (core(5), coredump_filter).
void guard_memory() {
  const int filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
  if (filter >= 0) {
    (void)!write(filter, "0", 1);
    close(filter);
  }
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void close_sandbox(const config::Config& config) {
  if (!config.flag("server.sandbox")) {
    return log(LogLevel::kWarn, "server.no_sandbox", {{"setting", "server.sandbox = false"}});
  }
  const SandboxAnswer answer = enter_sandbox();
  if (answer.outcome == Sandbox::kClosed) return log(LogLevel::kInfo, "server.sandbox");
  log(LogLevel::kWarn, "server.no_sandbox", {{"detail", answer.detail}});
}

// A shard's output grows and shrinks with every burst; giving it back to the system each time and
// asking for it again costs more than to send it. What a burst took is kept, up to a bound.
void keep_memory() {
  constexpr int kKept = 64 << 20;
  constexpr int kLargestOutput = 1
                                 << 20;  // what is larger is a table that grew: given back at once
  (void)mallopt(M_TRIM_THRESHOLD, kKept);
  (void)mallopt(M_MMAP_THRESHOLD, kLargestOutput);
}

void apply_live(const config::Config& config) {
  set_log_level(level_of(config.text("server.log_level")));
}

WatchedFiles::WatchedFiles(const config::Config& config)
    : tls({config.text("tls.certificate"), config.text("tls.key"), config.text("tls.client_ca")}),
      tokens(token_files(config)) {}

void serve_until_signal(Daemon& daemon, config::Config config, const config::Sources& sources,
                        WatchedFiles files) {
  const sigset_t set = handled_signals();
  const timespec every = timespec_of(config.duration("tls.check_every"));
  const bool must_look = !files.tls.empty() || !files.tokens.empty();
  bool new_tokens = false;  // that were not taken yet
  while (true) {
    const int signal = next_signal(set, must_look ? &every : nullptr);
    if (signal == SIGTERM || signal == SIGINT) break;
    const bool is_asked = signal == SIGHUP;
    new_tokens = files.tokens.changed() || new_tokens;
    if (is_asked) {
      config = reload(std::move(config), sources);
      apply_to(daemon, config);
      // The tokens' keys with them; a policy that is broken keeps none of them out.
      if (reload_rules(daemon, config)) new_tokens = false;
    }
    if (files.tls.changed() || is_asked) reload_tls(daemon);
    if (new_tokens) new_tokens = !reload_tokens(daemon, config);
  }
  log(LogLevel::kInfo, "server.draining");
  daemon.stop(config.duration("server.drain_jitter"), config.duration("server.drain_timeout"));
  log(LogLevel::kInfo, "server.stopped");
}

}  // namespace signet
