// Daemon is the whole broker in one object: store, control thread, shards, and how they are started
// and stopped. Built and driven by the main thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alerts/alert_desk.h"
#include "base/metrics.h"
#include "signetd/module_options.h"
#include "signetd/status_file.h"

namespace signet {

class Daemon {
 public:
  // Opens the store, makes the declared meshes, listens. Nothing is served before start().
  // `only_mesh` is what formats without mesh ids belong to where nothing else is bound.
  static Result<std::unique_ptr<Daemon>> create(const config::Config& config, bool dev,
                                                const std::string& only_mesh);
  ~Daemon();

  void serve();  // starts the shards
  // Closes every connection with 1001, commits what is in flight, ends the threads.
  void stop(std::chrono::milliseconds jitter, std::chrono::milliseconds within);

  const std::vector<net::PeerAddress>& addresses() const { return addresses_; }
  // Where operators are served; nullopt: they have no door of their own.
  const std::optional<net::PeerAddress>& operator_address() const { return operator_address_; }
  const std::string& socket() const { return options_.socket; }  // empty: none

  // On the control thread, waiting for the answer. REQUIRES: create() succeeded.
  Result<membership::Mesh> declare_mesh(const controller::MeshDeclaration& declaration);
  // Gives the mesh that the overlay is bound to its nodes and epochs, once it is there: what has no
  // key, no mesh or is open already changes nothing. Fails as the configuration or the rows do.
  Status open_overlay(const config::Config& config);
  // The one secret of a mesh, as the configuration has it. Where that has none, the one that it had
  // before holds no more.
  Status declare_shared_secret(MeshNumber mesh, const crypto::SecretText& secret);
  // Reads the policies, routes and keys of tokens again and shows them to all shards; a fault, or a
  // log that can't record it, keeps what holds.
  Status reload_rules(const config::Config& config);
  // Reads the certificate and what belongs to it again, for handshakes from now on; a fault keeps
  // what holds.
  Status reload_tls();
  // When the certificate ends; nullopt: there is no TLS.
  std::optional<WallTime> certificate_ends() const { return network_->certificate_ends(); }
  // Lets the pages of server.origins connect from now on, and no others.
  Status allow_origins(const config::Config& config);
  // The same of the keys of tokens alone.
  Status reload_tokens(const config::Config& config);
  Status add_invite(const membership::InviteClaim& claim, const std::string& token,
                    std::int64_t max_uses);

 private:
  Daemon(ModuleOptions options, bool dev, std::string only_mesh);
  Status open(const config::Config& config);
  Status declare_meshes(const config::Config& config);
  void warn_of_idle_settings(const config::Config& config);
  void keep_status_file(const std::string& path);
  Status keep_owner();
  void hear_signals(const broker::SeenOfMembers& seen);  // control thread
  Status listen(const config::Config& config);
  void connect_modules();
  Status open_alert_desk();
  Status show_rules(std::shared_ptr<const broker::Rules> rules);
  // The certificate that is shown from now on, where it is another than the one before.
  void record_certificate();
  // Into the log, on disk when it returns.
  Status record(std::vector<audit::Draft> drafts);
  void record_start();
  std::vector<audit::Draft> drafts_of_change(const broker::Rules* before,
                                             const broker::Rules& after);

  ModuleOptions options_;
  const bool dev_;
  const std::string only_mesh_;
  MetricRegistry metrics_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<controller::ControlThread> control_;
  std::unique_ptr<broker::Shared> shared_;
  std::shared_ptr<const broker::Rules> rules_;   // that hold; main thread
  std::optional<crypto::Digest32> certificate_;  // of its file; main thread
  std::vector<std::unique_ptr<broker::Broker>> brokers_;
  std::unique_ptr<net::Network> network_;
  std::unique_ptr<controller::Controller> controller_;
  std::unique_ptr<controller::Epochs> epochs_;  // none: no mesh has an overlay
  std::unique_ptr<StatusFile> status_file_;     // none: nobody wants it
  std::unique_ptr<admin::Admin> admin_;
  std::unique_ptr<alerts::AlertDesk> alert_desk_;
  std::vector<net::PeerAddress> addresses_;
  std::optional<net::PeerAddress> operator_address_;
};

}  // namespace signet
