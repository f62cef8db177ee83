// The HTTP bodies of claudemesh: joining, invite links, and statuses posted by hooks.
// Normative text: protocol/claudemesh.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "dialects/verb.h"
#include "membership/invite.h"
#include "signet/result.h"

namespace signet::dialects {

inline constexpr std::size_t kMaxDisplayNameBytes = 128;  // of a join: kept for ever, shown to all
inline constexpr std::size_t kMaxTokenBytes = 4'096;      // a link that a person can still paste

struct JoinByInvite {
  membership::InviteClaim claim;
  std::string token;
  std::string pubkey;  // hex, as sent
  std::string display_name;
};
// The older body: anyone may join, where the operator turned it on.
struct JoinWithoutInvite {
  std::string mesh_id;
  std::string pubkey;
  std::string display_name;
};
using JoinBody = std::variant<JoinByInvite, JoinWithoutInvite>;

// Fails kMalformed. `invite_token` may be the token, the whole ic:// link or the https:// link.
Result<JoinBody> read_join(std::string_view body);

// A status for the process that said this `cwd` and `pid` in its hello.
struct HookStatus {
  std::string cwd;
  std::int64_t pid = 0;
  Status status = Status::kIdle;
};
// Fails kMalformed when `cwd` or `status` is missing, or a field is of another form or longer than
// a hello's `cwd` may be: it could match no session.
Result<HookStatus> read_hook_status(std::string_view body);

// An invite link's token ⇄ what it says.
Result<membership::InviteClaim> read_invite_token(std::string_view token);
std::string write_invite_token(const membership::InviteClaim& claim);

// The token of `ic://join/TOKEN` or `https://HOST/join/TOKEN`, or the text itself.
std::string_view token_of_link(std::string_view link);

}  // namespace signet::dialects
