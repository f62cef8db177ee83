// What a node says of itself and its keys: registration, change of keys, and the proof and the
// query of its requests. A member that is null says what an absent one does.
#include <algorithm>
#include <charconv>

#include "dialects/overlay.h"
#include "dialects/overlay_members.h"
#include "overlay/wireguard_config.h"
#include "wire/canonical_json.h"
#include "wire/json.h"

namespace signet::dialects {
namespace {

using overlay::WireGuardKey;
using wire::JsonKind;
using wire::JsonValue;

using NodeFault = std::optional<NodeRefused>;

NodeRefused fault(NodeRefusal code, std::string detail) { return {code, std::move(detail)}; }

NodeFault parse_node_body(wire::JsonDocument& document, std::string_view body) {
  if (body.size() > kMaxNodeBodyBytes) {
    return fault(NodeRefusal::kMalformed, "body: longer than 8192 bytes");
  }
  const Status parsed = document.parse(body, kOverlayLimits);
  if (!parsed.ok()) return fault(NodeRefusal::kMalformed, "body: " + parsed.error().detail);
  if (!document.root().is(JsonKind::kObject) || document.root().size() > kMaxSubmissionMembers) {
    return fault(NodeRefusal::kMalformed, "body: an object of at most 32 members");
  }
  return std::nullopt;
}

// What both bodies have: whose they are, and when and by whom they were signed.
template <class Body>
NodeFault read_envelope(JsonValue root, std::string_view path_name, std::string_view mesh,
                        Body& out) {
  const auto name = root["node_id"].string();
  if (!overlay::is_node_name(path_name) || !name || !overlay::is_node_name(*name)) {
    return fault(NodeRefusal::kBadName,
                 "node_id: 1 to 64 of letters, digits and . - _, no dot first");
  }
  const auto named_mesh = root["mesh_id"].string();
  if (!named_mesh) return fault(NodeRefusal::kMalformed, "mesh_id is missing");
  const auto at = time_of(root["timestamp"]);
  if (!at) {
    return fault(NodeRefusal::kMalformed, "timestamp: a time of RFC 3339, from 1970 to 9999");
  }
  const auto signature = signature_of(root["signature"].string().value_or(""));
  if (!signature) return fault(NodeRefusal::kMalformed, "signature: 128 hex digits");
  if (*name != path_name || *named_mesh != mesh) {
    return fault(NodeRefusal::kUnproven, "signed for another node or mesh");
  }
  out.node = *name;
  out.timestamp = *at;
  out.signature = *signature;
  return std::nullopt;
}

NodeFault read_signing_key(JsonValue value, crypto::PublicKey& out) {
  const auto key = crypto::public_key_from_hex(value.string().value_or(""));
  if (!key || !crypto::is_enrollable(*key)) {
    return fault(NodeRefusal::kBadKey, "key: an Ed25519 key, 64 hex digits");
  }
  out = *key;
  return std::nullopt;
}

// Zeros are no key to WireGuard's tools.
NodeFault read_wireguard_key(JsonValue value, WireGuardKey& out) {
  const auto key = key_of(value);
  if (!key || *key == WireGuardKey{}) {
    return fault(NodeRefusal::kBadKey, "wireguard: an X25519 key, 32 bytes in base64");
  }
  out = *key;
  return std::nullopt;
}

NodeFault read_endpoint(JsonValue value, std::string& out) {
  if (!is_given(value)) return std::nullopt;
  const auto endpoint = overlay::Endpoint::of(value.string().value_or(""));
  if (!endpoint.ok()) {
    return fault(NodeRefusal::kBadEndpoint, "endpoint: an address in numbers, and a port");
  }
  out = endpoint->text();
  return std::nullopt;
}

NodeFault read_invite(JsonValue value, std::string& out) {
  if (!is_given(value)) return std::nullopt;
  const auto invite = value.string();
  if (!invite || !is_printable(*invite, kMaxNodeInvite)) {
    return fault(NodeRefusal::kMalformed, "invite: 1 to 4096 printable characters of ASCII");
  }
  out = *invite;
  return std::nullopt;
}

// The new key signs as well: who has it agrees to be this node.
NodeFault read_new_key(JsonValue root, NodeRekey& out) {
  const bool is_there = is_given(root["key"]);
  if (is_there != is_given(root["key_signature"])) {
    return fault(NodeRefusal::kMalformed, "key and key_signature: both, or none");
  }
  if (!is_there) return std::nullopt;
  crypto::PublicKey key;
  if (auto bad = read_signing_key(root["key"], key)) return bad;
  out.key_signature = signature_of(root["key_signature"].string().value_or(""));
  if (!out.key_signature) return fault(NodeRefusal::kMalformed, "key_signature: 128 hex digits");
  out.key = key;
  return std::nullopt;
}

NodeFault keep_signed_text(JsonValue root, std::string_view domain, std::string& out) {
  auto claim = wire::canonical_claim(root, {"signature", "key_signature"});
  if (!claim.ok()) return fault(NodeRefusal::kMalformed, "body: a number beyond a double");
  out = std::string(domain) + *claim;
  return std::nullopt;
}

// ---- headers

// Up to the next single space, which goes as well; the whole rest where there is none.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

// One time has one text, for the text is signed.
std::optional<WallTime> milliseconds_of(std::string_view text) {
  WallTime at;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), at.ms);
  const bool is_plain = read.ec == std::errc{} && std::to_string(at.ms) == text && at.ms >= 0;
  return is_plain ? std::optional(at) : std::nullopt;
}

