// Invite links as their owner makes them and as anybody can check them, without asking a broker.
// Format: protocol/claudemesh.md, "Joining". Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "membership/invite.h"
#include "signet/profile/owners.h"
#include "signet/result.h"

namespace signet::cli {

struct InviteFacts {
  membership::InviteClaim claim;
  std::string token;
  std::string digest;      // what the broker calls it
  bool is_signed = false;  // by the key that it names
  bool is_expired = false;
};

// Reads `ic://join/TOKEN`, `https://…/join/TOKEN` or the token. Fails kMalformed
// (invite_malformed).
Result<InviteFacts> read_invite_link(std::string_view link, WallTime now);

// A link of `mesh`, signed by its owner.
std::string make_invite_link(const crypto::SecretKey& owner, const OwnedMesh& mesh,
                             std::string_view role, std::int64_t expires_at);

// `30m`, `12h`, `7d`, `2w`, or plain seconds with `s`. Nullopt for anything else, zero, and more
// than ten years.
std::optional<std::chrono::seconds> duration_from(std::string_view text);

}  // namespace signet::cli
