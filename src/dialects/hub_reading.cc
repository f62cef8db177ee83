// What users and engines of Hub say: a table of events for each namespace. Neither trusts what it
// reads: missing parts go on as missing, for the order of the refusals is trust's.
#include <algorithm>
#include <array>

#include "dialects/hub.h"
#include "wire/stringified.h"
#include "wire/utf8.h"

namespace signet::dialects {
namespace {

using wire::JsonKind;
using wire::JsonValue;
using Answer = HubMalformed::Answer;

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kNothing = "undefined";  // what JSON.stringify answers where nothing is
constexpr std::size_t kMaxShownEventBytes = 64;

// What an event reads of its argument. nullopt: it is none of this event. `printed` is the
// reader's memory for what JSON.stringify would print.
using ReadUser = std::optional<HubVerb> (*)(JsonValue data, std::string& printed);

std::optional<HubVerb> read_action(JsonValue data, std::string& printed) {
  if (!data.is(JsonKind::kObject)) return std::nullopt;
  HubAction action;
  if (const JsonValue payload = data["payload"]) {
    printed = wire::stringified(payload);
    action.payload = printed;
  }
  action.claim.type = data["type"].string();
  action.claim.payload = data["payload"] ? action.payload : kNothing;
  action.claim.timestamp_ms = data["ts"].integer();
  action.claim.nonce = data["nonce"].string();
  action.claim.signature = data["sig"].string();
  action.category = data["category"].string().value_or("");
  return action;
}

// A heartbeat counts because it came, whatever it says.
std::optional<HubVerb> read_heartbeat(JsonValue data, std::string&) {
  const JsonValue ts = data["ts"];
  const bool is_told =
      (ts.is(JsonKind::kNumber) || ts.is(JsonKind::kString)) && ts.raw().size() <= kMaxEchoBytes;
  return HubHeartbeat{is_told ? ts.raw() : std::string_view()};
}

std::optional<HubVerb> read_presence(JsonValue data, std::string&) {
  const auto state = data.string();
  if (!state) return std::nullopt;
  return HubPresence{*state};
}

std::optional<HubVerb> read_agent_heartbeat(JsonValue data, std::string& printed) {
  if (!data.is(JsonKind::kObject)) return std::nullopt;
  HubAgentHeartbeat heartbeat;
  trust::AgentClaim& claim = heartbeat.claim;
  const JsonValue body = data["body"];
  printed = body ? wire::stringified(body) : std::string(kNothing);
  claim.agent = data["agentId"].string();
  claim.timestamp_ms = data["ts"].integer();
  claim.nonce = data["nonce"].string();
  claim.body = printed;
  claim.bare_body = body.string();
  claim.signature = data["sig"].string();
  // What is no text names no algorithm that there is, and is not taken for nothing.
  const JsonValue algorithm = data["alg"];
  if (algorithm) claim.algorithm = algorithm.string().value_or(algorithm.raw());
  return heartbeat;
}

HubMalformed job_error(JobRefusal code, std::string_view event) {
  return {Answer::kJobError, signet::name_of(code), event};
}

std::optional<HubVerb> read_generate_world(JsonValue data, std::string&) {
  if (!data.is(JsonKind::kObject)) return std::nullopt;
  const JsonValue config = data["config"];
  if (!config || config.is(JsonKind::kNull)) {
    return job_error(JobRefusal::kMissingConfig, "generate_world");
  }
  return HubGenerateWorld{config.raw()};
}

std::optional<std::string_view> token_in(JsonValue data) {
  const auto token = data["token"].string();
  return token && !token->empty() ? token : std::nullopt;
}

std::optional<HubVerb> read_token_refresh(JsonValue data, std::string&) {
  const auto token = token_in(data);
  if (!token) return std::nullopt;
  return HubTokenRefresh{*token};
}

struct UserEvent {
  std::string_view name;
  ReadUser read;
  Answer answer;          // where its data is none of this event,
  std::string_view code;  // with this
};
constexpr std::string_view kTokenRefresh = "token_refresh";  // of both namespaces
constexpr UserEvent kUserEvents[] = {
    {"action", read_action, Answer::kActionError, signet::name_of(ActionRefusal::kMalformed)},
    {"heartbeat", read_heartbeat, Answer::kNone, ""},
    {"presence", read_presence, Answer::kNone, ""},
    {"agent_heartbeat", read_agent_heartbeat, Answer::kAgentResult,
     signet::name_of(AgentRefusal::kMalformed)},
    {"generate_world", read_generate_world, Answer::kJobError,
     signet::name_of(JobRefusal::kInvalidPayload)},
    {kTokenRefresh, read_token_refresh, Answer::kTokenError,
     signet::name_of(TokenRefusal::kMalformed)},
};

struct SignedEvent {
  std::string_view name, rejection;
  EngineEvent event;
};
constexpr SignedEvent kSignedEvents[] = {
    {"job_ack", "job_ack_rejected", EngineEvent::kJobAck},
    {"job_status", "status_rejected", EngineEvent::kJobStatus},
    {"job_started", "job_started_rejected", EngineEvent::kJobStarted},
    {"job_progress", "job_progress_rejected", EngineEvent::kJobProgress},
    {"job_completed", "job_completed_rejected", EngineEvent::kJobCompleted},
    {"job_failed", "job_failed_rejected", EngineEvent::kJobFailed},
    {"engine_error", "engine_error_rejected", EngineEvent::kEngineError},
};

template <class Row, std::size_t kCount>
const Row* row_of(const Row (&rows)[kCount], std::string_view name) {
  const auto* const found = std::find_if(std::begin(rows), std::end(rows),
                                         [&](const Row& row) { return row.name == name; });
  return found == std::end(rows) ? nullptr : found;
}

std::string_view without_space_before(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kSpace), text.size()));
}

