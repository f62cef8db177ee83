// Invites: what an owner signed, and whether it lets this key in. Pure.
// Format of the link and order of the refusals: protocol/claudemesh.md.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/codes.h"
#include "membership/membership_table.h"

namespace signet::membership {

// InviteClaim is what a link says, signed by the key it names.
struct InviteClaim {
  std::int64_t version = 1;
  std::string mesh_id;
  std::string mesh_slug;
  std::string broker_url;
  std::int64_t expires_at = 0;  // unix seconds
  std::string root_key;
  std::string role;
  std::string owner_key;  // hex
  std::string signature;  // hex
};

// The signed text: v|mesh_id|mesh_slug|broker_url|expires_at|mesh_root_key|role|owner_pubkey.
std::string canonical_text(const InviteClaim& claim);

// Did the owner of `mesh` sign this? False for a mesh without an owner key.
bool signed_by_owner(const InviteClaim& claim, const Mesh& mesh);

// The store's name for a link: a digest of its token (the part after ic://join/), so that a copy of
// the store lets nobody in.
crypto::Digest32 invite_digest(std::string_view token);

struct AlreadyMember {
  std::string member_id;
};
struct Admit {
  MeshNumber mesh;
  Role role;
  crypto::Digest32 invite;
};
using JoinDecision = std::variant<JoinRefusal, AlreadyMember, Admit>;

// May `key` join with this link? Checks in the order of the page. The role is the one that was
// registered with the link. Whether a use is left is decided here from memory and again, finally,
// by the store.
JoinDecision decide_join(const MembershipTable& table, const InviteClaim& claim,
                         std::string_view token, const crypto::PublicKey& key, WallTime now);

}  // namespace signet::membership
