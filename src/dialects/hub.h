// Hub: the events of Socket.IO that users and engines say and hear, as values ⇄ text. What carries
// them (Engine.IO, Socket.IO, acknowledgements) is wire's business, what they mean broker's.
// Format: protocol/hub.md.
//
// It is no Dialect: a session of Hub is no connection, and has two namespaces with verbs of their
// own. Pure; one HubReader per shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/codes.h"
#include "base/time.h"
#include "jobs/job_board.h"
#include "trust/signed_action.h"
#include "wire/json.h"

namespace signet::dialects {

// ---- what is said. Everything borrows the reader until its next call.

struct HubAction {
  trust::ActionClaim claim;
  std::string_view payload;   // JSON, as it was signed; empty: none was sent
  std::string_view category;  // as it was sent, and not under the signature; empty: none
};
// One longer than that is none: what a peer says is told again, and not at any length.
inline constexpr std::size_t kMaxEchoBytes = 64;
struct HubHeartbeat {
  std::string_view ts;  // JSON of the number or text that was sent, echoed; empty: none
};
struct HubPresence {
  std::string_view state;
};
struct HubAgentHeartbeat {
  trust::AgentClaim claim;
};
struct HubGenerateWorld {
  std::string_view config;  // JSON as it was sent, not held against the schema yet; never null
};
struct HubTokenRefresh {
  std::string_view token;
};
// Data that is none of its event: which error event answers it (write_malformed). Also where the
// data is no strict JSON, as long as the name of the event can be read.
struct HubMalformed {
  enum class Answer : std::uint8_t { kNone, kActionError, kAgentResult, kJobError, kTokenError };
  Answer answer;
  std::string_view code;   // of the set of that answer; empty: kNone
  std::string_view event;  // empty: there is none
};
// An event that this namespace does not have.
struct HubUnknown {
  std::string_view event;  // for the log: 1 to 64 printable characters of ASCII; else empty
};
using HubVerb = std::variant<HubAction, HubHeartbeat, HubPresence, HubAgentHeartbeat,
                             HubGenerateWorld, HubTokenRefresh, HubMalformed, HubUnknown>;

struct EngineReady {
  enum class Dialect : std::uint8_t { kBoth, kEngineJob, kJobDispatch };
  Dialect dialect = Dialect::kBoth;
};
struct EngineHeartbeat {};
// Which events are signed envelopes.
enum class EngineEvent : std::uint8_t {
  kJobAck,
  kJobStatus,
  kJobStarted,
  kJobProgress,
  kJobCompleted,
  kJobFailed,
  kEngineError,
};
// Ids that the server gives are shorter; what it is told of an error is cut.
inline constexpr std::size_t kMaxJobIdBytes = 128;
inline constexpr std::size_t kMaxJobErrorBytes = 1'024;
struct EnginePacketSaid {
  EngineEvent event;
  trust::EngineClaim claim;  // an envelope that can't be read is one of which all is missing
  // Of the payload, as far as it is one of this event; else `fits` is false.
  bool fits = false;
  std::string_view job;                // jobId or job_id; empty of engine_error
  std::optional<std::uint64_t> lease;  // echoed, where it was
  std::string_view text;               // JSON of result or progress; the text of error
};
using EngineVerb = std::variant<EngineReady, EngineHeartbeat, EnginePacketSaid, HubTokenRefresh,
                                HubMalformed, HubUnknown>;

// What a CONNECT packet shows.
struct HubCredentials {
  std::optional<std::string_view> token;
  bool simulated = false;  // `simulated:true`: asks to be let in without one
};

class HubReader {
 public:
  // `data`: the JSON array of an event packet; what follows the event's own argument is ignored.
  // Never fails: what can't be understood is a HubMalformed or a HubUnknown.
  HubVerb read_user(std::string_view data);
  EngineVerb read_engine(std::string_view data);
  // Of the data of a CONNECT packet.
  HubCredentials read_credentials(std::string_view data);

