// What Hub tells users and engines. Each event is written by hand, member by member in the order of
// the page, so that a reader finds here what goes over the wire.
#include <algorithm>

#include "dialects/hub.h"

namespace signet::dialects {
namespace {

using wire::JsonWriter;

constexpr std::int64_t kMillisecondsPerSecond = 1'000;

// `["event",{`: the caller goes on with members and ends with told().
JsonWriter begun(std::string_view event) {
  JsonWriter json;
  json.array().value(event).object();
  return json;
}

std::string told(JsonWriter& json) { return json.end().end().take(); }

// A time of a job that is 0 has not come.
bool has_come(WallTime time) { return time.ms != 0; }

void write_text(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.key(name).value(text);
}

void write_time(JsonWriter& json, std::string_view name, WallTime time) {
  if (has_come(time)) json.key(name).value(time.ms);
}

void write_time_or_null(JsonWriter& json, std::string_view name, std::optional<WallTime> time) {
  json.key(name);
  if (time) {
    json.value(time->ms);
  } else {
    json.null();
  }
}

void write_json(JsonWriter& json, std::string_view name,
                const std::shared_ptr<const std::string>& value) {
  json.key(name);
  if (value == nullptr || value->empty()) {
    json.null();
  } else {
    json.raw(*value);
  }
}

// How long it ran, where it did.
void write_duration(JsonWriter& json, const jobs::Job& job) {
  if (!has_come(job.started) || !has_come(job.completed)) return;
  json.key("duration").value(std::max<std::int64_t>(job.completed.ms - job.started.ms, 0));
}

void write_entry(JsonWriter& json, const HubPresenceEntry& entry) {
  json.key(entry.user).object().key("userId").value(entry.user).key("role").value(entry.role);
  json.key("device").value(entry.device).key("socketId").value(entry.socket);
  json.key("state").value(name_of(entry.state)).key("connectedAt").value(entry.connected.ms);
  json.key("lastActiveAt").value(entry.last_active.ms).end();
}

void write_world_job(JsonWriter& json, const jobs::Job& job) {
  json.object().key("jobId").value(job.id).key("jobType").value(job.type);
  json.key("status").value(jobs::name_of(job.state));
  write_text(json, "error", job.error);
  json.end();
}

std::string_view name_of_telemetry(jobs::Telemetry event) {
  switch (event) {
    case jobs::Telemetry::kStarted:
      return "JOB_STARTED";
    case jobs::Telemetry::kProgress:
      return "JOB_PROGRESS";
    case jobs::Telemetry::kCompleted:
      return "JOB_COMPLETED";
    case jobs::Telemetry::kFailed:
      return "JOB_FAILED";
  }
  return "";
}

// An event whose only member is a code.
std::string write_code(std::string_view event, std::string_view name, std::string_view code) {
  JsonWriter json = begun(event);
  json.key(name).value(code);
  return told(json);
}

std::string write_agent_refused(std::string_view code) {
  JsonWriter json = begun("agent_heartbeat_result");
  json.key("ok").value(false).key("reason").value(code);
  return told(json);
}

}  // namespace

std::string_view name_of(HubState state) {
  switch (state) {
    case HubState::kActive:
      return "active";
    case HubState::kIdle:
      return "idle";
    case HubState::kInactive:
      return "inactive";
  }
  return "";
}

// ---- to users

std::string write_auth_context(const HubAuthContext& context) {
  JsonWriter json = begun("auth_context");
  json.key("userId").value(context.user).key("role").value(context.role);
  json.key("isSimulated").value(context.simulated);
  write_text(json, "actionKey", context.action_key);
  return told(json);
}

std::string write_engine_status(const HubEngineStatus& status) {
  JsonWriter json = begun("engine_status");
  json.key("connected").value(status.connected);
  write_time_or_null(json, "lastHeartbeat", status.last_heartbeat);
  write_time_or_null(json, "lastTelemetry", status.last_telemetry);
  json.key("reconnectAttempts").value(status.reconnect_attempts);
  json.key("healthy").value(status.healthy);
  return told(json);
}

std::string write_agent_nonce(std::string_view hint, std::string_view nav, std::string_view predict,
                              std::string_view rule) {
  JsonWriter json = begun("agent_nonce");
  json.key("HintAgent").value(hint).key("NavAgent").value(nav);
  json.key("PredictAgent").value(predict).key("RuleAgent").value(rule);
  return told(json);
}

std::string write_presence_update(const std::vector<HubPresenceEntry>& entries) {
  JsonWriter json = begun("presence_update");
  for (const HubPresenceEntry& entry : entries) write_entry(json, entry);
  return told(json);
}

std::string write_action_update(const HubActionUpdate& update) {
  JsonWriter json = begun("action_update");
  json.key("userId").value(update.user).key("sessionId").value(update.session);
  json.key("type").value(update.type);
  if (!update.payload.empty()) json.key("payload").raw(update.payload);
  json.key("clientTs").value(update.client_ts).key("serverTs").value(update.server_ts.ms);
  json.key("category").value(update.category);
  return told(json);
}

std::string write_action_error(ActionRefusal code, std::string_view ref,
                               std::optional<std::int64_t> retry_after_ms) {
  JsonWriter json = begun("action_error");
  json.key("error").value(signet::name_of(code));
  write_text(json, "ref", ref);
  if (retry_after_ms) json.key("retryAfterMs").value(*retry_after_ms);
  return told(json);
}

std::string write_heartbeat_result(std::string_view user, std::string_view ts) {
  JsonWriter json = begun("heartbeat_result");
  json.key("userId").value(user).key("ok").value(true);
  if (!ts.empty()) json.key("ts").raw(ts);
  return told(json);
}

std::string write_agent_heartbeat_result(std::optional<AgentRefusal> refused) {
  if (refused) return write_agent_refused(signet::name_of(*refused));
  JsonWriter json = begun("agent_heartbeat_result");
  json.key("ok").value(true);
  return told(json);
}

std::string write_job_error(JobRefusal code, std::string_view message, std::string_view ref) {
  JsonWriter json = begun("job_error");
  json.key("error").value(signet::name_of(code));
  write_text(json, "message", message);
  write_text(json, "ref", ref);
  return told(json);
}

std::string write_token_ok(WallTime expires) {
  JsonWriter json = begun("token_ok");
  json.key("exp").value(expires.ms / kMillisecondsPerSecond);
  return told(json);
}

std::string write_token_error(TokenRefusal rule) {
  return write_code("token_error", "error", signet::name_of(rule));
}

std::string write_auth_expired() { return JsonWriter().array().value("auth_expired").end().take(); }

std::string write_malformed(const HubMalformed& malformed) {
  switch (malformed.answer) {
    case HubMalformed::Answer::kNone:
      return {};
    case HubMalformed::Answer::kActionError:
      return write_code("action_error", "error", malformed.code);
    case HubMalformed::Answer::kAgentResult:
      return write_agent_refused(malformed.code);
    case HubMalformed::Answer::kJobError:
      return write_code("job_error", "error", malformed.code);
    case HubMalformed::Answer::kTokenError:
      return write_code("token_error", "error", malformed.code);
  }
  return {};
}

// ---- of jobs

std::string write_job_status(const jobs::Job& job) {
  JsonWriter json = begun("job_status");
  json.key("jobId").value(job.id).key("jobType").value(job.type);
  write_json(json, "payload", job.payload);
  json.key("status").value(jobs::name_of(job.state));
  write_text(json, "error", job.error);
  json.key("submittedAt").value(job.submitted.ms).key("userId").value(job.user);
  json.key("queuedAt").value(job.queued.ms);
  write_time(json, "dispatchedAt", job.dispatched);
  write_time(json, "startedAt", job.started);
  write_time(json, "completedAt", job.completed);
  write_duration(json, job);
  json.key("retryCount").value(std::uint64_t{job.retries});
  return told(json);
}

std::string write_job_finished(const jobs::Job& job) {
  const bool failed = job.state == jobs::JobState::kFailed;
  JsonWriter json = begun(failed ? "engine_job_failed" : "engine_job_finished");
  json.key("jobId").value(job.id).key("jobType").value(job.type);
  json.key("status").value(jobs::name_of(job.state));
  if (failed) {
    json.key("error").value(job.error);
  } else if (!job.result.empty()) {
    json.key("result").raw(job.result);
  }
  json.key("userId").value(job.user);
  write_time(json, "completedAt", job.completed);
  write_duration(json, job);
  json.key("retryCount").value(std::uint64_t{job.retries});
  return told(json);
}

std::string write_world_update(std::string_view world, const std::vector<jobs::Job>& jobs) {
  const bool failed = std::any_of(jobs.begin(), jobs.end(), [](const jobs::Job& job) {
    return job.state != jobs::JobState::kCompleted;
  });
  JsonWriter json = begun("world_update");
  json.key("worldId").value(world);
  json.key("status").value(
      jobs::name_of(failed ? jobs::JobState::kFailed : jobs::JobState::kCompleted));
  json.key("jobs").array();
  for (const jobs::Job& job : jobs) write_world_job(json, job);
  json.end();
  return told(json);
}

std::string write_telemetry(jobs::Telemetry event, const jobs::Job& /*job*/, WallTime now) {
  JsonWriter json = begun("engine_telemetry");
  json.key("event").value(name_of_telemetry(event)).key("timestamp").value(now.ms);
  return told(json);
}

// ---- to engines

std::string write_ready_ack(WallTime now) {
  JsonWriter json = begun("ready_ack");
  json.key("status").value("acknowledged").key("ts").value(now.ms);
  return told(json);
}

std::string write_engine_heartbeat_ack(WallTime now) {
  JsonWriter json = begun("heartbeat_ack");
  json.key("ts").value(now.ms);
  return told(json);
}

std::string write_ack_received(std::string_view job, WallTime now) {
  JsonWriter json = begun("ack_received");
  json.key("jobId").value(job).key("ts").value(now.ms);
  return told(json);
}

std::string write_status_ack(std::string_view job, WallTime now) {
  JsonWriter json = begun("status_ack");
  json.key("jobId").value(job).key("received").value(true).key("ts").value(now.ms);
  return told(json);
}

std::string write_error_ack(WallTime now) {
  JsonWriter json = begun("error_ack");
  json.key("received").value(true).key("ts").value(now.ms);
  return told(json);
}

std::string write_rejected(EngineEvent event, EngineRefusal code) {
  return write_code(rejection_of(event), "reason", signet::name_of(code));
}

std::string write_engine_job(const jobs::Job& job, std::chrono::milliseconds timeout) {
  JsonWriter json = begun("engine_job");
  json.key("job_id").value(job.id).key("job_type").value(job.type);
  write_json(json, "world_spec", job.spec);
  write_json(json, "payload", job.payload);
  json.key("execution_params").object();
  json.key("priority").value(std::int64_t{job.priority});
  json.key("timeout_ms").value(std::int64_t{timeout.count()}).end();
  json.key("submitted_at").value(job.submitted.ms).key("user_id").value(job.user);
  json.key("lease").value(job.fence);
  return told(json);
}

std::string write_job_dispatch(const jobs::Job& job) {
  JsonWriter json = begun("job:dispatch");
  json.key("jobId").value(job.id).key("jobType").value(job.type);
  write_json(json, "payload", job.payload);
  return told(json);
}

std::string write_lease_lost(const jobs::Job& job) {
  JsonWriter json = begun("lease_lost");
  json.key("job_id").value(job.id).key("lease").value(job.fence);
  json.key("status").value(jobs::name_of(job.state));
  write_text(json, "error", job.error);
  return told(json);
}

}  // namespace signet::dialects
