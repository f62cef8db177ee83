// The nouns of membership: meshes, members, invites. Plain values; the rules are in
// membership_table.h, the durable copy is in store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

namespace signet::membership {

enum class Role : std::uint8_t { kMember = 0, kAdmin = 1 };
constexpr std::string_view name_of(Role role) { return role == Role::kAdmin ? "admin" : "member"; }

// One record per member, obeyed by every plane. Revoked is final for the key.
enum class Standing : std::uint8_t {
  kUnknown = 0,
  kProbation = 1,
  kAdmitted = 2,
  kQuarantined = 3,
  kRevoked = 4,
};
constexpr bool may_connect(Standing standing) {
  return standing == Standing::kProbation || standing == Standing::kAdmitted;
}

struct Mesh {
  MeshNumber number;
  std::string id;                          // what peers call it in a hello
  std::string slug;                        // what people call it
  std::optional<crypto::PublicKey> owner;  // without one, no invite can be checked
  std::string root_key;                    // shown in invites; nothing is derived from it
  std::int64_t max_connections = 10'000;
  bool legacy_join = false;  // the old /join body that needs no invite
};

struct Member {
  MemberNumber number;
  MeshNumber mesh;
  std::string id;  // signed in a hello
  crypto::PublicKey key;
  std::string display_name;
  Role role = Role::kMember;
  Standing standing = Standing::kAdmitted;
  std::vector<std::string> tags;  // sorted
  WallTime joined;
};

// An invite is known by the digest of its link, so that the store holds no usable link.
struct Invite {
  crypto::Digest32 digest{};
  MeshNumber mesh;
  Role role = Role::kMember;
  std::int64_t max_uses = 1;
  std::int64_t uses = 0;
  WallTime expires;
  bool revoked = false;
};

}  // namespace signet::membership
