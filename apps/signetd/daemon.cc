#include "signetd/daemon.h"

#include <unistd.h>

#include <array>
#include <climits>
#include <fstream>
#include <future>
#include <iterator>
#include <set>
#include <utility>

#include "alerts/alert_sources.h"
#include "base/log.h"
#include "crypto/wipe.h"
#include "signetd/audit_record.h"
#include "signetd/exposure.h"
#include "signetd/overlay_options.h"
#include "signetd/preflight.h"
#include "signetd/rules_file.h"
#include "signetd/secret_file.h"

namespace signet {
namespace {

std::string relay_key_path(const config::Config& config) {
  const std::string& path = config.text("simpatico.key_file");
  return path.empty() ? config.text("server.data") + "/relay.key" : path;
}

// Empty where the system does not say.
std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  (void)gethostname(name.data(), name.size() - 1);
  return name.data();
}

// A mesh that is made while this runs has its overlay from the next start on. No slug: nothing is
// bound.
void warn_of_no_mesh(std::string_view slug, bool has_operators) {
  const std::string_view what =
      slug.empty() ? "say which mesh has the overlay: server.bindings = [\"overlay=MESH\"]"
                   : "make the mesh (signet mesh create), then start again: until then it has no "
                     "overlay";
  log(LogLevel::kWarn, "overlay.no_mesh", {{"mesh", slug}, {"do", what}});
  if (!has_operators) return;
  log(LogLevel::kError, "operators.no_mesh",
      {{"mesh", slug}, {"do", "make the mesh, then start again; until then nobody asks them"}});
}

}  // namespace

Daemon::Daemon(ModuleOptions options, bool dev, std::string only_mesh)
    : options_(std::move(options)), dev_(dev), only_mesh_(std::move(only_mesh)) {}

Daemon::~Daemon() { stop(std::chrono::milliseconds(0), std::chrono::milliseconds(0)); }

Result<std::unique_ptr<Daemon>> Daemon::create(const config::Config& config, bool dev,
                                               const std::string& only_mesh) {
  std::unique_ptr<Daemon> daemon(new Daemon(module_options(config, dev), dev, only_mesh));
  SIGNET_TRY([[maybe_unused]] const Done opened, daemon->open(config));
  return daemon;
}

Status Daemon::open(const config::Config& config) {
  SIGNET_TRY([[maybe_unused]] const Done fit, check_doors(config, dev_));
  SIGNET_TRY([[maybe_unused]] const Done there, check_files(config, dev_));
  SIGNET_TRY(options_.store.log, log_identity(config));
  SIGNET_TRY(store_, store::open_sqlite(options_.store, system_clock(), metrics_));
  control_ = std::make_unique<controller::ControlThread>(system_clock());
  shared_ = std::make_unique<broker::Shared>(options_.broker, *store_, control_->mailbox(),
                                             system_clock(), metrics_, options_.store.log);
  SIGNET_TRY(rules_, load_rules(config, dev_, only_mesh_, system_clock().wall()));
  shared_->rules = rules_;
  SIGNET_TRY(shared_->relay_key, relay_key(relay_key_path(config)));
  SIGNET_TRY(network_, net::Network::create(options_.shards, options_.net, metrics_, system_clock(),
                                            [this](net::Shard& shard) {
                                              brokers_.push_back(std::make_unique<broker::Broker>(
                                                  *shared_, shard));
                                              return brokers_.back().get();
                                            }));
  connect_modules();
  admin::OverlayDesk::register_refusals(metrics_);
  SIGNET_TRY([[maybe_unused]] const Done declared, declare_meshes(config));
  SIGNET_TRY([[maybe_unused]] const Done overlaid, open_overlay(config));
  if (!dev_) warn_of_idle_settings(config);
  record_start();
  SIGNET_TRY([[maybe_unused]] const Done listening, listen(config));
  return open_alert_desk();
}

