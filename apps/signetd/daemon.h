// Daemon is the whole broker in one object: store, control thread, shards, and how they are started
// and stopped. Built and driven by the main thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "signetd/module_options.h"

namespace signet {

class Daemon {
 public:
  // Opens the store, makes the declared meshes, listens. Nothing is served before start().
  static Result<std::unique_ptr<Daemon>> create(const config::Config& config, bool dev);
  ~Daemon();

  void serve();  // starts the shards
  // Closes every connection with 1001, commits what is in flight, ends the threads.
  void stop(std::chrono::milliseconds jitter, std::chrono::milliseconds within);

  const std::vector<net::PeerAddress>& addresses() const { return addresses_; }
  const std::string& socket() const { return options_.socket; }  // empty: none

  // On the control thread, waiting for the answer. REQUIRES: create() succeeded.
  Result<membership::Mesh> declare_mesh(const controller::MeshDeclaration& declaration);
  Status add_invite(const membership::InviteClaim& claim, const std::string& token,
                    std::int64_t max_uses);

 private:
  explicit Daemon(ModuleOptions options);
  Status open(const config::Config& config);
  void connect_modules();

  const ModuleOptions options_;
  MetricRegistry metrics_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<controller::ControlThread> control_;
  std::unique_ptr<broker::Shared> shared_;
  std::vector<std::unique_ptr<broker::Broker>> brokers_;
  std::unique_ptr<net::Network> network_;
  std::unique_ptr<controller::Controller> controller_;
  std::unique_ptr<admin::Admin> admin_;
  std::vector<net::PeerAddress> addresses_;
};

}  // namespace signet
