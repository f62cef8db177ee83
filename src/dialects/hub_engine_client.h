// The engine's half of Hub: what an engine says on the namespace `/engine`, signed where the format
// asks for it, and what a broker told it, as values. A broker is believed in nothing: every field
// is checked for its type and bound before anybody acts on it. Pure. Format: protocol/hub.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "signet/result.h"

namespace signet::dialects {

inline constexpr std::string_view kEngineNamespace = "/engine";

// --- what an engine says: the data of a packet of Socket.IO ---

// Of CONNECT. The caller wipes it: it holds the token.
std::string engine_connect_data(std::string_view token);
// Asks for dispatches as `engine_job`, which alone tells the lease.
std::string engine_ready_event();
std::string engine_heartbeat_event();
// Another token in the place of the one of CONNECT; the caller wipes it as well.
std::string engine_refresh_event(std::string_view token);

enum class JobStep : std::uint8_t { kStarted, kProgress, kCompleted, kFailed };
std::string_view event_of(JobStep step);  // `job_started`, …

// What is said of a job.
struct JobWord {
  JobStep step = JobStep::kStarted;
  std::string_view job;
  std::optional<std::uint64_t> lease;  // as it was told; nullopt: by a broker that has none
  // kProgress: JSON of a number. kCompleted: JSON of the result; empty: none. kFailed: why, as a
  // text.
  std::string_view text;
};
// The event and its envelope, signed with `secret`. The text of a result goes as it is; what is
// signed is what JSON.stringify prints of it.
// Fails kMalformed where the result is no strict JSON, or too deep for its place (29 levels).
// REQUIRES: a nonce of trust::is_nonce.
Result<std::string> job_word_event(const JobWord& word, std::string_view secret,
                                   std::string_view nonce, WallTime now);

// When a token says that it ends; nullopt: it says nothing that can be read. Nothing is verified:
// an engine plans with the end of its own token.
std::optional<WallTime> token_end(std::string_view token);

// --- what a broker says ---

struct JobTold {
  std::string id;
  std::string type;
  std::string user;
  std::string payload;                 // JSON
  std::string world;                   // JSON of the world that it is of, or null
  std::optional<std::uint64_t> lease;  // a broker of v2 tells none
  std::int64_t priority = 0;
  std::chrono::milliseconds timeout{0};  // of running; 0: not told
  WallTime submitted;
};
struct LeaseLostTold {
  std::string job;
  std::uint64_t lease = 0;
  std::string error;  // of a job that failed; empty: it is queued for another try
};
struct WordRefusedTold {
  JobStep step = JobStep::kStarted;
  std::string reason;  // of the set EngineRefusal, or of a later version of it
};
struct EngineReadyTold {};
struct HeartbeatTold {};
struct TokenExpiredTold {};
struct TokenTakenTold {};    // the new one holds from now on
struct TokenRefusedTold {};  // the old one goes on
// None of the above, or breaks the bounds of its event: `what` is for a log. An engine goes on
// without it.
struct UnknownTold {
  std::string what;
};
using EngineTold =
    std::variant<JobTold, LeaseLostTold, WordRefusedTold, EngineReadyTold, HeartbeatTold,
                 TokenExpiredTold, TokenTakenTold, TokenRefusedTold, UnknownTold>;

// `data`: the JSON array of an event packet.
EngineTold read_engine_told(std::string_view data);

}  // namespace signet::dialects