Status Daemon::listen(const config::Config& config) {
  for (const std::string& text : config.list("server.listen")) {
    SIGNET_TRY(const auto address, net::parse_address(text));
    SIGNET_TRY(const auto bound, network_->listen(address));
    addresses_.push_back(bound);
  }
  if (const std::string& text = config.text("admin.listen"); text != "none") {
    SIGNET_TRY(const auto address, net::parse_address(text));
    const auto bound = network_->listen(address, net::Door::kOperator);
    if (!bound.ok()) {
      return Error{bound.error().code, bound.error().detail +
                                           "; admin.listen names another address of loopback, or "
                                           "none"};
    }
    operator_address_ = *bound;
  }
  if (options_.socket.empty()) return Done{};
  Status local = network_->listen_local(options_.socket);
  if (local.ok()) return local;
  return Error{local.error().code,
               local.error().detail + "; admin.socket names another place, or '' for none"};
}

Status Daemon::declare_meshes(const config::Config& config) {
  for (const config::MeshSetting& mesh : config.meshes()) {
    controller::MeshDeclaration declaration{
        mesh.slug,       mesh.id, crypto::public_key_from_hex(mesh.owner), "", mesh.max_connections,
        mesh.legacy_join};
    SIGNET_TRY(const auto declared, declare_mesh(declaration));
    std::string secret;
    if (!mesh.shared_secret_file.empty()) {
      SIGNET_TRY([[maybe_unused]] const Done read,
                 config::read_secret(mesh.shared_secret_file, secret));
    } else if (shared_->rules->binds("pulsemesh", mesh.slug)) {
      secret = config.secret("pulsemesh.secret").reveal();
    }
    Status shared = declare_shared_secret(declared.number, crypto::SecretText(secret));
    crypto::wipe(secret);
    if (!shared.ok()) {
      const bool own = !mesh.shared_secret_file.empty();
      return Error{shared.error().code, (own ? mesh.shared_secret_file : "pulsemesh.secret") +
                                            (": " + shared.error().detail)};
    }
  }
  return Done{};
}

void Daemon::warn_of_idle_settings(const config::Config& config) {
  std::set<std::string, std::less<>> slugs;
  control_->run_and_wait([&] {
    controller_->table().each_mesh(
        [&](const membership::MeshSnapshot& mesh) { slugs.insert(mesh.mesh().slug); });
  });
  for (const std::string& idle : idle_settings(
           config, *rules_, [&](std::string_view slug) { return slugs.contains(slug); })) {
    log(LogLevel::kWarn, "config.idle", {{"detail", idle}});
  }
}

// One mesh has it: what nodes send names none.
Status Daemon::open_overlay(const config::Config& config) {
  if (epochs_) return keep_owner();
  SIGNET_TRY(auto key, overlay_key(config));
  const auto slug = rules_->mesh_for("overlay", {}, {});
  const bool is_off = !key && config.list("operators.keys").empty();
  if (is_off) return Done{};
  SIGNET_TRY(const controller::OverlayOptions options, overlay_options(config));
  if (!key || !slug) {
    const bool missed = !options.operators.keys.empty() && (!key || !dev_);
    if (!missed && !slug) warn_of_no_mesh({}, false);
    if (!missed) return Done{};
    return Error{ErrorCode::kMalformed,
                 "operators.keys: nobody would ask them: there is no overlay.key, or no mesh that "
                 "the overlay is bound to"};
  }
  admin::OverlayDeskOptions desk = overlay_desk_options(config, dev_);
  if (const auto identity = options_.store.log) {
    desk.signer = {identity->key.public_key(), [identity](std::string_view text) {
                     return identity->key.sign(bytes_of(text));
                   }};
  }
  const std::string status_path = status_file_path(config);
  std::promise<Status> promise;
  control_->mailbox().post([&] {
    const membership::MeshSnapshot* mesh = nullptr;
    controller_->table().each_mesh([&](const membership::MeshSnapshot& each) {
      if (each.mesh().slug == *slug) mesh = &each;
    });
    if (mesh == nullptr) {
      const bool comes_later = dev_ && *slug == only_mesh_;
      if (!comes_later) warn_of_no_mesh(*slug, !options.operators.keys.empty());
      return promise.set_value(Done{});
    }
    const membership::Mesh& its = mesh->mesh();
    epochs_ = std::make_unique<controller::Epochs>(
        options, its.number, controller::OverlayVault(*key, its.number), *control_, *store_,
        system_clock(), *controller_, metrics_);
    admin_->serve_overlay(desk, *epochs_, its.id);
    shared_->hear_signals = [this](const broker::SeenOfMembers& seen) { hear_signals(seen); };
    epochs_->log_to(options_.store.log);
    epochs_->load([&](const Status& status) {
      if (status.ok()) keep_status_file(status_path);
      promise.set_value(status);
    });
  });
  Status loaded = promise.get_future().get();
  crypto::wipe(*key);
  if (loaded.ok()) return loaded;
  return Error{loaded.error().code, loaded.error().detail + "; is it another overlay.key?"};
}

