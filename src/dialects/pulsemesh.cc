#include "dialects/pulsemesh.h"

#include "base/overloaded.h"
#include "dialects/pulse_text.h"
#include "routing/address.h"
#include "routing/topic.h"
#include "wire/canonical_json.h"
#include "wire/http_head.h"

namespace signet::dialects {
namespace {

using wire::JsonKind;
using wire::JsonValue;
using wire::JsonWriter;

constexpr std::string_view kMeshPath = "/ws/mesh/";
constexpr std::string_view kNodePath = "/ws/node/";
constexpr std::string_view kHmac = "hmac-sha256";  // the one value of `alg`

// What v1 took for nothing: absent, null, an empty text or an empty object. Other values are
// there, if of a wrong type.
bool is_missing(JsonValue value) {
  if (!value || value.is(JsonKind::kNull)) return true;
  return value.string() == "" || (value.is(JsonKind::kObject) && value.size() == 0);
}

// The name in the one segment behind `prefix`, decoded once; nullopt when it is none. A path of
// another format is not asked for.
std::optional<std::string> segment_behind(std::string_view prefix, std::string_view path) {
  const std::string_view segment = path.substr(prefix.size());
  if (segment.find('/') != std::string_view::npos) return std::nullopt;
  return wire::decode_path(segment);
}

// `/ws/mesh` is this format's too, without its topic.
bool is_under(std::string_view prefix, std::string_view path) {
  return path.starts_with(prefix) || path == prefix.substr(0, prefix.size() - 1);
}

// The first that the table of the page names, in its order, of a message and a proof of any kind.
std::optional<HandshakeRefusal> fault_of(JsonValue message, JsonValue proof) {
  if (is_missing(message) || is_missing(proof)) return HandshakeRefusal::kMissingProof;
  if (!message.is(JsonKind::kObject)) return HandshakeRefusal::kBadMessage;
  if (!routing::is_name(message["source"].string().value_or(""))) {
    return HandshakeRefusal::kNoSource;
  }
  if (!proof.is(JsonKind::kString)) return HandshakeRefusal::kBadSignature;
  return std::nullopt;
}

// Where nothing is missing but the proof.
std::string_view source_without_proof(JsonValue message) {
  const std::string_view source = message["source"].string().value_or("");
  return routing::is_name(source) ? source : std::string_view();
}

Verb read_handshake(JsonValue frame) {
  const JsonValue message = frame["message"];
  const JsonValue token = frame["token"];
  // Who shows a token is judged by it, and by no weaker proof beside it.
  const bool by_token = !is_missing(token);
  const JsonValue signature = by_token ? token : frame["signature"];
  const JsonValue alg = frame["alg"];
  if (const auto fault = fault_of(message, signature)) {
    if (*fault == HandshakeRefusal::kMissingProof) {
      return BadHandshake{*fault, source_without_proof(message)};
    }
    const bool no_text = by_token && *fault == HandshakeRefusal::kBadSignature;
    return BadHandshake{no_text ? HandshakeRefusal::kBadToken : *fault};
  }
  if (by_token) return TokenHello{*message["source"].string(), *token.string()};
  // A stronger form that is named and unknown must not fall back to a weaker one.
  if (alg && alg.string() != kHmac) return BadHandshake{HandshakeRefusal::kBadSignature};
  auto spaced = wire::spaced(message);
  if (!spaced.ok()) return BadHandshake{HandshakeRefusal::kNotJson};
  SecretHello hello;
  hello.claim.source = *message["source"].string();
  hello.claim.spaced = *std::move(spaced);
  hello.claim.compact = wire::compact(message).value_or("");
  hello.claim.signature = *signature.string();
  hello.claim.timestamp = message["timestamp"].string();
  hello.claim.hmac_only = static_cast<bool>(alg);
  return hello;
}

HandshakeRefusal refusal_of(const Error& error) {
  return error.detail == "duplicate key" ? HandshakeRefusal::kDuplicateKeys
                                         : HandshakeRefusal::kNotJson;
}

std::string write_error(std::string_view code, std::string_view message,
                        std::optional<std::int64_t> retry_after_ms, std::string_view ref) {
  JsonWriter frame;
  frame.object().key("type").value("error").key("code").value(code).key("message").value(message);
  if (retry_after_ms) frame.key("retryAfterMs").value(*retry_after_ms);
  if (!ref.empty()) frame.key("ref").value(ref);
  return frame.end().take();
}

std::string sentence_of(const HandshakeRefused& refused) {
  std::string sentence(meaning_of(refused.code));
  if (refused.rule) {
    sentence += " (" + std::string(signet::name_of(*refused.rule)) + ": ";
    sentence += std::string(meaning_of(*refused.rule)) + ")";
  }
  return sentence;
}

std::string write_taken(const TokenTaken& taken) {
  constexpr std::int64_t kMillisecondsASecond = 1'000;
  JsonWriter frame;
  frame.object().key("type").value("token_ok").key("exp");
  return frame.value(taken.expires.ms / kMillisecondsASecond).end().take();
}

std::string write_admitted(const SecretAdmitted& admitted) {
  JsonWriter frame;
  frame.object().key("type").value("handshake_ok").key("client_id").value(admitted.client_id);
  frame.key("timestamp").value(pulse_time(admitted.at));
  return frame.key("session_id").value(admitted.session_id).end().take();
}

}  // namespace

Verb PulseMeshFormat::read(std::string_view frame, Stage stage) {
  const bool proven = stage == Stage::kAdmitted;
  const auto parsed = document_.parse(frame);
  if (!parsed.ok()) {
    return BadHandshake{proven ? HandshakeRefusal::kNotAPulse : refusal_of(parsed.error())};
  }
  const JsonValue root = document_.root();
  if (!root.is(JsonKind::kObject)) {
    return BadHandshake{proven ? HandshakeRefusal::kNotAPulse : HandshakeRefusal::kNotAnObject};
  }
  if (!proven) return read_handshake(root);
  // It holds a credential: it is for the server alone, and never a pulse.
  if (root["type"].string() == "token_refresh" && root["token"]) {
    return TokenRefresh{root["token"].string().value_or("")};
  }
  return read_admitted(root);
}

std::string PulseMeshFormat::write(const Reply& reply) const {
  return std::visit(Overloaded{
                        [](const PulseOut& r) { return r.pulse.text; },
                        [](const SecretAdmitted& r) { return write_admitted(r); },
                        [](const HandshakeRefused& r) {
                          return write_error(signet::name_of(r.code), sentence_of(r), std::nullopt,
                                             r.ref);
                        },
                        [](const TokenTaken& r) { return write_taken(r); },
                        [](const Refused& r) {
                          return write_error(signet::name_of(r.code), meaning_of(r.code),
                                             r.retry_after_ms, r.ref);
                        },
                        [](const auto&) { return std::string(); },
                    },
                    reply);
}

std::optional<Opening> PulseMesh::opens(std::string_view path, std::string_view) const {
  if (!is_under(kMeshPath, path)) return std::nullopt;
  if (path.size() <= kMeshPath.size()) return BadPath{"topic"};
  auto topic = segment_behind(kMeshPath, path);
  if (!topic || !routing::is_topic(*topic)) return BadPath{"topic"};
  return OpensTopic{*std::move(topic)};
}

Verb PulseMesh::read_admitted(JsonValue frame) { return Publish{{}, {}, open_pulse(frame)}; }

std::optional<Opening> PulseMeshNode::opens(std::string_view path, std::string_view) const {
  if (!is_under(kNodePath, path)) return std::nullopt;
  if (path.size() <= kNodePath.size()) return BadPath{"node"};
  auto node = segment_behind(kNodePath, path);
  if (!node || !routing::is_name(*node)) return BadPath{"node"};
  return OpensNode{*std::move(node)};
}

Verb PulseMeshNode::read_admitted(JsonValue frame) {
  Forward forward{frame["target"].string().value_or(""), {}};
  if (has_own_stamp(frame)) forward.unstamped = open_pulse(frame) + "}";
  return forward;
}

}  // namespace signet::dialects
