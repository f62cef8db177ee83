// The nouns of membership: meshes, members, invites. Plain values; the rules are in
// membership_table.h, the durable copy is in store.
#pragma once

#include <algorithm>
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
  // Without one the member shows itself otherwise (a secret of its source). Nobody can seal to it:
  // it gets no mail, and no list of a mesh's members that peers see shows it.
  std::optional<crypto::PublicKey> key;
  std::string display_name;
  Role role = Role::kMember;
  Standing standing = Standing::kAdmitted;
  std::vector<std::string> tags;  // sorted
  WallTime joined;
};

// The tag of a member that an original node's unsigned report made. Nobody ever proved its name, so
// it takes the name from nobody who shows the mesh's shared secret.
inline constexpr std::string_view kUnsignedTag = "unsigned";

inline bool is_unproven(const Member& member) {
  return !member.key &&
         std::find(member.tags.begin(), member.tags.end(), kUnsignedTag) != member.tags.end();
}

// Lower-case hex, or nothing for a member without a key.
inline std::string key_text(const Member& member) {
  return member.key ? crypto::to_hex(*member.key) : std::string();
}

// Tokens that were taken back before their time. Either `token` is the id (jti) of one, or it is
// empty and every token of `subject` that was issued before `issued_before` is meant.
struct TokenRevocation {
  std::string token;
  std::string subject;
  WallTime issued_before;
  WallTime until;  // then all that it means are expired, and it may be forgotten
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
