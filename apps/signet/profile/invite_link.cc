#include "signet/profile/invite_link.h"

#include <algorithm>
#include <charconv>

#include "dialects/claudemesh_http.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::string_view kScheme = "ic://join/";
constexpr std::int64_t kTenYears = 10LL * 365 * 24 * 3600;

std::int64_t seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3'600;
    case 'd':
      return 86'400;
    case 'w':
      return 604'800;
    default:
      return 0;
  }
}

}  // namespace

Result<InviteFacts> read_invite_link(std::string_view link, WallTime now) {
  InviteFacts facts;
  facts.token = dialects::token_of_link(link);
  auto claim = dialects::read_invite_token(facts.token);
  if (!claim.ok()) {
    return failure(ErrorCode::kMalformed, "invite_malformed",
                   "this is no invite link, or not the whole of one");
  }
  facts.claim = *std::move(claim);
  if (!is_slug(facts.claim.mesh_slug)) {
    return failure(ErrorCode::kMalformed, "invite_malformed",
                   "this is no invite link: no mesh has such a name",
                   "A mesh is called 1 to 63 of a-z 0-9 -: ask its owner for another link.");
  }
  membership::Mesh named;
  named.owner = crypto::public_key_from_hex(facts.claim.owner_key);
  facts.is_signed = membership::signed_by_owner(facts.claim, named);
  facts.is_expired = now.ms / 1000 >= facts.claim.expires_at;
  facts.digest = to_hex(membership::invite_digest(facts.token));
  return facts;
}

std::string make_invite_link(const crypto::SecretKey& owner, const OwnedMesh& mesh,
                             std::string_view role, std::int64_t expires_at) {
  membership::InviteClaim claim;
  claim.mesh_id = mesh.mesh_id;
  claim.mesh_slug = mesh.slug;
  claim.broker_url = mesh.broker_url;
  claim.expires_at = expires_at;
  claim.root_key = mesh.root_key;
  claim.role = role;
  claim.owner_key = crypto::to_hex(owner.public_key());
  claim.signature = to_hex(owner.sign(bytes_of(membership::canonical_text(claim))));
  return std::string(kScheme) + dialects::write_invite_token(claim);
}

std::optional<std::chrono::seconds> duration_from(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::int64_t unit = seconds_of(text.back());
  std::int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto read = std::from_chars(text.data(), end, count);
  if (unit == 0 || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  if (count <= 0 || count > kTenYears / unit) return std::nullopt;
  return std::chrono::seconds(count * unit);
}

}  // namespace signet::cli
