// A PulseMesh client's first frame and all that follow it. Nothing is published before a proof,
// whatever the bytes; a claim shows a secret exactly when its signature is one of the three forms,
// computed here in another way; the texts that are signed say what was sent and nothing else; what
// is published is what was sent and the server's stamps.
//   input: which digit of a signature to change and how far the clock is off (1 byte), the frame
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "dialects/pulse_text.h"
#include "dialects/pulsemesh.h"
#include "routing/address.h"
#include "trust/secret_hello.h"
#include "wire/canonical_json.h"

namespace {

using namespace signet;
using namespace signet::dialects;
using wire::JsonDocument;
using wire::JsonKind;
using wire::JsonValue;

constexpr std::string_view kSecret = "a secret of the fuzzer's own";
constexpr std::chrono::milliseconds kSkew{60'000};

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_nested(JsonValue value) {
  return value.is(JsonKind::kArray) || value.is(JsonKind::kObject);
}

// Has a number that is no integer to Python and beyond a double; integers have no bound there.
bool is_beyond(JsonValue value) {
  const bool has_exponent = value.raw().find_first_of(".eE") != std::string_view::npos;
  if (value.is(JsonKind::kNumber)) return has_exponent && !value.number();
  if (!is_nested(value)) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (is_beyond(value[i])) return true;
  }
  return false;
}

// Are they one value, whatever the order and the spelling?
bool same(JsonValue a, JsonValue b) {
  if (a.kind() != b.kind() || a.size() != b.size()) return false;
  if (a.is(JsonKind::kString)) return a.string() == b.string();
  if (a.is(JsonKind::kNumber)) {
    return a.number() == b.number() && a.integer() == b.integer();
  }
  if (!is_nested(a)) return a.raw() == b.raw();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], a.is(JsonKind::kObject) ? b[a.key(i)] : b[i])) return false;
  }
  return true;
}

void check_spaced(const std::string& text, JsonValue message) {
  JsonDocument again;
  check(again.parse(text).ok() && same(again.root(), message));
  const auto twice = wire::spaced(again.root());
  check(twice.ok() && *twice == text);
  for (const char c : text) check(c >= 0x20 && c < 0x7f);
}

void check_compact(const std::string& compact, const std::string& spaced, JsonValue message) {
  bool has_it = true;
  for (std::size_t i = 0; i < message.size(); ++i) {
    const bool is_infinite = message[i].is(JsonKind::kNumber) && !message[i].number();
    if (is_nested(message[i]) || is_infinite) has_it = false;
  }
  check(compact.empty() == !has_it);
  if (!has_it) return;
  JsonDocument again, other;
  check(again.parse(compact).ok() && again.root().size() == message.size());
  check(wire::compact(again.root()) == compact);
  for (std::size_t i = 0; i < message.size(); ++i) {
    const JsonValue member = again.root()[message.key(i)];
    check(member.kind() == message[i].kind() && member.string() == message[i].string());
    check(member.number() == message[i].number());
  }
  check(other.parse(spaced).ok() && wire::compact(other.root()) == compact);
}

// RFC 2104, out of the bare hash.
std::string slow_hmac(std::string_view key, std::string_view message) {
  std::string inner(64, '\x36'), outer(64, '\x5c');
  for (std::size_t i = 0; i < key.size(); ++i) inner[i] ^= key[i], outer[i] ^= key[i];
  const crypto::Digest32 first = crypto::sha256({inner, message});
  return to_hex(crypto::sha256({outer, text_of(first)}));
}

std::string slow_digest(const std::string& text) {
  return to_hex(crypto::sha256({text + std::string(kSecret)}));
}

bool slowly_shows(const trust::SecretClaim& claim) {
  if (claim.signature == slow_hmac(kSecret, claim.spaced)) return true;
  if (claim.hmac_only) return false;
  const bool is_compact = !claim.compact.empty() && claim.signature == slow_digest(claim.compact);
  return is_compact || claim.signature == slow_digest(claim.spaced);
}

// The same claim under each signature that is good for it, and under one that is not.
void check_signed(trust::SecretClaim claim, std::uint8_t byte) {
  for (std::string signature :
       {slow_hmac(kSecret, claim.spaced), slow_digest(claim.spaced), slow_digest(claim.compact)}) {
    claim.signature = signature;
    check(trust::shows_secret(claim, kSecret, true) == slowly_shows(claim));
    check(!trust::shows_secret(claim, "another secret of the fuzzer's", true));
    char& digit = signature[byte % 64];
    digit = digit == '0' ? '1' : '0';
    claim.signature = signature;
    check(!trust::shows_secret(claim, kSecret, true));
  }
}

void check_times(const trust::SecretClaim& claim, std::uint8_t byte) {
  const auto at = claim.timestamp ? trust::parse_iso8601(*claim.timestamp) : std::nullopt;
  const std::string text = at ? iso8601(*at) : "";
  if (text.size() == std::string_view("2025-10-31T20:00:00.000Z").size() && text[0] != '-') {
    check(trust::parse_iso8601(text) == at);
  }
  const WallTime now = at.value_or(WallTime{0}) + (std::chrono::seconds(byte) - kSkew * 2);
  const auto checked = trust::check_freshness(claim, now, kSkew);
  const bool fresh = at && *at >= now - kSkew && *at <= now + kSkew;
  check(std::holds_alternative<trust::ProvenSecret>(checked) == fresh);
  const auto always = trust::check_freshness(claim, now, std::chrono::milliseconds(0));
  check(std::holds_alternative<trust::ProvenSecret>(always));
}

