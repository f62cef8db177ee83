#include "signetd/module_options.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "apps/version.h"

namespace signet {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

constexpr std::size_t kMostShards = 8;

net::NetOptions net_options(const config::Config& config) {
  net::NetOptions options;
  options.http.max_head_bytes = config.size("net.max_head_bytes");
  options.http.max_headers = config.size("net.max_headers");
  options.http.max_target_bytes = config.size("net.max_target_bytes");
  options.max_body_bytes = config.size("net.max_body_bytes");
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
  options.reserve_bytes = config.integer("store.reserve_bytes");
  options.max_inbox = config.size("store.max_inbox");
  options.synchronous_full = config.flag("store.synchronous_full");
  return options;
}

broker::BrokerOptions broker_options(const config::Config& config) {
  broker::BrokerOptions options;
  options.max_skew = config.duration("claudemesh.max_skew");
  options.hello_timeout = config.duration("claudemesh.hello_timeout");
  options.frames.max_message_bytes = config.size("claudemesh.max_message");
  options.frames.max_fragments = config.size("claudemesh.max_fragments");
  options.sends_per_second = config.integer("limits.sends_per_second");
  options.sends_burst = config.integer("limits.sends_burst");
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
  return options;
}

admin::AdminOptions admin_options(const config::Config& config, bool dev) {
  constexpr double kSecondsAMinute = 60;
  admin::AdminOptions options;
  options.operator_token = config.secret("admin.token").reveal();
  options.version = kVersion;
  options.git_sha = kGitSha;
  options.allow_sample_keys = dev;
  options.data_directory = config.text("server.data");
  options.mesh_connections = config.integer("claudemesh.max_connections");
  options.mesh_legacy_join = config.flag("claudemesh.legacy_join");
  options.hosts = config.list("server.hosts");
  const auto a_minute = static_cast<double>(config.integer("claudemesh.hook_rate_per_minute"));
  options.hooks_per_second = a_minute / kSecondsAMinute;
  options.hooks_burst = a_minute;
  options.max_hook_body = config.size("claudemesh.hook_max_body");
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
  options.broker = broker_options(config);
  options.controller.channels_per_member = config.size("limits.channels_per_member");
  options.controller.channels_per_mesh = config.size("limits.channels_per_mesh");
  options.admin = admin_options(config, dev);
  options.socket = socket_path(config);
  options.shards = shard_count(config);
  return options;
}

}  // namespace signet
