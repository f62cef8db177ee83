// The JSON bodies of the operator's API, read strictly: a field of another type is refused and
// never taken for one that is missing. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "membership/invite.h"
#include "signet/result.h"

namespace signet::admin {

inline constexpr std::size_t kMaxTags = 64;  // of one member: what it does, not a mailing list
inline constexpr std::int64_t kMaxInviteUses = 1'000'000;  // more is no invite but an open door

// All fail kMalformed and name the rule.

// {"standing":"probation|admitted|quarantined|revoked"}
Result<membership::Standing> read_standing(std::string_view body);
std::string_view name_of(membership::Standing standing);

// {"role":"member|admin","tags":[names]}; tags that are missing are none.
struct RoleBody {
  membership::Role role;
  std::vector<std::string> tags;
};
Result<RoleBody> read_role(std::string_view body);

// {"invite_token":"link or token","max_uses":n}; one use where it is missing.
struct InviteBody {
  membership::InviteClaim claim;
  std::string token;
  std::int64_t max_uses;
};
Result<InviteBody> read_invite(std::string_view body);

// {"invite_token":"link or token"}: the token, whatever it says.
Result<std::string> read_revocation(std::string_view body);

}  // namespace signet::admin
