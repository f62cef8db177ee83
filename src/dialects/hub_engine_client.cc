#include "dialects/hub_engine_client.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "trust/signed_action.h"
#include "wire/json.h"
#include "wire/stringified.h"

namespace signet::dialects {
namespace {

using wire::JsonKind;
using wire::JsonValue;
using wire::JsonWriter;

// Bounds of what a broker may make an engine keep; each is above what a true one sends.
constexpr std::size_t kMaxJobId = 128;  // of the page
constexpr std::size_t kMaxName = 1'024;
constexpr std::size_t kMaxReason = 64;
constexpr std::size_t kMaxError = 1'024;  // of the page
// A world stands two levels deeper than it was sent, and its values are told twice.
constexpr wire::JsonLimits kToldLimits{.max_depth = 34, .max_values = 262'144};
constexpr std::int64_t kMaxTokenEnd = 253'402'300'799;  // the year 9999, in seconds

constexpr std::string_view kRejected = "_rejected";

struct Step {
  JobStep step;
  std::string_view event;
};
constexpr std::array kSteps = {
    Step{JobStep::kStarted, "job_started"},
    Step{JobStep::kProgress, "job_progress"},
    Step{JobStep::kCompleted, "job_completed"},
    Step{JobStep::kFailed, "job_failed"},
};

// Printable ASCII within its bound; empty for anything else.
std::string name_in(JsonValue value, std::size_t most) {
  const auto text = value.string();
  const bool is_good =
      text && text->size() <= most &&
      std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c <= '~'; });
  return is_good ? std::string(*text) : std::string();
}

std::string text_in(JsonValue value, std::size_t most) {
  const auto text = value.string();
  return text && text->size() <= most ? std::string(*text) : std::string();
}

std::string json_in(JsonValue value) { return value ? std::string(value.raw()) : "null"; }

std::optional<std::uint64_t> lease_in(JsonValue value) {
  const auto number = value.integer();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

UnknownTold unknown(std::string_view what) { return {std::string(what)}; }

EngineTold read_job(JsonValue data) {
  JobTold told;
  told.id = name_in(data["job_id"], kMaxJobId);
  told.type = name_in(data["job_type"], kMaxName);
  if (told.id.empty() || told.type.empty()) return unknown("engine_job without a job");
  const JsonValue lease = data["lease"];
  told.lease = lease_in(lease);
  if (lease && !told.lease) return unknown("engine_job with a lease that is none");
  told.user = text_in(data["user_id"], kMaxName);
  told.payload = json_in(data["payload"]);
  told.world = json_in(data["world_spec"]);
  const JsonValue params = data["execution_params"];
  told.priority = params["priority"].integer().value_or(0);
  constexpr std::int64_t kDay = 86'400'000;  // longer ones are no promise that anybody waits for
  const std::int64_t timeout = params["timeout_ms"].integer().value_or(0);
  told.timeout = std::chrono::milliseconds(std::clamp<std::int64_t>(timeout, 0, kDay));
  told.submitted = WallTime{data["submitted_at"].integer().value_or(0)};
  return told;
}

EngineTold read_lease_lost(JsonValue data) {
  LeaseLostTold told;
  told.job = name_in(data["job_id"], kMaxJobId);
  const auto lease = lease_in(data["lease"]);
  if (told.job.empty() || !lease) return unknown("lease_lost without a lease");
  told.lease = *lease;
  told.error = text_in(data["error"], kMaxError);
  return told;
}

EngineTold read_refused(JobStep step, JsonValue data) {
  std::string reason = name_in(data["reason"], kMaxReason);
  if (reason.empty()) return unknown("a refusal without its reason");
  return WordRefusedTold{step, std::move(reason)};
}

JsonWriter begun(std::string_view event) {
  JsonWriter json;
  json.array().value(event).object();
  return json;
}

std::string payload_of(const JobWord& word, WallTime now) {
  JsonWriter json;
  json.object().key("job_id").value(word.job);
  if (word.lease) json.key("lease").value(*word.lease);
  if (word.step == JobStep::kProgress) json.key("progress").raw(word.text);
  if (word.step == JobStep::kCompleted && !word.text.empty()) json.key("result").raw(word.text);
  if (word.step == JobStep::kFailed) json.key("error").value(word.text);
  return json.key("timestamp").value(now.ms).end().take();
}

std::string signature_of(JsonValue payload, std::string_view secret, std::string_view nonce,
                         WallTime now) {
  const std::string printed = wire::stringified(payload);
  trust::EngineClaim claim;
  claim.payload = printed;
  claim.nonce = nonce;
  claim.timestamp_ms = now.ms;
  return to_hex(crypto::hmac_sha256(secret, trust::signed_text(claim)));
}

}  // namespace

std::string_view event_of(JobStep step) { return kSteps.at(static_cast<std::size_t>(step)).event; }

std::string engine_connect_data(std::string_view token) {
  return JsonWriter().object().key("token").value(token).end().take();
}

std::string engine_ready_event() {
  return begun("engine_ready").key("dialect").value("engine_job").end().end().take();
}

std::string engine_heartbeat_event() { return begun("engine_heartbeat").end().end().take(); }

std::string engine_refresh_event(std::string_view token) {
  return begun("token_refresh").key("token").value(token).end().end().take();
}

Result<std::string> job_word_event(const JobWord& word, std::string_view secret,
                                   std::string_view nonce, WallTime now) {
  const std::string payload = payload_of(word, now);
  wire::JsonDocument alone;  // the result by itself, or it could end its own place
  if (word.step == JobStep::kCompleted && !word.text.empty()) {
    SIGNET_TRY([[maybe_unused]] const Done good, alone.parse(word.text));
  }
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done strict, document.parse(payload));
  JsonWriter json = begun(event_of(word.step));
  json.key("payload").raw(payload).key("nonce").value(nonce).key("ts").value(now.ms);
  json.key("sig").value(signature_of(document.root(), secret, nonce, now));
  std::string event = json.end().end().take();
  SIGNET_TRY([[maybe_unused]] const Done in_its_place, document.parse(event));
  return event;
}

std::optional<WallTime> token_end(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', std::min(first, token.size() - 1) + 1);
  if (token.empty() || second == std::string_view::npos) return std::nullopt;
  const auto claims = from_base64url(token.substr(first + 1, second - first - 1));
  wire::JsonDocument document;
  if (!claims || !document.parse(*claims).ok()) return std::nullopt;
  const auto end = document.root()["exp"].integer();
  if (!end || *end < 0 || *end > kMaxTokenEnd) return std::nullopt;
  return WallTime{*end * 1'000};
}

EngineTold read_engine_told(std::string_view data) {
  wire::JsonDocument document;
  if (!document.parse(data, kToldLimits).ok()) return unknown("no JSON");
  const auto name =
      document.root().is(JsonKind::kArray) ? document.root()[0].string() : std::nullopt;
  if (!name) return unknown("no event");
  const JsonValue said = document.root()[1];
  if (*name == "engine_job") return read_job(said);
  if (*name == "lease_lost") return read_lease_lost(said);
  if (*name == "heartbeat_ack") return HeartbeatTold{};
  if (*name == "ready_ack") return EngineReadyTold{};
  if (*name == "auth_expired") return TokenExpiredTold{};
  if (*name == "token_ok") return TokenTakenTold{};
  if (*name == "token_error") return TokenRefusedTold{};
  for (const Step& step : kSteps) {
    const bool is_of_it =
        name->starts_with(step.event) && name->substr(step.event.size()) == kRejected;
    if (is_of_it) return read_refused(step.step, said);
  }
  return unknown("unknown event");
}

}  // namespace signet::dialects
