#include "dialects/claudemesh_http.h"

#include "base/encoding.h"
#include "dialects/claudemesh.h"
#include "wire/json.h"

namespace signet::dialects {
namespace {

using membership::InviteClaim;
using wire::JsonKind;
using wire::JsonValue;

// The last second of the year 9999: the last that ISO 8601 writes with four digits, and small
// enough to be counted in milliseconds.
constexpr std::int64_t kMaxExpiry = 253'402'300'799;

Error malformed(std::string_view rule) { return {ErrorCode::kMalformed, std::string(rule)}; }

std::string text(JsonValue object, std::string_view name) {
  return std::string(object[name].string().value_or(""));
}

bool is_given(JsonValue value) { return value && !value.is(JsonKind::kNull); }

// Texts that must be there and be strings; numbers are checked by the caller.
bool has_texts(JsonValue object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (!object[name].is(JsonKind::kString)) return false;
  }
  return true;
}

Result<InviteClaim> read_claim(JsonValue payload) {
  if (!has_texts(payload, {"mesh_id", "mesh_slug", "broker_url", "mesh_root_key", "role",
                           "owner_pubkey", "signature"})) {
    return malformed("invite fields");
  }
  const auto version = payload["v"].integer();
  const auto expires = payload["expires_at"].integer();
  if (version != 1) return malformed("invite version");
  if (!expires || *expires < 0 || *expires > kMaxExpiry) return malformed("invite expiry");
  return InviteClaim{*version,
                     text(payload, "mesh_id"),
                     text(payload, "mesh_slug"),
                     text(payload, "broker_url"),
                     *expires,
                     text(payload, "mesh_root_key"),
                     text(payload, "role"),
                     text(payload, "owner_pubkey"),
                     text(payload, "signature")};
}

}  // namespace

std::string_view token_of_link(std::string_view link) {
  constexpr std::string_view kMark = "/join/";
  const auto at = link.find(kMark);
  return at == std::string_view::npos ? link : link.substr(at + kMark.size());
}

Result<JoinBody> read_join(std::string_view body) {
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body));
  const JsonValue root = document.root();
  if (!root.is(JsonKind::kObject)) return malformed("no object");
  if (!has_texts(root, {"peer_pubkey"})) return malformed("peer_pubkey");
  if (is_given(root["display_name"]) && !has_texts(root, {"display_name"})) {
    return malformed("display_name");
  }
  const std::string pubkey = text(root, "peer_pubkey");
  const std::string name = text(root, "display_name");
  if (name.size() > kMaxDisplayNameBytes) return malformed("display_name");
  if (!root["invite_token"] && root["mesh_id"].is(JsonKind::kString)) {
    return JoinBody(JoinWithoutInvite{text(root, "mesh_id"), pubkey, name});
  }
  const std::string link = text(root, "invite_token");
  if (link.empty() || link.size() > kMaxTokenBytes) return malformed("invite_token");
  const std::string token(token_of_link(link));
  const JsonValue payload = root["invite_payload"];
  SIGNET_TRY(InviteClaim claim, payload ? read_claim(payload) : read_invite_token(token));
  return JoinBody(JoinByInvite{std::move(claim), token, pubkey, name});
}

Result<HookStatus> read_hook_status(std::string_view body) {
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body));
  const JsonValue root = document.root();
  if (!root.is(JsonKind::kObject)) return malformed("no object");
  const auto status = status_from(root["status"].string().value_or(""));
  const std::string cwd = text(root, "cwd");
  if (!status || cwd.empty()) return malformed("cwd and status required");
  if (cwd.size() > kMaxHintBytes) return malformed("cwd");
  const auto pid = root["pid"].integer();
  if (is_given(root["pid"]) && !pid) return malformed("pid");
  return HookStatus{cwd, pid.value_or(0), *status};
}

Result<InviteClaim> read_invite_token(std::string_view token) {
  if (token.size() > kMaxTokenBytes) return malformed("token too long");
  const auto json = from_base64url(token);
  if (!json) return malformed("token is no base64url");
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(*json));
  return read_claim(document.root());
}

std::string write_invite_token(const InviteClaim& claim) {
  wire::JsonWriter json;
  json.object().key("v").value(claim.version).key("mesh_id").value(claim.mesh_id);
  json.key("mesh_slug").value(claim.mesh_slug).key("broker_url").value(claim.broker_url);
  json.key("expires_at").value(claim.expires_at).key("mesh_root_key").value(claim.root_key);
  json.key("role").value(claim.role).key("owner_pubkey").value(claim.owner_key);
  json.key("signature").value(claim.signature).end();
  return to_base64url(bytes_of(json.text()));
}

}  // namespace signet::dialects