// A mesh that was declared again, as in dev mode, has the owner that its operators set.
Status Daemon::keep_owner() {
  std::promise<Status> promise;
  control_->mailbox().post(
      [&] { epochs_->keep_owner([&](const Status& status) { promise.set_value(status); }); });
  return promise.get_future().get();
}

// The control thread makes the text, 250 bytes a node (2.5 MB of 10,000, a few milliseconds);
// another one writes it.
void Daemon::keep_status_file(const std::string& path) {
  if (path.empty()) return;
  status_file_ = std::make_unique<StatusFile>(path, control_->mailbox(), system_clock(), metrics_);
  const auto show = [this] { status_file_->show(admin::OverlayView::status(*epochs_)); };
  epochs_->at_decided(show);
  show();
}

// What shards saw in proven sessions. Of other meshes nobody keeps a score.
void Daemon::hear_signals(const broker::SeenOfMembers& seen) {
  for (const broker::SeenOfMember& of : seen) {
    if (of.mesh != epochs_->mesh()) continue;
    const overlay::Signals signals{of.failed_proofs, of.replays, of.lost_leases};
    if (of.as_engine) {
      epochs_->add_engine_signals(of.member, signals);
    } else {
      epochs_->add_signals(of.member, signals);
    }
  }
}

Status Daemon::reload_rules(const config::Config& config) {
  SIGNET_TRY(auto rules, load_rules(config, dev_, only_mesh_, system_clock().wall()));
  return show_rules(std::move(rules));
}

Status Daemon::reload_tokens(const config::Config& config) {
  SIGNET_TRY(auto rules, signet::reload_tokens(config, dev_, *rules_, only_mesh_));
  return show_rules(std::move(rules));
}

Status Daemon::reload_tls() {
  Status reloaded = network_->reload_tls();
  if (reloaded.ok()) record_certificate();
  return reloaded;
}

// With the authorities of client certificates. After it is shown: one that is broken is never
// shown, and must not be in the log.
void Daemon::record_certificate() {
  if (!options_.net.tls) return;
  const auto text_of_file = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto& tls = *options_.net.tls;
  const auto digest = crypto::digest32(
      "signet certificate", {text_of_file(tls.certificate), text_of_file(tls.client_ca)});
  if (certificate_ == digest) return;
  certificate_ = digest;
  audit::Draft draft;
  draft.event = audit::Event::kCertificateChanged;
  draft.by = "configuration";
  draft.hash = digest;
  const Status recorded = record({draft});
  if (recorded.ok()) return;
  log(LogLevel::kError, "audit.certificate_not_recorded", {{"detail", recorded.error().detail}});
}

