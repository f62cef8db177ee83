#include "signetd/module_options.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "apps/version.h"
#include "crypto/wipe.h"
#include "signetd/token_secret.h"

namespace signet {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

constexpr std::size_t kMostShards = 8;

// What belongs to a certificate, without one, is a mistake that must not end in plain text: the
// network refuses it.
std::optional<net::TlsServerOptions> tls_options(const config::Config& config) {
  net::TlsServerOptions tls;
  tls.certificate = config.text("tls.certificate");
  tls.key = config.text("tls.key");
  tls.allow_tls12 = config.text("tls.min_version") == "1.2";
  tls.client_ca = config.text("tls.client_ca");
  tls.require_certificate = config.text("tls.client_certificates") == "required";
  tls.handshake_timeout = config.duration("tls.handshake_timeout");
  const bool is_off = tls.certificate.empty() && tls.key.empty() && tls.client_ca.empty() &&
                      !tls.require_certificate;
  if (is_off) return std::nullopt;
  return tls;
}

net::NetOptions net_options(const config::Config& config) {
  net::NetOptions options;
  options.tls = tls_options(config);
  options.http.max_head_bytes = config.size("net.max_head_bytes");
  options.http.max_headers = config.size("net.max_headers");
  options.http.max_target_bytes = config.size("net.max_target_bytes");
  options.max_body_bytes = config.size("net.max_body_bytes");
  options.origins = config.list("server.origins");
  options.any_origin = false;
  options.trusted_proxies = config.list("server.trusted_proxies");
  options.high_water_bytes = config.size("net.high_water_bytes");
  options.max_queued_bytes = config.size("net.max_queued_bytes");
  options.head_timeout = config.duration("net.head_timeout");
  options.idle_http_timeout = config.duration("net.idle_http_timeout");
  options.ping_interval = config.duration("net.ping_interval");
  options.dead_after = config.duration("net.dead_after");
  options.slow_consumer_after = config.duration("net.slow_consumer_after");
  options.close_timeout = config.duration("net.close_timeout");
  options.spin = config.duration<microseconds>("net.spin");
  options.max_connections = config.size("net.max_connections");
  options.max_connections_per_address = config.size("net.max_connections_per_address");
  options.max_unproven = config.size("net.max_unproven");
  options.unproven_start = config.size("net.unproven_start");
  options.unproven_share_percent = config.size("net.unproven_share_percent");
  options.reserve_percent = config.size("net.reserve_percent");
  options.max_local_connections = config.size("net.max_local_connections");
  options.receive_buffer_bytes = config.size("net.receive_buffer_bytes");
  return options;
}

store::StoreOptions store_options(const config::Config& config) {
  store::StoreOptions options;
  options.directory = config.text("server.data");
  options.mailbox_messages = config.integer("store.mailbox_messages");
  options.mailbox_bytes = config.integer("store.mailbox_bytes");
  options.sender_messages = config.integer("store.sender_messages");
  options.mesh_bytes = config.integer("store.mesh_bytes");
  options.message_ttl = config.duration<hours>("store.message_ttl");
  options.dedupe_retention = config.duration<hours>("store.dedupe_retention");
  options.dead_retention = config.duration<hours>("store.dead_retention");
  options.dead_messages = config.integer("store.dead_messages");
  options.hellos_per_member = config.integer("store.hellos_per_member");
  options.nonces_per_member = config.integer("store.nonces_per_member");
  options.nonces = config.integer("store.nonces");
  options.reserve_bytes = config.integer("store.reserve_bytes");
  options.max_inbox = config.size("store.max_inbox");
  options.synchronous_full = config.flag("store.synchronous_full");
  options.log_bytes = config.integer("audit.max_bytes");
  options.checkpoint_entries =
      static_cast<std::uint64_t>(config.integer("audit.checkpoint_entries"));
  options.checkpoint_every = config.duration("audit.checkpoint_every");
  return options;
}

void take_topic_options(const config::Config& config, broker::BrokerOptions& options) {
  const auto rate = [&](config::NumberName name) {
    return static_cast<double>(config.integer(name));
  };
  options.unproven_frame_bytes = config.size("limits.unproven_frame");
  options.penalty_failures = static_cast<std::uint32_t>(config.integer("limits.penalty_failures"));
  options.handshake_timeout = config.duration("pulsemesh.handshake_timeout");
  options.session_ttl = config.duration("pulsemesh.session_ttl");
  options.legacy_digest = config.flag("pulsemesh.legacy_digest");
  options.connections_per_source = config.integer("pulsemesh.connections_per_source");
  options.shared_hellos_per_second = rate("limits.hellos_per_second_shared");
  options.shared_hellos_burst = rate("limits.hellos_burst_shared");
  options.pulses_per_second = rate("limits.pulses_per_second");
  options.pulses_burst = rate("limits.pulses_burst");
  options.pulses_per_minute = rate("limits.pulses_per_minute");
  options.pulses_per_second_address = rate("limits.pulses_per_second_address");
  options.pulses_burst_address = rate("limits.pulses_burst_address");
  options.pulses_per_second_topic = rate("limits.pulses_per_second_topic");
  options.pulses_burst_topic = rate("limits.pulses_burst_topic");
  options.deliveries_per_second = rate("limits.deliveries_per_second");
  options.deliveries_burst = rate("limits.deliveries_burst");
  options.subscriptions_per_session = config.size("limits.subscriptions_per_session");
  options.history.max_pulses = config.size("pulsemesh.history");
  options.history.max_bytes = config.size("pulsemesh.history_bytes");
  options.late_pulses = config.size("pulsemesh.late_pulses");
  options.decisions_per_second = config.size("policy.decisions_per_second");
  options.relays_per_second = rate("limits.relays_per_second");
  options.relays_burst = rate("limits.relays_burst");
}

broker::HubOptions hub_options(const config::Config& config) {
  const auto rate = [&](config::NumberName name) {
    return static_cast<double>(config.integer(name));
  };
  broker::HubOptions options;
  options.engine.ping_interval = config.duration("hub.ping_interval");
  options.engine.ping_timeout = config.duration("hub.ping_timeout");
  options.engine.upgrade_timeout = config.duration("hub.upgrade_timeout");
  options.engine.max_payload = config.size("hub.max_payload");
  options.action_window = config.duration("hub.action_window");
  options.engine_window = config.duration("hub.engine_window");
  options.nonce_memory = config.duration("hub.nonce_memory");
  options.idle_after = config.duration("hub.idle_after");
  options.inactive_after = config.duration("hub.inactive_after");
  options.disconnect_after = config.duration("hub.disconnect_after");
  options.engine_silent_after = config.duration("hub.engine_silent_after");
  options.actions_per_second = rate("hub.actions_per_second");
  options.actions_burst = rate("hub.actions_burst");
  options.packets_per_second = rate("hub.packets_per_second");
  options.packets_burst = rate("hub.packets_burst");
  options.max_world_bytes = config.size("hub.max_world_bytes");
  options.max_result_bytes = config.size("hub.max_result_bytes");
  options.progress_per_second = rate("hub.progress_per_second");
  options.sockets_per_user = config.size("hub.sockets_per_user");
  return options;
}

// Each shard has its part of what may be written in a second.
broker::AuditOptions audit_options(const config::Config& config, std::size_t threads) {
  const std::string& traffic = config.text("audit.traffic");
  broker::AuditOptions options;
  options.admissions = traffic == "all";
  options.refusals = traffic != "none";
  options.tally.entries_per_second =
      static_cast<double>(config.integer("audit.entries_per_second")) /
      static_cast<double>(threads);
  options.tally.window = config.duration("audit.repeat_window");
  return options;
}

broker::BrokerOptions broker_options(const config::Config& config, bool dev) {
  broker::BrokerOptions options;
  options.allow_sample_keys = dev;
  options.max_skew = config.duration("claudemesh.max_skew");
  options.hello_timeout = config.duration("claudemesh.hello_timeout");
  options.frames.max_message_bytes = config.size("claudemesh.max_message");
  options.frames.max_fragments = config.size("claudemesh.max_fragments");
  options.sends_per_second = config.integer("limits.sends_per_second");
  options.sends_burst = config.integer("limits.sends_burst");
  options.channel_changes_per_minute =
      static_cast<double>(config.integer("limits.channel_changes_per_minute"));
  options.channel_changes_burst =
      static_cast<double>(config.integer("limits.channel_changes_burst"));
  options.sends_per_second_address =
      static_cast<double>(config.integer("limits.sends_per_second_address"));
  options.sends_burst_address = static_cast<double>(config.integer("limits.sends_burst_address"));
  options.hellos_per_second =
      static_cast<double>(config.integer("limits.hellos_per_second_address"));
  options.hellos_burst = static_cast<double>(config.integer("limits.hellos_burst_address"));
  options.hellos_per_second_member = config.integer("limits.hellos_per_second_member");
  options.hellos_burst_member = config.integer("limits.hellos_burst_member");
  options.requests_per_second =
      static_cast<double>(config.integer("limits.requests_per_second_address"));
  options.requests_burst = static_cast<double>(config.integer("limits.requests_burst_address"));
  options.unanswered_sends = config.size("claudemesh.unanswered_sends");
  options.unanswered_bytes = config.size("claudemesh.unanswered_bytes");
  options.unconfirmed_messages = config.size("claudemesh.unconfirmed_messages");
  options.unconfirmed_bytes = config.size("claudemesh.unconfirmed_bytes");
  options.high_water_bytes = config.size("net.high_water_bytes");
  options.hook_pending = config.duration("claudemesh.hook_pending");
  options.working_ttl = config.duration("claudemesh.working_ttl");
  options.message_ttl = config.duration<hours>("store.message_ttl");
  take_topic_options(config, options);
  options.hub = hub_options(config);
  return options;
}

// Whoever asks gets a token: none are handed out where they are of a key that others made.
void take_dev_tokens(const config::Config& config, admin::AdminOptions& options) {
  const config::Secret& secret = config.secret("tokens.secret");
  if (secret.empty()) return;
  auto text = token_secret_key(secret.reveal(), true);
  if (!text.ok()) return;  // the rules say what is wrong with it
  const crypto::WipedAtEnd wiped(*text);
  auto key = trust::SigningKey::parse(*text);
  if (!key.ok()) return;
  admin::DevTokens tokens{*std::move(key), config.text("tokens.issuer")};
  const auto longest = config.duration<std::chrono::seconds>("tokens.max_lifetime");
  tokens.lifetime = std::min(tokens.lifetime, longest);
  options.dev_tokens = std::move(tokens);
}

admin::AdminOptions admin_options(const config::Config& config, bool dev) {
  constexpr double kSecondsAMinute = 60;
  admin::AdminOptions options;
  options.operator_token = crypto::SecretText(config.secret("admin.token").reveal());
  options.version = kVersion;
  options.git_sha = kGitSha;
  options.allow_sample_keys = dev;
  options.open_counts = dev;
  options.public_operator = dev && config.text("admin.listen") == "none";
  options.penalty_failures = config.size("limits.penalty_failures");
  options.data_directory = config.text("server.data");
  options.mesh_connections = config.integer("claudemesh.max_connections");
  options.mesh_legacy_join = config.flag("claudemesh.legacy_join");
  options.hosts = config.list("server.hosts");
  const auto a_minute = static_cast<double>(config.integer("claudemesh.hook_rate_per_minute"));
  options.hooks_per_second = a_minute / kSecondsAMinute;
  options.hooks_burst = a_minute;
  options.max_hook_body = config.size("claudemesh.hook_max_body");
  if (dev) take_dev_tokens(config, options);
  return options;
}

std::optional<alerts::WebhookOptions> webhook_options(const config::Config& config) {
  if (config.text("alerts.webhook").empty()) return std::nullopt;
  alerts::WebhookOptions options;
  options.url = config.text("alerts.webhook");
  options.secret = crypto::SecretText(config.secret("alerts.webhook_secret").reveal());
  options.ca_file = config.text("alerts.webhook_ca");
  options.timeout = config.duration("alerts.webhook_timeout");
  options.retry_for = config.duration("alerts.webhook_retry_for");
  return options;
}

alerts::AlertOptions alert_options(const config::Config& config) {
  using alerts::Alert;
  using std::chrono::seconds;
  alerts::AlertOptions options;
  const auto threshold = [&](Alert alert) -> std::int64_t& {
    return options.thresholds[static_cast<std::size_t>(alert)];
  };
  threshold(Alert::kFailedProofs) = config.integer("alerts.failed_proofs");
  threshold(Alert::kReplays) = config.integer("alerts.replays");
  threshold(Alert::kFloods) = config.integer("alerts.floods");
  threshold(Alert::kSlowConsumers) = config.integer("alerts.slow_consumers");
  threshold(Alert::kDiskFree) = config.integer("alerts.disk_free");
  threshold(Alert::kCertificateExpiry) =
      config.duration<seconds>("alerts.certificate_expiry").count();
  // One of these is reason enough, and there is no more of it than yes and no.
  for (const Alert alert : {Alert::kClockSteps, Alert::kAuditGap, Alert::kAuditDamaged,
                            Alert::kStoreFull, Alert::kStoreUnhealthy}) {
    threshold(alert) = 1;
  }
  options.every = config.duration("alerts.every");
  options.data_directory = config.text("server.data");
  options.webhook = webhook_options(config);
  return options;
}

// A client may have another working directory, so that it is told the whole path.
std::string socket_path(const config::Config& config) {
  const std::filesystem::path name = config.text("admin.socket");
  if (name.empty()) return {};
  std::error_code failed;
  const std::filesystem::path path =
      name.has_parent_path() ? name : std::filesystem::path(config.text("server.data")) / name;
  const std::filesystem::path whole = std::filesystem::absolute(path, failed);
  return (failed ? path : whole.lexically_normal()).string();
}

std::size_t shard_count(const config::Config& config) {
  const std::size_t wanted = config.size("server.shards");
  if (wanted > 0) return wanted;
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(cores - 1, 1, kMostShards);
}

}  // namespace

ModuleOptions module_options(const config::Config& config, bool dev) {
  ModuleOptions options;
  options.net = net_options(config);
  options.store = store_options(config);
  options.shards = shard_count(config);
  options.broker = broker_options(config, dev);
  options.broker.audit = audit_options(config, options.shards + 1);  // and the control thread
  options.controller.channels_per_member = config.size("limits.channels_per_member");
  options.controller.channels_per_mesh = config.size("limits.channels_per_mesh");
  options.controller.allow_sample_secrets = dev;
  options.controller.sources_per_mesh = config.size("limits.sources_per_mesh");
  options.controller.subjects_per_mesh = config.size("tokens.subjects_per_mesh");
  options.admin = admin_options(config, dev);
  options.alerts = alert_options(config);
  options.socket = socket_path(config);
  return options;
}

}  // namespace signet
