// The JSON bodies and the queries of the operator's API, read strictly: a field of another type is
// refused and never taken for one that is missing. Pure; any thread. Format: docs/operator-api.md.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/secret_text.h"
#include "membership/invite.h"
#include "membership/standing.h"
#include "signet/result.h"
#include "trust/policy_document.h"

namespace signet::admin {

inline constexpr std::size_t kMaxTags = 64;  // of one member: what it does, not a mailing list
inline constexpr std::int64_t kMaxInviteUses = 1'000'000;  // more is no invite but an open door

// All fail kMalformed and name the rule.

// {"standing":"probation|admitted|quarantined|revoked"}
Result<membership::Standing> read_standing(std::string_view body);

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

// {"held_digest":hex}: the held denials that are to happen, as GET epoch names them.
Result<std::string> read_held_denials(std::string_view body);

// {"number":n,"recipient":key}, or {"all":true}: nullopt.
struct LetterBody {
  MessageNumber number;
  crypto::PublicKey recipient;
};
Result<std::optional<LetterBody>> read_requeue(std::string_view body);

// {"as":{"pubkey":hex} or {"source":name} or {"roles":[names]},"action","on"?}
struct ExplainBody {
  std::optional<crypto::PublicKey> pubkey;
  std::string source;
  std::optional<std::vector<std::string>> roles;
  trust::Action action = trust::Action::kConnect;
  std::string on;
};
Result<ExplainBody> read_explain(std::string_view body);

// limit=1..most&after=hex: the page that begins behind `after`.
struct Page {
  std::size_t limit;
  std::optional<std::array<unsigned char, 32>> after;
};
Result<Page> read_page(std::string_view query, std::size_t usual, std::size_t most);

// {"source","tags"?:[names],"pubkey"?,"secret"?}; `secret` is judged by who takes it.
struct NewSourceBody {
  std::string source;
  std::vector<std::string> tags;
  std::optional<crypto::PublicKey> member;
  crypto::SecretText secret;  // none: one is to be drawn
};
Result<NewSourceBody> read_new_source(std::string_view body);

// {"id":jti} or {"subject":name,"issuedBefore"?:RFC 3339}.
struct TokenRevocationBody {
  std::string token;
  std::string subject;
  std::optional<WallTime> issued_before;
};
Result<TokenRevocationBody> read_token_revocation(std::string_view body);

// {"overlap_seconds"?:0..most}, or nothing at all.
Result<std::chrono::seconds> read_rotation(std::string_view body, std::chrono::seconds usual,
                                           std::chrono::seconds most);

// A source's name in a path or a query, where `/` and `:` may be escaped as %2F and %3A.
Result<std::string> read_source(std::string_view text);

// limit=1..most&after=SOURCE; an `after` that is missing is empty.
struct SourcePage {
  std::size_t limit;
  std::string after;
};
Result<SourcePage> read_source_page(std::string_view query, std::size_t usual, std::size_t most);

// standing=one of four; nullopt where there is none.
Result<std::optional<membership::Standing>> read_standing_filter(std::string_view query);

// from=NUMBER&limit=1..most: entries of the log; without `from` the newest.
struct LogPart {
  std::optional<std::uint64_t> from;
  std::size_t limit;
};
Result<LogPart> read_log_part(std::string_view query, std::size_t usual, std::size_t most);

// A number of an entry, or of entries, that must be there.
Result<std::uint64_t> read_entries(std::string_view query, std::string_view name);

// The value of `name=` in a query; nullopt where there is none. The first one counts.
std::optional<std::string_view> value_in(std::string_view query, std::string_view name);
// The same as a number, `otherwise` where it is none.
std::int64_t number_in(std::string_view query, std::string_view name, std::int64_t otherwise);

}  // namespace signet::admin
