// The broker's bounds and counters. Each bound has its reason; config fills them, tests shrink
// them.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/codes.h"
#include "base/metrics.h"
#include "wire/websocket_frame.h"

namespace signet::broker {

struct BrokerOptions {
  std::chrono::milliseconds max_skew{60'000};       // of a hello, either way: the format's
  std::chrono::milliseconds hello_timeout{10'000};  // the format's
  wire::FrameLimits frames;                         // 65,536 bytes: the format's
  std::int64_t sends_per_second = 100;              // of one member: a chatty agent, not a flood
  std::int64_t sends_burst = 200;
  double sends_per_second_address = 2'000;  // all members behind it, on one shard; 0: off
  double sends_burst_address = 4'000;
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
};

}  // namespace signet::broker