Status Daemon::show_rules(std::shared_ptr<const broker::Rules> rules) {
  SIGNET_TRY([[maybe_unused]] const Done recorded, record(drafts_of_change(rules_.get(), *rules)));
  rules_ = std::move(rules);
  control_->mailbox().post([this, shown = rules_] { shared_->rules = shown; });
  for (const auto& broker : brokers_) {
    broker->mailbox().post([to = broker.get(), shown = rules_] { to->show_rules(shown); });
  }
  return Done{};
}

std::vector<audit::Draft> Daemon::drafts_of_change(const broker::Rules* before,
                                                   const broker::Rules& after) {
  std::vector<audit::Draft> drafts;
  control_->run_and_wait([&] {
    const auto number_of = [this](std::string_view slug) {
      MeshNumber number;
      controller_->table().each_mesh([&](const membership::MeshSnapshot& mesh) {
        if (mesh.mesh().slug == slug) number = mesh.mesh().number;
      });
      return number;
    };
    drafts = drafts_of_rules(before, after, number_of);
  });
  return drafts;
}

Status Daemon::record(std::vector<audit::Draft> drafts) {
  if (drafts.empty()) return Done{};
  std::promise<Status> promise;
  store_->append_log(std::move(drafts), control_->mailbox(),
                     [&](const Status& status) { promise.set_value(status); });
  Status recorded = promise.get_future().get();
  if (recorded.ok()) return recorded;
  return Error{recorded.error().code, "the log can't record it: " + recorded.error().detail};
}

// A disk that is full must not keep the daemon from starting: it drains and confirms.
void Daemon::record_start() {
  audit::Draft started;
  started.event = audit::Event::kServerStarted;
  started.code = options_.admin.version;
  std::vector<audit::Draft> drafts = drafts_of_change(nullptr, *rules_);
  drafts.insert(drafts.begin(), std::move(started));
  const Status recorded = record(std::move(drafts));
  if (!recorded.ok()) {
    log(LogLevel::kError, "audit.start_not_recorded", {{"detail", recorded.error().detail}});
  }
  record_certificate();
}

Status Daemon::allow_origins(const config::Config& config) {
  return network_->allow_origins(config.list("server.origins"));
}

Status Daemon::declare_shared_secret(MeshNumber mesh, const crypto::SecretText& secret) {
  std::promise<Status> promise;
  const auto answer = [&](const Status& status) {
    const bool was_none = !status.ok() && status.error().code == ErrorCode::kNotFound;
    promise.set_value(secret.empty() && was_none ? Status(Done{}) : status);
  };
  control_->mailbox().post([&] {
    if (secret.empty()) {
      controller_->revoke_source(mesh, std::string(membership::kSharedSource), answer);
    } else {
      controller_->declare_shared_secret(mesh, secret, answer);
    }
  });
  return promise.get_future().get();
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

// After everything that counts: of a series that nobody registered there would never be an alert.
Status Daemon::open_alert_desk() {
  if (const auto missing = alerts::missing_source(metrics_)) {
    return Error{ErrorCode::kBug, "no metric " + std::string(missing->family) + " with " +
                                      std::string(missing->label) + ", of which there are alerts"};
  }
  alerts::AlertOptions options = options_.alerts;
  options.server = host_name() + ":" + std::to_string(addresses_.front().port);
  SIGNET_TRY(alert_desk_, alerts::AlertDesk::create(std::move(options), metrics_, system_clock()));
  return Done{};
}

void Daemon::serve() {
  network_->start();
  alert_desk_->start();
}

// The alerts first, for what ends in order is none; peers, who are to blame for none of it; then
// whoever serves them; the store last, so that what was confirmed is kept. The shards' mailboxes
// outlive the store, whose last answers may still name them.
void Daemon::stop(std::chrono::milliseconds jitter, std::chrono::milliseconds within) {
  if (alert_desk_) alert_desk_->stop();
  if (shared_) shared_->stopping = true;
  if (network_) network_->stop(jitter, within);
  if (control_) control_->stop();
  if (store_) {
    for (const auto& broker : brokers_) broker->flush_trail();
    if (shared_) shared_->control_trail.flush_all();
  }
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
