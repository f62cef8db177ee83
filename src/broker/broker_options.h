// The broker's bounds and counters. Each bound has its reason; config fills them, tests shrink
// them.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/codes.h"
#include "base/metrics.h"
#include "broker/audit_trail.h"
#include "broker/hub_options.h"
#include "routing/topic_history.h"
#include "wire/websocket_frame.h"

namespace signet::broker {

struct BrokerOptions {
  AuditOptions audit;
  std::chrono::milliseconds max_skew{60'000};       // of a hello, either way: the format's
  std::chrono::milliseconds hello_timeout{10'000};  // the format's
  wire::FrameLimits frames;                         // 65,536 bytes: the format's
  std::int64_t sends_per_second = 100;              // of one member: a chatty agent, not a flood
  std::int64_t sends_burst = 200;
  double sends_per_second_address = 2'000;  // all members behind it, on one shard; 0: off
  double sends_burst_address = 4'000;
  // Each change of a member's channels is a line of the log, for good: all of them at once when a
  // client starts, few from then on. 0: off
  double channel_changes_per_minute = 30;
  double channel_changes_burst = 256;
  double hellos_per_second = 20;  // of one address on one shard: an office behind one NAT; 0: off
  double hellos_burst = 50;
  std::int64_t hellos_per_second_member = 5;  // a client in a reconnect loop; 0: off
  std::int64_t hellos_burst_member = 20;
  double requests_per_second = 20;  // HTTP, of one address on one shard; 0: off
  double requests_burst = 40;
  std::size_t unanswered_sends = 256;  // of one session: fills commits, not the memory
  std::size_t unanswered_bytes = 256 * 1024;
  std::size_t rate_entries = 16'384;       // addresses remembered per limit and shard
  std::size_t unconfirmed_messages = 512;  // pushed to one session and not confirmed
  std::size_t unconfirmed_bytes = 1 << 20;
  std::size_t high_water_bytes = 256 * 1024;       // stop pushing: this reader is slow
  std::size_t held_bytes = 16 * 1024;              // frames that came before the hello was answered
  std::size_t recent_confirmed = 256;              // messages whose sender may still hear `read`
  std::size_t pending_hooks = 1'024;               // statuses that wait for their process
  std::chrono::milliseconds hook_pending{10'000};  // the format's
  std::chrono::milliseconds working_ttl{60'000};   // the format's
  std::chrono::milliseconds read_retry{1'000};     // after the store failed to answer
  std::chrono::hours message_ttl{24 * 7};          // what a send gets as its expiry

  // Before a proof: a handshake of any format fits, and a peer that is nobody yet pins no more.
  std::size_t unproven_frame_bytes = 16 * 1024;
  std::uint32_t penalty_failures = 5;  // of one address in a minute: PulseMesh's alert; 0: off

  bool allow_sample_keys = false;  // dev only: the secrets of these keys are public

  // Topics.
  std::chrono::milliseconds handshake_timeout{10'000};    // the format's
  std::chrono::milliseconds session_ttl{24 * 3'600'000};  // the format's; then hand-shake again
  bool legacy_digest = false;  // the proof of PulseMesh v1, which is no MAC, is taken, too
  double shared_hellos_per_second = 16;  // of a shared secret: with the burst, fewer than the store
  double shared_hellos_burst = 2'000;    // remembers in the time that it must; 0: off
  std::int64_t connections_per_source = 64;  // one per topic it uses; 0: off
  double pulses_per_second = 50;             // of one member: what PulseMesh declares
  double pulses_burst = 100;                 // for its core; 0: off
  double pulses_per_minute = 1'000;          // likewise; 0: off
  double pulses_per_second_address = 2'000;  // on one shard; 0: off
  double pulses_burst_address = 4'000;
  double pulses_per_second_topic = 5'000;  // on one shard: one topic does not starve the others
  double pulses_burst_topic = 10'000;
  double deliveries_per_second = 200'000;  // that one member's pulses may cause; 0: off
  double deliveries_burst = 400'000;
  std::size_t subscriptions_per_session = 256;
  routing::TopicHistoryOptions history;    // of a mesh
  std::size_t late_pulses = 64;            // kept for a slow reader, the latest
  std::size_t decisions_per_second = 200;  // refusals of the policy that are kept, of one shard

  // The relay.
  double relays_per_second = 200;  // envelopes or node frames of one connection; 0: off
  double relays_burst = 400;
  std::size_t awaited_bytes = 256 * 1024;  // envelopes whose senders wait for one peer's pong

  HubOptions hub;
};

// Names of the original broker are kept beside ours.
struct BrokerMetrics {
  explicit BrokerMetrics(MetricRegistry& registry);

  Counter& connections;
  Counter& active;
  CodeCounters<HelloReject> rejected;
  Counter* routed[3];  // by priority
  CodeCounters<Refusal> refused;
  Counter& pushes;
  Counter& confirmed_by_pong;
  Counter& confirmed_by_receipt;
  Counter& duplicates;
  CodeCounters<HandshakeRefusal> handshakes_refused;
  CodeCounters<TokenRefusal> tokens_refused;
  CodeCounters<ReadRefusal> reads_refused;
  CodeCounters<RegisterRefusal> registrations_refused;
  CodeCounters<RelayRefusal> relays_refused;
  Counter& topic_sessions;  // live ones that proved a secret
  Counter& relay_sessions;
  Counter& pulses;
  Counter& pulse_deliveries;
  Counter& pulses_dropped;
  Counter& relayed;
  Counter& penalties;
  Counter& http_limited;    // answers of 429: over a rate,
  Counter& http_penalized;  // or to an address that failed before
  Counter& audit_dropped;
  Counter& unprotected;
};

}  // namespace signet::broker