// The name that data begins with which is no strict JSON (`["action",{"a":1,"a":2}]`), so that its
// sender is answered. An escape in it makes it none that there is.
std::string_view begun_event(std::string_view data) {
  data = without_space_before(data);
  if (!data.starts_with('[')) return {};
  data = without_space_before(data.substr(1));
  const std::size_t end = data.find('"', 1);
  if (!data.starts_with('"') || end == std::string_view::npos) return {};
  return data.substr(1, end - 1);
}

struct Event {
  std::string_view name;  // empty: none
  JsonValue data;         // its own argument; what follows is ignored
  bool is_whole = false;  // strict JSON with a name
};

// `root`: of `data`; empty where that is no strict JSON.
Event event_of(JsonValue root, std::string_view data) {
  if (!root) return {begun_event(data), {}, false};
  const auto name = root.is(JsonKind::kArray) ? root[0].string() : std::nullopt;
  if (!name) return {};
  return {*name, root[1], true};
}

HubUnknown unknown(std::string_view event) {
  const bool is_shown =
      event.size() <= kMaxShownEventBytes &&
      std::all_of(event.begin(), event.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return HubUnknown{is_shown ? event : std::string_view()};
}

HubMalformed malformed(const UserEvent& row) { return {row.answer, row.code, row.name}; }

// ---- engines

EngineReady read_ready(JsonValue data) {
  const auto dialect = data["dialect"].string();
  if (dialect == "engine_job") return {EngineReady::Dialect::kEngineJob};
  if (dialect == "job:dispatch") return {EngineReady::Dialect::kJobDispatch};
  return {EngineReady::Dialect::kBoth};
}

EngineVerb read_engine_refresh(const Event& event) {
  const auto token = token_in(event.data);
  if (token) return HubTokenRefresh{*token};
  return HubMalformed{Answer::kTokenError, signet::name_of(TokenRefusal::kMalformed),
                      kTokenRefresh};
}

bool is_there(JsonValue value) { return value && !value.is(JsonKind::kNull); }

// Either spelling, in every event: an engine goes on as the dispatch was spelled that it took.
std::optional<std::string_view> job_in(JsonValue payload) {
  const JsonValue late = payload["jobId"];
  const JsonValue early = payload["job_id"];
  const auto job = (late ? late : early).string();
  const bool is_one = !late || !early || late.string() == early.string();
  if (!job || !is_one || job->empty() || job->size() > kMaxJobIdBytes) return std::nullopt;
  return job;
}

bool read_lease(JsonValue lease, std::optional<std::uint64_t>& out) {
  if (!is_there(lease)) return true;
  const auto number = lease.integer();
  if (!number || *number < 0) return false;
  out = static_cast<std::uint64_t>(*number);
  return true;
}

bool read_error(JsonValue error, std::string_view& out) {
  if (is_there(error) && !error.is(JsonKind::kString)) return false;
  const std::string_view text = error.string().value_or("");
  out = text.substr(0, wire::valid_utf8_prefix(text.substr(0, kMaxJobErrorBytes)));
  return true;
}

// What the event says beside its job and lease. Times in it are the engine's own and not read.
bool read_news(JsonValue payload, EnginePacketSaid& said) {
  switch (said.event) {
    case EngineEvent::kJobAck:
    case EngineEvent::kJobStatus:
      return !is_there(payload["status"]) || payload["status"].is(JsonKind::kString);
    case EngineEvent::kJobProgress:
      said.text = payload["progress"].raw();
      return payload["progress"].number().has_value();
    case EngineEvent::kJobCompleted:
      said.text = payload["result"].raw();
      return true;
    case EngineEvent::kJobFailed:
      return read_error(payload["error"], said.text);
    case EngineEvent::kJobStarted:
    case EngineEvent::kEngineError:
      return true;
  }
  return true;
}

bool read_payload(JsonValue payload, EnginePacketSaid& said) {
  if (!payload.is(JsonKind::kObject)) return false;
  if (said.event == EngineEvent::kEngineError) return read_error(payload["error"], said.text);
  const auto job = job_in(payload);
  if (!job) return false;
  said.job = *job;
  return read_lease(payload["lease"], said.lease) && read_news(payload, said);
}

EnginePacketSaid read_packet(EngineEvent event, JsonValue data, std::string& printed) {
  EnginePacketSaid said;
  said.event = event;
  const JsonValue payload = data["payload"];
  if (payload.is(JsonKind::kObject)) {
    printed = wire::stringified(payload);
    said.claim.payload = printed;
  }
  said.claim.nonce = data["nonce"].string();
  said.claim.timestamp_ms = data["ts"].integer();
  said.claim.signature = data["sig"].string();
  said.fits = read_payload(payload, said);
  return said;
}

}  // namespace

