// The JSON bodies and the queries of the operator's API, read strictly: a field of another type is
// refused and never taken for one that is missing. Pure; any thread. Format: docs/operator-api.md.
#pragma once

#include <optional>
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

// {"invite_token":"link or token"}, whatever it says, or {"digest":hex}: how the store calls it.
Result<crypto::Digest32> read_revocation(std::string_view body);

// {"slug","owner_pubkey","id"?}; an id that is missing is empty.
struct MeshBody {
  std::string slug;
  std::string id;
  crypto::PublicKey owner;
};
Result<MeshBody> read_mesh(std::string_view body);

// {"number":n,"recipient":key}, or {"all":true}: nullopt.
struct LetterBody {
  MessageNumber number;
  crypto::PublicKey recipient;
};
Result<std::optional<LetterBody>> read_requeue(std::string_view body);

// limit=1..most&after=hex: the page that begins behind `after`.
struct Page {
  std::size_t limit;
  std::optional<std::array<unsigned char, 32>> after;
};
Result<Page> read_page(std::string_view query, std::size_t usual, std::size_t most);

// standing=one of four; nullopt where there is none.
Result<std::optional<membership::Standing>> read_standing_filter(std::string_view query);

// The value of `name=` in a query; nullopt where there is none. The first one counts.
std::optional<std::string_view> value_in(std::string_view query, std::string_view name);
// The same as a number, `otherwise` where it is none.
std::int64_t number_in(std::string_view query, std::string_view name, std::int64_t otherwise);

}  // namespace signet::admin
