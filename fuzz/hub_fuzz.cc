// Events of Hub's users and engines. Whatever the bytes, a verb says what the JSON says and nothing
// of an earlier event; a claim is good exactly when all of it is there, it is fresh, and its
// signature is the key's, computed here in another way; the text of an action is that of no
// envelope; and every answer is an event of strict JSON.
//   input: which digit of a signature to change and how far the clock is off (1 byte), the data
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "dialects/hub.h"
#include "routing/address.h"
#include "wire/stringified.h"

namespace {

using namespace signet;
using namespace signet::dialects;
using wire::JsonDocument;
using wire::JsonKind;
using wire::JsonValue;

constexpr std::string_view kKey = "a secret of the fuzzer's own";
constexpr std::string_view kOtherKey = "another secret of the fuzzer's";
constexpr WallTime kNow{1'700'000'000'000};

void check(bool holds) {
  if (!holds) std::abort();
}

// RFC 2104, out of the bare hash.
std::string slow_hmac(std::string_view key, std::string_view message) {
  std::string inner(64, '\x36'), outer(64, '\x5c');
  for (std::size_t i = 0; i < key.size(); ++i) inner[i] ^= key[i], outer[i] ^= key[i];
  const crypto::Digest32 first = crypto::sha256({inner, message});
  return to_hex(crypto::sha256({outer, text_of(first)}));
}

std::string with_another_digit(std::string signature, std::uint8_t byte) {
  char& digit = signature[byte % 64];
  digit = digit == '0' ? '1' : '0';
  return signature;
}

// What is told is `["event",{…}]`, or the bare event.
void check_told(const std::string& text) {
  JsonDocument document;
  check(document.parse(text).ok() && document.root().is(JsonKind::kArray));
  check(document.root()[0].is(JsonKind::kString) && document.root().size() <= 2);
}

// Is `text` what JSON.stringify prints of `value`, and does it print itself?
void check_printed(std::string_view text, JsonValue value) {
  if (!value) return check(text == "undefined");
  JsonDocument document;
  check(document.parse(text).ok() && document.root().kind() == value.kind());
  check(wire::stringified(document.root()) == text && wire::stringified(value) == text);
}

bool is_whole(const trust::ActionClaim& claim) {
  return claim.type && !claim.type->empty() && claim.nonce && trust::is_nonce(*claim.nonce);
}
bool is_whole(const trust::AgentClaim& claim) {
  return claim.agent && routing::is_name(*claim.agent) && claim.nonce &&
         trust::is_nonce(*claim.nonce) && (!claim.algorithm || claim.algorithm == "HS256");
}
bool is_whole(const trust::EngineClaim& claim) {
  return claim.payload && claim.nonce && trust::is_nonce(*claim.nonce);
}

auto verdict(const trust::ActionClaim& claim, std::string_view key, WallTime now) {
  return trust::check_action(claim, {key}, now, {});
}
auto verdict(const trust::AgentClaim& claim, std::string_view key, WallTime now) {
  return trust::check_agent(claim, {key}, now, {});
}
auto verdict(const trust::EngineClaim& claim, std::string_view key, WallTime now) {
  return trust::check_engine(claim, key, now, {});
}

// The claim under a signature that is good, at its own time and at others.
template <class Claim>
void check_signed(Claim claim, std::uint8_t byte, std::chrono::milliseconds window) {
  constexpr std::int64_t kFar = 1'000'000'000'000'000;
  if (!claim.timestamp_ms) return check(verdict(claim, kKey, kNow).has_value());
  if (*claim.timestamp_ms > kFar || *claim.timestamp_ms < -kFar) {
    return check(verdict(claim, kKey, kNow).has_value());
  }
  const std::string signature = slow_hmac(kKey, trust::signed_text(claim));
  claim.signature = signature;
  const std::chrono::milliseconds off(std::int64_t{byte} * 250 - 32'000);
  const bool fresh = off <= window && -off <= window;
  const WallTime now = WallTime{*claim.timestamp_ms} + off;
  check(!verdict(claim, kKey, now).has_value() == (fresh && is_whole(claim)));
  check(verdict(claim, kOtherKey, now).has_value() && verdict(claim, "", now).has_value());
  const std::string other = with_another_digit(signature, byte);
  claim.signature = other;
  check(verdict(claim, kKey, now).has_value());
}

// No beginning of an action's text is an envelope's payload with a nonce and a time behind it.
void check_is_no_envelope(const std::string& text) {
  constexpr std::size_t kMostBytes = 512;  // each brace costs a parse
  if (text.size() > kMostBytes) return;
  JsonDocument document;
  for (auto at = text.find('}'); at != text.npos; at = text.find('}', at + 1)) {
    if (!document.parse(text.substr(0, at + 1)).ok()) continue;
    check(text.find_first_of("\"\\|{}", at + 1) != text.npos);
  }
}

void check_action(const HubAction& action, JsonValue data, std::uint8_t byte) {
  check(action.claim.type == data["type"].string() && action.claim.nonce == data["nonce"].string());
  check(action.claim.timestamp_ms == data["ts"].integer());
  check(action.claim.signature == data["sig"].string());
  check(action.payload.empty() == !data["payload"]);
  check_printed(action.claim.payload, data["payload"]);
  // Nobody can sign by chance.
  check(verdict(action.claim, kKey, kNow).has_value());
  check_signed(action.claim, byte, trust::ActionRules().window);
  if (is_whole(action.claim)) check_is_no_envelope(trust::signed_text(action.claim));
  const std::string_view type = action.claim.type.value_or("");
  check_told(write_action_update({type, type, type, action.payload, 0, kNow, action.category}));
}

void check_agent(const HubAgentHeartbeat& heartbeat, JsonValue data, std::uint8_t byte) {
  const trust::AgentClaim& claim = heartbeat.claim;
  check(claim.agent == data["agentId"].string() && claim.bare_body == data["body"].string());
  check(claim.algorithm.has_value() == static_cast<bool>(data["alg"]));
  check_printed(claim.body, data["body"]);
  check(verdict(claim, kKey, kNow).has_value());
  // Other spellings of the algorithm are a unit test's.
  if (!claim.algorithm || claim.algorithm == "HS256" || claim.algorithm->size() < 5) {
    check_signed(claim, byte, trust::ActionRules().window);
  }
}

void check_malformed(const HubMalformed& malformed) {
  const std::string answer = write_malformed(malformed);
  check(answer.empty() == (malformed.answer == HubMalformed::Answer::kNone));
  if (!answer.empty()) check_told(answer);
}

void check_user(HubReader& reader, std::string_view bytes, JsonValue root, std::uint8_t byte) {
  const HubVerb verb = reader.read_user(bytes);
  const auto name = root.is(JsonKind::kArray) ? root[0].string() : std::nullopt;
  if (const auto* const bad = std::get_if<HubMalformed>(&verb)) return check_malformed(*bad);
  check(name.has_value());  // a verb has an event
  if (const auto* const action = std::get_if<HubAction>(&verb)) {
    check(name == "action");
    return check_action(*action, root[1], byte);
  }
  if (const auto* const agent = std::get_if<HubAgentHeartbeat>(&verb)) {
    check(name == "agent_heartbeat");
    return check_agent(*agent, root[1], byte);
  }
  if (const auto* const heartbeat = std::get_if<HubHeartbeat>(&verb)) {
    check(heartbeat->ts.size() <= kMaxEchoBytes);
    return check_told(write_heartbeat_result("u", heartbeat->ts));
  }
  if (const auto* const world = std::get_if<HubGenerateWorld>(&verb)) {
    return check(world->config == root[1]["config"].raw() && world->config != "null");
  }
  if (const auto* const refresh = std::get_if<HubTokenRefresh>(&verb)) {
    return check(refresh->token == root[1]["token"].string());
  }
  if (const auto* const unknown = std::get_if<HubUnknown>(&verb)) {
    for (const char c : unknown->event) check(c >= 0x20 && c < 0x7f);
    check(unknown->event.empty() || unknown->event == name);
  }
}

void check_packet(const EnginePacketSaid& said, JsonValue data, std::uint8_t byte) {
  const JsonValue payload = data["payload"];
  check(said.claim.payload.has_value() == payload.is(JsonKind::kObject));
  if (said.claim.payload) check_printed(*said.claim.payload, payload);
  check(said.claim.nonce == data["nonce"].string());
  check(!said.fits || said.claim.payload);
  check(!said.fits || said.event == EngineEvent::kEngineError || !said.job.empty());
  check(said.job.empty() || said.job == payload["jobId"].string() ||
        said.job == payload["job_id"].string());
  check(said.job.size() <= kMaxJobIdBytes);
  check(verdict(said.claim, kKey, kNow).has_value());
  check_signed(said.claim, byte, trust::ActionRules().engine_window);
  check_told(write_rejected(said.event, EngineRefusal::kEnginePacketIncomplete));
  check_told(write_status_ack(said.job, kNow));
}

void check_engine(HubReader& reader, std::string_view bytes, JsonValue root, std::uint8_t byte) {
  const EngineVerb verb = reader.read_engine(bytes);
  if (const auto* const said = std::get_if<EnginePacketSaid>(&verb)) {
    check_packet(*said, root ? root[1] : JsonValue(), byte);
  } else if (const auto* const refresh = std::get_if<HubTokenRefresh>(&verb)) {
    check(!refresh->token.empty() && refresh->token == root[1]["token"].string());
  } else if (const auto* const broken = std::get_if<HubMalformed>(&verb)) {
    check(broken->event == "token_refresh" && !write_malformed(*broken).empty());
  }
}

void check_credentials(HubReader& reader, std::string_view bytes, JsonValue root) {
  const HubCredentials shown = reader.read_credentials(bytes);
  check(!shown.token || (!shown.token->empty() && shown.token == root["token"].string()));
  check(shown.simulated == (root["simulated"].boolean() == true));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  static HubReader used;  // what an earlier event left must not show
  HubReader fresh;
  JsonDocument document;
  const JsonValue root = document.parse(bytes).ok() ? document.root() : JsonValue();
  for (HubReader* const reader : {&used, &fresh}) {
    check_user(*reader, bytes, root, data[0]);
    check_engine(*reader, bytes, root, data[0]);
    check_credentials(*reader, bytes, root);
  }
  return 0;
}