JsonValue HubReader::parsed(std::string_view data) {
  return document_.parse(data).ok() ? document_.root() : JsonValue();
}

HubVerb HubReader::read_user(std::string_view data) {
  const JsonValue root = parsed(data);
  const Event event = event_of(root, data);
  const UserEvent* const row = row_of(kUserEvents, event.name);
  if (row == nullptr && event.is_whole) return unknown(event.name);
  if (row == nullptr) return HubMalformed{Answer::kNone, {}, {}};
  auto verb = event.is_whole ? row->read(event.data, printed_) : std::nullopt;
  return verb ? *std::move(verb) : malformed(*row);
}

EngineVerb HubReader::read_engine(std::string_view data) {
  const JsonValue root = parsed(data);
  const Event event = event_of(root, data);
  if (event.name == "engine_ready" && event.is_whole) return read_ready(event.data);
  if (event.name == "engine_heartbeat" && event.is_whole) return EngineHeartbeat{};
  if (event.name == kTokenRefresh) return read_engine_refresh(event);
  const SignedEvent* const row = row_of(kSignedEvents, event.name);
  if (row != nullptr) return read_packet(row->event, event.data, printed_);
  return unknown(event.is_whole ? event.name : std::string_view());
}

HubCredentials HubReader::read_credentials(std::string_view data) {
  const JsonValue shown = parsed(data);
  return {token_in(shown), shown["simulated"].boolean() == true};
}

std::string_view rejection_of(EngineEvent event) {
  const auto* const row =
      std::find_if(std::begin(kSignedEvents), std::end(kSignedEvents),
                   [&](const SignedEvent& each) { return each.event == event; });
  return row->rejection;
}

}  // namespace signet::dialects
