// Joining a mesh by an invite link.
#include "base/encoding.h"
#include "client/broker_codes.h"
#include "client/http.h"
#include "client/identity_access.h"
#include "client/url.h"
#include "crypto/sign.h"
#include "dialects/claudemesh_http.h"
#include "trust/hello.h"
#include "wire/json.h"

namespace signet {
namespace {

using membership::InviteClaim;

Error malformed(std::string_view sentence) {
  return {ErrorCode::kMalformed, "invite_malformed: " + std::string(sentence)};
}

// The broker asks the same; asked here first, a link that somebody changed never sends a key to
// wherever it now points.
Status check_signature(const InviteClaim& claim) {
  const auto owner = crypto::public_key_from_hex(claim.owner_key);
  crypto::Signature signature{};
  const bool good = owner && from_hex(claim.signature, signature) &&
                    crypto::verify(*owner, bytes_of(membership::canonical_text(claim)), signature);
  if (good) return Done{};
  return Error{ErrorCode::kMalformed,
               "invite_bad_signature: this link was changed after its owner signed it; ask for it "
               "again"};
}

std::string_view sentence_of(std::string_view code) {
  if (code == "invite_expired") return "this invite's time is over; ask its owner for a new one";
  if (code == "invite_revoked") return "this invite was taken back; ask its owner for a new one";
  if (code == "invite_exhausted") return "this invite was used as often as it may be";
  if (code == "mesh_not_found") return "the broker does not know this mesh";
  if (code == "invite_not_found") return "the broker does not know this invite";
  if (code == "member_revoked") return "this key was revoked from the mesh";
  return "the broker refused the invite";
}

// The HTTP base of a broker: ws → http, wss → https, the path dropped.
Result<client::Url> join_url(const std::string& broker_url) {
  auto url = client::parse_url(broker_url);
  if (!url.ok()) return malformed("the address of its broker is none: " + url.error().detail);
  url->path = "/join";
  return url;
}

Result<std::string> ask_to_join(const InviteClaim& claim, std::string_view token,
                                std::string_view display_name, const std::string& public_key,
                                std::chrono::milliseconds timeout, const TlsTrust& trust) {
  SIGNET_TRY(const client::Url url, join_url(claim.broker_url));
  const auto payload = from_base64url(token);
  wire::JsonWriter body;
  body.object().key("invite_token").value(token).key("invite_payload").raw(*payload);
  body.key("peer_pubkey").value(public_key);
  body.key("display_name").value(display_name).end();
  client::HttpOptions http;
  http.tls = {trust.ca_file, "", trust.allow_tls12};
  const auto answer = client::http_request(url, "POST", body.text(), timeout, http);
  if (!answer.ok()) {
    const auto code = client::code_of_connection(answer.error().code, "unreachable");
    return Error{answer.error().code, std::string(code) + ": " + answer.error().detail};
  }
  constexpr int kTooManyRequests = 429;  // said before the body is looked at, and in plain text
  if (answer->status == kTooManyRequests) {
    return Error{ErrorCode::kUnavailable,
                 "rate_limited: the broker gets too many requests from here; wait a little"};
  }
  wire::JsonDocument document;
  if (!document.parse(answer->body).ok()) {
    return Error{ErrorCode::kUnavailable, "no_broker: what answered there is no Signet broker"};
  }
  const auto member = document.root()["memberId"].string();
  if (member && trust::is_hello_id(*member)) return std::string(*member);
  const auto said = document.root()["error"].string().value_or("");
  const std::string code = client::code_or(said, "refused");
  const bool later = code == "unavailable" || code == "rate_limited";
  return Error{later ? ErrorCode::kUnavailable : ErrorCode::kForbidden,
               code + ": " + std::string(sentence_of(code))};
}

}  // namespace

Result<Membership> join(std::string_view invite_link, std::string_view display_name,
                        Identity identity, std::chrono::milliseconds timeout,
                        const TlsTrust& trust) {
  const std::string_view token = dialects::token_of_link(invite_link);
  const auto claim = dialects::read_invite_token(token);
  if (!claim.ok()) return malformed("this is no invite link; it may have been cut when copied");
  SIGNET_TRY([[maybe_unused]] const Done authentic, check_signature(*claim));
  SIGNET_TRY(std::string member,
             ask_to_join(*claim, token, display_name, identity.public_key(), timeout, trust));
  return Membership{claim->broker_url, claim->mesh_id, claim->mesh_slug, std::move(member),
                    std::move(identity)};
}

}  // namespace signet
