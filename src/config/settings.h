// The table of every setting. A row is all there is to add; tests hold the rules (defaults parse
// and are within their bounds, environment names are unique, the reference names every row).
// Bounds repeat the options of the module they end in, which say the same reason.
#pragma once

#include <array>
#include <string_view>

#include "config/setting.h"

namespace signet::config {

// section, key, type, default, dev default, unit, min, max, reload, doc
// clang-format off
inline constexpr auto kSettings = std::to_array<Setting>({
  // server: the process itself.
  {"server", "listen", Type::kAddresses, "127.0.0.1:8088", "", "", 1, 16, Reload::kRestart,
   "Where it listens: HOST:PORT, [IPv6]:PORT; port 0 takes a free one. Loopback by default, so that nothing is reachable before somebody decided it."},
  {"server", "shards", Type::kInteger, "0", "", "threads", 0, 64, Reload::kRestart,
   "Threads that serve connections. 0 takes one less than there are cores, from 1 to 8: the rest is for the store and control threads."},
  {"server", "data", Type::kText, "./data", "", "", 1, 4'096, Reload::kRestart,
   "Directory of the durable state, made with mode 0700. A second process on it refuses to start."},
  {"server", "hosts", Type::kList, "", "", "", 0, 64, Reload::kRestart,
   "Names, beside the loopback ones, that the Host header of /hook/set-status may carry: a page that rebinds its own name to 127.0.0.1 is refused."},
  {"server", "log_level", Type::kChoice, "info", "", "debug|info|warn|error", 0, 0, Reload::kLive,
   "The least severe event that is logged."},
  {"server", "drain_jitter", Type::kDuration, "2s", "", "ms", 0, 10 * kMinute, Reload::kLive,
   "At shutdown connections close at random moments within this time, so that peers do not come back all at once."},
  {"server", "drain_timeout", Type::kDuration, "4s", "", "ms", 0, 10 * kMinute, Reload::kLive,
   "At shutdown connections that are still open after this time are cut: SIGTERM is answered within 5 s."},

  // net: connections, before anybody has said who they are.
  {"net", "max_head_bytes", Type::kBytes, "16KiB", "", "", 1 * kKiB, 1 * kMiB, Reload::kRestart,
   "The largest HTTP request head; over it: 431."},
  {"net", "max_headers", Type::kInteger, "100", "", "headers", 8, 1'000, Reload::kRestart,
   "Headers of one request; over it: 431."},
  {"net", "max_target_bytes", Type::kBytes, "2KiB", "", "", 64, 64 * kKiB, Reload::kRestart,
   "The longest request target; over it: 414."},
  {"net", "max_body_bytes", Type::kBytes, "64KiB", "", "", 1 * kKiB, 16 * kMiB, Reload::kRestart,
   "The largest HTTP body that any route takes; over it: 413, before the body is read."},
  {"net", "high_water_bytes", Type::kBytes, "256KiB", "", "", 4 * kKiB, 1 * kGiB, Reload::kRestart,
   "Output waiting for one connection at which its mailbox stops being pushed: one slow reader."},
  {"net", "max_queued_bytes", Type::kBytes, "1MiB", "", "", 64 * kKiB, 4 * kGiB, Reload::kRestart,
   "Hard limit of one connection's output queue: what a peer that does not read can make us hold."},
  {"net", "head_timeout", Type::kDuration, "5s", "", "ms", 100 * kMillisecond, 5 * kMinute, Reload::kRestart,
   "A whole request, head and body, or 408 and close: a peer that sends a byte a second holds nothing for long."},
  {"net", "idle_http_timeout", Type::kDuration, "30s", "", "ms", 100 * kMillisecond, 1 * kHour, Reload::kRestart,
   "A kept-alive HTTP connection without a request is closed after this time."},
  {"net", "ping_interval", Type::kDuration, "30s", "", "ms", 100 * kMillisecond, 1 * kHour, Reload::kRestart,
   "A WebSocket that was silent for so long is pinged; proxies commonly cut what is silent for 60 s."},
  {"net", "dead_after", Type::kDuration, "75s", "", "ms", 200 * kMillisecond, 3 * kHour, Reload::kRestart,
   "A WebSocket from which nothing at all came for so long is closed: two lost pings, and found within 90 s."},
  {"net", "slow_consumer_after", Type::kDuration, "30s", "", "ms", 100 * kMillisecond, 1 * kHour, Reload::kRestart,
   "A connection that takes nothing of its waiting output for so long is closed."},
  {"net", "close_timeout", Type::kDuration, "2s", "", "ms", 10 * kMillisecond, 1 * kMinute, Reload::kRestart,
   "How long a peer may take to answer a close frame."},
  {"net", "spin", Type::kDuration, "50us", "", "us", 0, 10 * kMillisecond, Reload::kRestart,
   "A loop that just had traffic looks again for so long before it sleeps: a wake-up costs more than that."},
  {"net", "max_connections", Type::kInteger, "19000", "", "connections", 1, 1'000'000, Reload::kRestart,
   "Connections of the whole process; below the usual 20,000 descriptors, the rest of which are ours."},
  {"net", "max_connections_per_address", Type::kInteger, "1000", "0", "connections", 0, 1'000'000, Reload::kRestart,
   "Connections from one IPv4 address or IPv6 /64; 0: no limit. A whole office shares one."},
  {"net", "max_unproven", Type::kInteger, "2000", "", "connections", 1, 1'000'000, Reload::kRestart,
   "Connections that have not proven themselves; those that come on top are refused, those that are proven stay."},
  {"net", "max_local_connections", Type::kInteger, "64", "", "connections", 1, 10'000, Reload::kRestart,
   "Connections on the Unix socket of the operator, beside all others: a few people and programs, whatever else is full."},
  {"net", "receive_buffer_bytes", Type::kBytes, "512KiB", "", "", 16 * kKiB, 64 * kMiB, Reload::kRestart,
   "One buffer per shard that all its connections read into; an idle connection owns none."},

  // store: what is durable.
  {"store", "mailbox_messages", Type::kInteger, "10000", "100000", "messages", 1, 100'000'000, Reload::kRestart,
   "Messages waiting for one member; over it: quota_exceeded to the sender."},
  {"store", "mailbox_bytes", Type::kBytes, "64MiB", "1GiB", "", 64 * kKiB, 1 * kTiB, Reload::kRestart,
   "Bodies waiting for one member; over it: quota_exceeded to the sender."},
  {"store", "sender_messages", Type::kInteger, "50000", "1000000", "messages", 1, 100'000'000, Reload::kRestart,
   "Messages of one sender waiting anywhere: one member cannot fill everybody's mailbox."},
  {"store", "mesh_bytes", Type::kBytes, "4GiB", "", "", 1 * kMiB, 64 * kTiB, Reload::kRestart,
   "Bodies waiting in one mesh: one mesh cannot fill the disk of the others."},
  {"store", "message_ttl", Type::kDuration, "7d", "", "h", 1 * kHour, 366 * kDay, Reload::kRestart,
   "A message that waited longer becomes a dead letter: a week covers a holiday, not a lost machine."},
  {"store", "dedupe_retention", Type::kDuration, "8d", "", "h", 1 * kHour, 400 * kDay, Reload::kRestart,
   "A send repeated within this time is the same message; longer than message_ttl, so that a retry never doubles what still waits."},
  {"store", "dead_retention", Type::kDuration, "14d", "", "h", 1 * kHour, 400 * kDay, Reload::kRestart,
   "A dead letter can be listed for so long."},
  {"store", "dead_messages", Type::kInteger, "100000", "", "messages", 0, 100'000'000, Reload::kRestart,
   "Dead letters of one mesh; the oldest go first."},
  {"store", "hellos_per_member", Type::kInteger, "4096", "", "hellos", 16, 1'000'000, Reload::kRestart,
   "Admitted hellos remembered per member against replay; more than the hello limit admits within twice claudemesh.max_skew."},
  {"store", "reserve_bytes", Type::kBytes, "64MiB", "", "", 0, 64 * kGiB, Reload::kRestart,
   "Disk space given up when the disk is full, so that draining and confirming go on while publishing is refused."},
  {"store", "max_inbox", Type::kInteger, "200000", "", "commands", 100, 10'000'000, Reload::kRestart,
   "Commands waiting for the writer thread; more are refused as unavailable rather than held without bound."},
  {"store", "synchronous_full", Type::kBool, "true", "", "", 0, 0, Reload::kRestart,
   "Sync the disk before every acknowledgement. false loses acknowledged messages at a power cut; only the test that proves this wants it."},

  // claudemesh: the dialect of that name.
  {"claudemesh", "max_skew", Type::kDuration, "60s", "", "ms", 1 * kSecond, 1 * kHour, Reload::kRestart,
   "How far a hello's timestamp may be from the server's clock; the format says 60 s."},
  {"claudemesh", "hello_timeout", Type::kDuration, "10s", "", "ms", 100 * kMillisecond, 5 * kMinute, Reload::kRestart,
   "A WebSocket without a valid hello is closed after this time."},
  {"claudemesh", "max_message", Type::kBytes, "65536", "", "", 1 * kKiB, 16 * kMiB, Reload::kRestart,
   "The largest message; over it: close 1009. The format says 65,536."},
  {"claudemesh", "max_fragments", Type::kInteger, "1024", "", "fragments", 1, 65'536, Reload::kRestart,
   "Frames that one message may come in: one-byte fragments cost more than they carry."},
  {"claudemesh", "max_connections", Type::kInteger, "10000", "", "connections", 1, 1'000'000, Reload::kRestart,
   "Connections of one mesh that does not set its own max_connections; over it: capacity."},
  {"claudemesh", "legacy_join", Type::kBool, "false", "", "", 0, 0, Reload::kRestart,
   "Accept the old /join body that needs no invite, in meshes that do not set their own legacy_join. It lets anybody in as a member, hence off."},
  {"claudemesh", "hook_rate_per_minute", Type::kInteger, "30", "", "requests a minute", 0, 1'000'000, Reload::kRestart,
   "Status hooks of one (pid, cwd); over it: 429. 0: no limit."},
  {"claudemesh", "hook_max_body", Type::kBytes, "64KiB", "", "", 256, 16 * kMiB, Reload::kRestart,
   "The largest body of a status hook; over it: 413."},
  {"claudemesh", "hook_pending", Type::kDuration, "10s", "", "ms", 0, 10 * kMinute, Reload::kRestart,
   "A status hook that comes before its client does waits so long for it."},
  {"claudemesh", "working_ttl", Type::kDuration, "60s", "", "ms", 1 * kSecond, 1 * kDay, Reload::kRestart,
   "The status working falls back to idle when no hook refreshes it for so long: a crashed agent does not block its mail."},
  {"claudemesh", "unanswered_sends", Type::kInteger, "256", "", "messages", 1, 65'536, Reload::kRestart,
   "Sends of one session that wait for the disk; beyond it its socket is not read, so that a flood waits with its sender."},
  {"claudemesh", "unanswered_bytes", Type::kBytes, "256KiB", "", "", 64 * kKiB, 256 * kMiB, Reload::kRestart,
   "Bytes of sends of one session that wait for the disk; beyond it its socket is not read."},
  {"claudemesh", "unconfirmed_messages", Type::kInteger, "512", "", "messages", 1, 65'536, Reload::kRestart,
   "Messages pushed to one session and not confirmed yet; the rest stays in the mailbox until some are."},
  {"claudemesh", "unconfirmed_bytes", Type::kBytes, "1MiB", "", "", 64 * kKiB, 256 * kMiB, Reload::kRestart,
   "Bytes pushed to one session and not confirmed yet; at least one message is always let through."},

  // limits: how fast anybody may do anything. A rate of 0 is no limit.
  {"limits", "sends_per_second", Type::kInteger, "100", "10000", "messages a second", 0, 1'000'000, Reload::kRestart,
   "Messages that one member may send a second, over all its sessions; over it: rate_limited with the time to wait. Joining or leaving a channel counts as one."},
  {"limits", "sends_burst", Type::kInteger, "200", "10000", "messages", 1, 1'000'000, Reload::kRestart,
   "Messages that one member may send at once after a pause."},
  {"limits", "sends_per_second_address", Type::kInteger, "2000", "0", "messages a second", 0, 10'000'000, Reload::kRestart,
   "Messages that all members behind one address may send a second, on each shard: one machine with many keys."},
  {"limits", "sends_burst_address", Type::kInteger, "4000", "", "messages", 1, 10'000'000, Reload::kRestart,
   "Messages from one address at once after a pause."},
  {"limits", "hellos_per_second_address", Type::kInteger, "20", "0", "hellos a second", 0, 1'000'000, Reload::kRestart,
   "Hellos a second from one address, on each shard: each costs a signature check on the thread that serves everybody."},
  {"limits", "hellos_burst_address", Type::kInteger, "50", "", "hellos", 1, 1'000'000, Reload::kRestart,
   "Hellos at once from one address: an office that comes back together."},
  {"limits", "hellos_per_second_member", Type::kInteger, "5", "0", "hellos a second", 0, 1'000'000, Reload::kRestart,
   "Hellos a second of one member: a client in a reconnect loop."},
  {"limits", "hellos_burst_member", Type::kInteger, "20", "", "hellos", 1, 1'000'000, Reload::kRestart,
   "Hellos at once of one member: all sessions of a person whose machine woke up."},
  {"limits", "requests_per_second_address", Type::kInteger, "20", "0", "requests a second", 0, 1'000'000, Reload::kRestart,
   "HTTP requests a second from one address, on each shard; over it: 429."},
  {"limits", "requests_burst_address", Type::kInteger, "40", "", "requests", 1, 1'000'000, Reload::kRestart,
   "HTTP requests at once from one address."},
  {"limits", "channels_per_member", Type::kInteger, "64", "", "channels", 1, 10'000, Reload::kRestart,
   "Channels that one member may be joined to."},
  {"limits", "channels_per_mesh", Type::kInteger, "1024", "", "channels", 1, 1'000'000, Reload::kRestart,
   "Channels of one mesh."},

  // admin: the operator's API.
  {"admin", "token", Type::kSecret, "", "", "", 32, 512, Reload::kRestart,
   "Bearer token of the admin API. Without one the API answers 403: there is no built-in token."},
  {"admin", "token_file", Type::kText, "", "", "", 0, 4'096, Reload::kRestart,
   "File that holds admin.token; only its owner may have rights on it, and it is no symbolic link."},
  {"admin", "socket", Type::kText, "signet.sock", "", "", 0, 4'096, Reload::kRestart,
   "Unix socket on which the daemon's own user and root use the admin API without a token. A name without '/' lies in server.data; empty: none. The system takes 107 bytes of path."},
});

// One [[mesh]] table of the file. These have no environment name: there can be many.
inline constexpr auto kMeshSettings = std::to_array<Setting>({
  {"mesh", "slug", Type::kText, "", "", "", 1, 63, Reload::kRestart,
   "What people call the mesh: a-z, 0-9 and '-'. Required, and unique."},
  {"mesh", "owner", Type::kText, "", "", "", 0, 64, Reload::kRestart,
   "The owner's Ed25519 public key, 64 hex digits. Without one no invite can be checked, so nobody can join."},
  {"mesh", "id", Type::kText, "", "", "", 0, 128, Reload::kRestart,
   "What clients call the mesh in a hello. Made at random when absent, and kept; 1 to 64 of letters, digits, '.', '_' and '-', as in the hello's text."},
  {"mesh", "max_connections", Type::kInteger, "", "", "connections", 1, 1'000'000, Reload::kRestart,
   "Connections of this mesh; claudemesh.max_connections when absent."},
  {"mesh", "legacy_join", Type::kBool, "", "", "", 0, 0, Reload::kRestart,
   "The old /join body in this mesh; claudemesh.legacy_join when absent."},
});
// clang-format on

// Two settings of which the first must stay below the second, and why.
struct Order {
  std::string_view smaller;
  std::string_view larger;
  std::string_view reason;
};
// clang-format off
inline constexpr auto kOrders = std::to_array<Order>({
  {"net.ping_interval", "net.dead_after", "a peer must have the time to answer a ping"},
  {"net.high_water_bytes", "net.max_queued_bytes", "pushing must stop before the hard limit drops"},
  {"claudemesh.max_message", "net.max_queued_bytes", "the largest message must fit the output queue"},
  {"store.message_ttl", "store.dedupe_retention", "a retry must not double what still waits"},
});
// clang-format on

}  // namespace signet::config
