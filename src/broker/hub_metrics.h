// HubMetrics is what Hub counts. Names and meanings are told at /metrics.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/codes.h"
#include "base/metrics.h"

namespace signet::broker {

// Why a request of the transport was refused, or a session was ended by the server. What its peer
// ends itself is not among them, and a refused CONNECT has a counter of its own.
enum class TransportReason : std::uint8_t {
  kBadRequest,       // another method, version or transport than there is
  kNoMesh,           // none is bound to its path, or Hub is off there
  kTooManySessions,  // from one address, or after bad tokens
  kUnknownSid,
  kStolenSid,      // of a session that another address began
  kBadUpgrade,     // it has a WebSocket, or one that wants to be it
  kBadProbe,       // a WebSocket that wanted to carry a session said something else, or nothing
  kTwoPolls,       // a second while one waited
  kTwoPosts,       // a second before the first was answered
  kMalformed,      // what can't be read, or may not come
  kTooLarge,       // of who has joined nothing
  kTooEarly,       // an event before CONNECT
  kTooFast,        // packets, or tokens
  kIncomplete,     // attachments that were announced and did not come
  kSlow,           // does not read
  kPingTimeout,    // no pong
  kJoinedNothing,  // within connect_timeout
  kEvicted,        // had joined nothing, and made room
  kSilent,         // no heartbeat: its namespace was left
  kTokenExpired,   // likewise
  kRevoked,        // likewise: a judgement
};
inline constexpr std::size_t kTransportReasonCount = 21;
std::string_view name_of(TransportReason reason);  // "bad_request", …

struct HubMetrics {
  explicit HubMetrics(MetricRegistry& registry);

  Counter& sessions;  // of Engine.IO
  Counter& users;     // sockets that joined as a user
  Counter& engines;
  Counter& upgrades;
  Counter& actions;
  CodeCounters<ConnectRefusal> connects_refused;
  CodeCounters<ActionRefusal> actions_refused;
  CodeCounters<AgentRefusal> agents_refused;
  CodeCounters<EngineRefusal> engines_refused;
  CodeCounters<JobRefusal> jobs_refused;
  CodeCounters<TransportReason> transport;
  Counter& jobs_submitted;
  Counter& jobs_completed;
  Counter& jobs_failed;
  Counter& jobs_dispatched;
  Counter& jobs_reloaded;  // boards made anew, because the store had not taken a change
};

}  // namespace signet::broker
