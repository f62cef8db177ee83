#include <cstdlib>
#include <iostream>

#include "base/log.h"
#include "signetd/commands.h"
#include "signetd/serve.h"

namespace signet {

int run_daemon(const config::Sources& sources) {
  const auto config = config::load(sources);
  if (!config.ok()) {
    std::cerr << config.error().detail << "\n";
    return EXIT_FAILURE;
  }
  apply_live(*config);
  for (const std::string& warning : config->warnings()) {
    log(LogLevel::kWarn, "config.warning", {{"detail", warning}});
  }
  WatchedFiles files(*config);
  block_signals();
  const auto& meshes = config->meshes();
  const auto daemon =
      Daemon::create(*config, false, meshes.size() == 1 ? meshes.front().slug : std::string());
  if (!daemon.ok()) {
    std::cerr << "signetd: can't start: " << daemon.error().detail << "\n";
    return EXIT_FAILURE;
  }
  close_sandbox(*config);
  (*daemon)->serve();
  for (const net::PeerAddress& address : (*daemon)->addresses()) {
    log(LogLevel::kInfo, "server.listening", {{"address", address.text()}});
  }
  if (const auto& address = (*daemon)->operator_address()) {
    log(LogLevel::kInfo, "server.operators", {{"address", address->text()}});
  }
  if (!(*daemon)->socket().empty()) {
    log(LogLevel::kInfo, "server.socket", {{"path", (*daemon)->socket()}});
  }
  serve_until_signal(**daemon, *config, sources, std::move(files));
  return EXIT_SUCCESS;
}

}  // namespace signet
