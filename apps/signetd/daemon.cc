#include "signetd/daemon.h"

#include <future>
#include <utility>

namespace signet {

Daemon::Daemon(ModuleOptions options) : options_(std::move(options)) {}

Daemon::~Daemon() { stop(std::chrono::milliseconds(0), std::chrono::milliseconds(0)); }

Result<std::unique_ptr<Daemon>> Daemon::create(const config::Config& config, bool dev) {
  std::unique_ptr<Daemon> daemon(new Daemon(module_options(config, dev)));
  SIGNET_TRY([[maybe_unused]] const Done opened, daemon->open(config));
  return daemon;
}

Status Daemon::open(const config::Config& config) {
  SIGNET_TRY(store_, store::open_sqlite(options_.store, system_clock(), metrics_));
  control_ = std::make_unique<controller::ControlThread>(system_clock());
  shared_ = std::make_unique<broker::Shared>(options_.broker, *store_, control_->mailbox(),
                                             system_clock(), metrics_);
  SIGNET_TRY(network_, net::Network::create(options_.shards, options_.net, metrics_, system_clock(),
                                            [this](net::Shard& shard) {
                                              brokers_.push_back(std::make_unique<broker::Broker>(
                                                  *shared_, shard));
                                              return brokers_.back().get();
                                            }));
  connect_modules();
  for (const config::MeshSetting& mesh : config.meshes()) {
    controller::MeshDeclaration declaration{
        mesh.slug,       mesh.id, crypto::public_key_from_hex(mesh.owner), "", mesh.max_connections,
        mesh.legacy_join};
    SIGNET_TRY([[maybe_unused]] const auto declared, declare_mesh(declaration));
  }
  for (const std::string& text : config.list("server.listen")) {
    SIGNET_TRY(const auto address, net::parse_address(text));
    SIGNET_TRY(const auto bound, network_->listen(address));
    addresses_.push_back(bound);
  }
  if (options_.socket.empty()) return Done{};
  Status local = network_->listen_local(options_.socket);
  if (local.ok()) return local;
  return Error{local.error().code,
               local.error().detail + "; admin.socket names another place, or '' for none"};
}

// Who tells whom: the controller shows snapshots to the brokers, the store shows them what it
// stored, the shards hand HTTP to the admin.
void Daemon::connect_modules() {
  auto show = [this](const std::shared_ptr<const membership::MembershipSnapshot>& snapshot,
                     const std::vector<MemberNumber>& narrowed) {
    for (const auto& broker : brokers_) {
      broker->mailbox().post(
          [to = broker.get(), snapshot, narrowed] { to->show(snapshot, narrowed); });
    }
  };
  controller_ = std::make_unique<controller::Controller>(options_.controller, *control_, *store_,
                                                         system_clock(), std::move(show));
  shared_->controller = controller_.get();
  admin_ =
      std::make_unique<admin::Admin>(options_.admin, *shared_, *control_, *controller_, metrics_);
  shared_->http = admin_->handler();
  store_->start([this](const std::shared_ptr<const store::DeliveryBatch>& batch) {
    for (const auto& broker : brokers_) {
      broker->mailbox().post([to = broker.get(), batch] { to->on_stored(*batch); });
    }
  });
  control_->start();
}

void Daemon::serve() { network_->start(); }

// Peers first, then whoever serves them; the store last, so that what was confirmed is kept. The
// shards' mailboxes outlive the store, whose last answers may still name them.
void Daemon::stop(std::chrono::milliseconds jitter, std::chrono::milliseconds within) {
  if (network_) network_->stop(jitter, within);
  if (control_) control_->stop();
  store_.reset();
}

Result<membership::Mesh> Daemon::declare_mesh(const controller::MeshDeclaration& declaration) {
  std::promise<Result<membership::Mesh>> promise;
  control_->mailbox().post([&] {
    controller_->declare_mesh(declaration, [&](const Result<std::string>& id) {
      if (!id.ok()) return promise.set_value(id.error());
      promise.set_value(controller_->table().mesh(*id)->mesh());
    });
  });
  return promise.get_future().get();
}

Status Daemon::add_invite(const membership::InviteClaim& claim, const std::string& token,
                          std::int64_t max_uses) {
  std::promise<Status> promise;
  control_->mailbox().post([&] {
    controller_->add_invite(claim, token, max_uses,
                            [&](const Status& status) { promise.set_value(status); });
  });
  return promise.get_future().get();
}

}  // namespace signet