 private:
  wire::JsonValue parsed(std::string_view data);

  wire::JsonDocument document_;
  std::string printed_;  // what a claim shows as JSON.stringify prints it
};

// The rejection event of a signed packet: `<event>_rejected`, of job_status `status_rejected`.
std::string_view rejection_of(EngineEvent event);

// ---- what is told: the JSON array of an event packet. Times are milliseconds since 1970, but for
// the `exp` of a token, which is in seconds as in the token.

struct HubAuthContext {
  std::string_view user;
  std::string_view role;
  bool simulated = false;
  std::string_view action_key;  // empty: not told (no TLS, no loopback)
};
std::string write_auth_context(const HubAuthContext& context);

// Times that are not there are null.
struct HubEngineStatus {
  bool connected = false;
  std::optional<WallTime> last_heartbeat;
  std::optional<WallTime> last_telemetry;
  std::uint64_t reconnect_attempts = 0;
  bool healthy = false;
};
std::string write_engine_status(const HubEngineStatus& status);
std::string write_agent_nonce(std::string_view hint, std::string_view nav, std::string_view predict,
                              std::string_view rule);

enum class HubState : std::uint8_t { kActive, kIdle, kInactive };
std::string_view name_of(HubState state);
struct HubPresenceEntry {
  std::string user;
  std::string role;
  std::string device;  // `browser`, `engine`, …: never more than we know
  std::string socket;  // the newest one's public id, not its sid
  HubState state = HubState::kActive;
  WallTime connected;
  WallTime last_active;
};
// An object by user id.
std::string write_presence_update(const std::vector<HubPresenceEntry>& entries);

struct HubActionUpdate {
  std::string_view user;
  std::string_view session;
  std::string_view type;
  std::string_view payload;  // JSON; empty: none was sent, and none is told
  std::int64_t client_ts = 0;
  WallTime server_ts;
  std::string_view category;
};
std::string write_action_update(const HubActionUpdate& update);
// `ref`, `retry_after_ms`: of a denial, of a rate; left out where empty.
std::string write_action_error(ActionRefusal code, std::string_view ref = {},
                               std::optional<std::int64_t> retry_after_ms = std::nullopt);
// `ts`: JSON; left out where empty.
std::string write_heartbeat_result(std::string_view user, std::string_view ts);
std::string write_agent_heartbeat_result(std::optional<AgentRefusal> refused);
// What answers it: an event with its code; empty: nothing does.
std::string write_malformed(const HubMalformed& malformed);
std::string write_job_error(JobRefusal code, std::string_view message = {},
                            std::string_view ref = {});
std::string write_token_ok(WallTime expires);
std::string write_token_error(TokenRefusal rule);
std::string write_auth_expired();

std::string write_job_status(const jobs::Job& job);
std::string write_job_finished(const jobs::Job& job);  // engine_job_finished or engine_job_failed
// `completed` where all jobs are, else `failed`.
std::string write_world_update(std::string_view world, const std::vector<jobs::Job>& jobs);
// Everybody hears it, so it says nothing of the job.
std::string write_telemetry(jobs::Telemetry event, const jobs::Job& job, WallTime now);

std::string write_ready_ack(WallTime now);
std::string write_engine_heartbeat_ack(WallTime now);
std::string write_ack_received(std::string_view job, WallTime now);
std::string write_status_ack(std::string_view job, WallTime now);
std::string write_error_ack(WallTime now);
std::string write_rejected(EngineEvent event, EngineRefusal code);
// The two spellings of a dispatch.
std::string write_engine_job(const jobs::Job& job, std::chrono::milliseconds timeout);
std::string write_job_dispatch(const jobs::Job& job);
// To who had the lease: it is over, and the job is queued again, or has failed, as it says.
std::string write_lease_lost(const jobs::Job& job);

}  // namespace signet::dialects