void check_claim(const trust::SecretClaim& claim, JsonValue frame, std::uint8_t byte) {
  const JsonValue message = frame["message"];
  check(message.is(JsonKind::kObject) && message["source"].string() == claim.source);
  check(routing::is_name(claim.source) && frame["signature"].string() == claim.signature);
  check(claim.hmac_only == static_cast<bool>(frame["alg"]));
  check_spaced(claim.spaced, message);
  check_compact(claim.compact, claim.spaced, message);
  check(trust::shows_secret(claim, kSecret, true) == slowly_shows(claim));
  check(!trust::shows_secret(claim, "", true));
  check_signed(claim, byte);
  check_times(claim, byte);
}

// Who shows a token is judged by it alone, whatever proof is beside it.
void check_token_hello(const TokenHello& hello, JsonValue frame) {
  check(!hello.token.empty() && frame["token"].string() == hello.token);
  check(routing::is_name(hello.source) && frame["message"]["source"].string() == hello.source);
}

// A refusal is one of those that the page has for a first frame, and for a reason.
void check_refusal(HandshakeRefusal code, bool is_json, JsonValue frame) {
  const JsonValue message = frame["message"];
  switch (code) {
    case HandshakeRefusal::kNotJson:
      return check(!is_json || is_beyond(message));
    case HandshakeRefusal::kDuplicateKeys:
      return check(!is_json);
    case HandshakeRefusal::kNotAnObject:
      return check(is_json && !frame.is(JsonKind::kObject));
    case HandshakeRefusal::kMissingProof:
      return check(frame.is(JsonKind::kObject));
    case HandshakeRefusal::kBadMessage:
      return check(message && !message.is(JsonKind::kObject));
    case HandshakeRefusal::kNoSource:
      return check(!routing::is_name(message["source"].string().value_or("")));
    case HandshakeRefusal::kBadSignature:
      return check(!frame["signature"].is(JsonKind::kString) || frame["alg"]);
    case HandshakeRefusal::kBadToken:
      return check(frame["token"] && !frame["token"].is(JsonKind::kString));
    default:
      std::abort();
  }
}

void check_first(Dialect& dialect, std::string_view bytes, std::uint8_t byte) {
  JsonDocument document;
  const bool is_json = document.parse(bytes).ok();
  const JsonValue frame = is_json ? document.root() : JsonValue();
  const Verb verb = dialect.read(bytes, Stage::kUnproven);
  if (const auto* hello = std::get_if<SecretHello>(&verb)) {
    return check_claim(hello->claim, frame, byte);
  }
  if (const auto* hello = std::get_if<TokenHello>(&verb)) return check_token_hello(*hello, frame);
  check(std::holds_alternative<BadHandshake>(verb));  // never a pulse
  check_refusal(std::get<BadHandshake>(verb).code, is_json, frame);
}

bool is_stamp(std::string_view name) {
  return name == "_mesh_timestamp" || name == "_mesh_topic" || name == "_mesh_from";
}

void check_pulse(const std::string& open, JsonValue frame) {
  constexpr WallTime kAt{1'761'940'800'123};
  JsonDocument delivered;
  check(delivered.parse(stamp_pulse(open, kAt, "a.b")).ok());
  const JsonValue pulse = delivered.root();
  std::size_t at = 0;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    if (is_stamp(frame.key(i))) continue;
    check(pulse.key(at) == frame.key(i) && pulse[at].raw() == frame[i].raw());
    ++at;
  }
  check(pulse.size() == at + 2 && pulse["_mesh_topic"].string() == "a.b");
  check(pulse["_mesh_timestamp"].string() == pulse_time(kAt));
}

void check_later(std::string_view bytes) {
  JsonDocument document;
  const bool is_json = document.parse(bytes).ok();
  const bool is_object = is_json && document.root().is(JsonKind::kObject);
  PulseMesh topic;
  PulseMeshNode node;
  const Verb pulse = topic.read(bytes, Stage::kAdmitted);
  const Verb forward = node.read(bytes, Stage::kAdmitted);
  if (!is_object) {
    check(std::get<BadHandshake>(pulse).code == HandshakeRefusal::kNotAPulse);
    check(std::get<BadHandshake>(forward).code == HandshakeRefusal::kNotAPulse);
    return;
  }
  // It holds a credential: no pulse, and nothing that goes to another node.
  if (const auto* refresh = std::get_if<TokenRefresh>(&pulse)) {
    const JsonValue root = document.root();
    check(root["type"].string() == "token_refresh" && root["token"]);
    check(refresh->token == root["token"].string().value_or(""));
    return check(std::get<TokenRefresh>(forward).token == refresh->token);
  }
  const JsonValue target = document.root()["target"];
  check(std::get<Forward>(forward).target == target.string().value_or(""));
  check_pulse(std::get<Publish>(pulse).pulse, document.root());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view frame(reinterpret_cast<const char*>(data) + 1, size - 1);
  static PulseMesh used;  // what an earlier frame left must not show
  PulseMeshNode fresh;
  check_first(used, frame, data[0]);
  check_first(fresh, frame, data[0]);
  check_later(frame);
  return 0;
}