// An epoch in a query: one spelling, because a target is signed.
std::optional<std::uint64_t> epoch_of(std::string_view digits) {
  std::uint64_t epoch = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
  const bool is_plain = read.ec == std::errc{} && std::to_string(epoch) == digits && epoch > 0;
  return is_plain ? std::optional(epoch) : std::nullopt;
}

}  // namespace

RegistrationRead read_registration(std::string_view body, std::string_view path_name,
                                   std::string_view mesh) {
  wire::JsonDocument document;
  if (auto bad = parse_node_body(document, body)) return *std::move(bad);
  const JsonValue root = document.root();
  NodeRegistration out;
  if (auto bad = read_envelope(root, path_name, mesh, out)) return *std::move(bad);
  if (auto bad = read_signing_key(root["key"], out.key)) return *std::move(bad);
  if (auto bad = read_wireguard_key(root["wireguard"], out.wireguard)) return *std::move(bad);
  if (auto bad = read_endpoint(root["endpoint"], out.endpoint)) return *std::move(bad);
  if (auto bad = read_invite(root["invite"], out.invite)) return *std::move(bad);
  if (auto bad = keep_signed_text(root, kRegistrationDomain, out.signed_text)) {
    return *std::move(bad);
  }
  return out;
}

RekeyRead read_rekey(std::string_view body, std::string_view path_name, std::string_view mesh) {
  wire::JsonDocument document;
  if (auto bad = parse_node_body(document, body)) return *std::move(bad);
  const JsonValue root = document.root();
  NodeRekey out;
  if (auto bad = read_envelope(root, path_name, mesh, out)) return *std::move(bad);
  if (auto bad = read_wireguard_key(root["wireguard"], out.wireguard)) return *std::move(bad);
  if (auto bad = read_new_key(root, out)) return *std::move(bad);
  if (auto bad = keep_signed_text(root, kRekeyDomain, out.signed_text)) return *std::move(bad);
  return out;
}

std::optional<overlay::NodeRequest> read_node_authorization(std::string_view header) {
  if (take_word(header) != "Signet-Node") return std::nullopt;
  const std::string_view node = take_word(header);
  const auto at = milliseconds_of(take_word(header));
  const std::string_view nonce = take_word(header);
  const auto signature = signature_of(header);
  if (!overlay::is_node_name(node) || !at || !overlay::is_node_nonce(nonce) || !signature) {
    return std::nullopt;
  }
  return overlay::NodeRequest{std::string(node), *at, std::string(nonce), *signature};
}

std::optional<NodeKeysSaid> read_keys_said(std::string_view query) {
  constexpr std::string_view kReady = "ready=";
  constexpr std::string_view kUses = "uses=";
  NodeKeysSaid said;
  if (query.empty()) return said;
  const std::size_t end = std::min(query.find('&'), query.size());
  const bool is_both = end < query.size();
  const std::string_view first = query.substr(0, end);
  if (first.starts_with(kReady)) {
    said.ready = epoch_of(first.substr(kReady.size()));
    if (!said.ready) return std::nullopt;
    if (!is_both) return said;
    query.remove_prefix(end + 1);
  }
  if (!query.starts_with(kUses)) return std::nullopt;
  said.uses = epoch_of(query.substr(kUses.size()));
  return said.uses ? std::optional(said) : std::nullopt;
}

int status_of(NodeRefusal refusal) {
  switch (refusal) {
    case NodeRefusal::kMalformed:
      return 422;
    case NodeRefusal::kUnproven:
    case NodeRefusal::kReplayed:
      return 401;
    case NodeRefusal::kBadName:
    case NodeRefusal::kBadKey:
    case NodeRefusal::kBadEndpoint:
      return 400;
    case NodeRefusal::kNameTaken:
    case NodeRefusal::kKeyTaken:
      return 409;
    case NodeRefusal::kNotInvited:
    case NodeRefusal::kTooManyNodes:
    case NodeRefusal::kRevoked:
      return 403;
    case NodeRefusal::kRateLimited:
      return 429;
    case NodeRefusal::kNoAddress:
    case NodeRefusal::kUnavailable:
      return 503;
  }
  return 400;
}

}  // namespace signet::dialects
