// Change is one fact about membership that became true. The controller decides it, the store
// commits it under its condition, the table applies it: the same list rebuilds the table at start.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "membership/model.h"
#include "membership/source_secret.h"

namespace signet::membership {

struct MeshAdded {
  Mesh mesh;
};
struct MeshSettingsChanged {  // slug, owner, root key and settings; number and id stay
  Mesh mesh;
};
// Condition: the key (where there is one) and the id are new in the mesh; where an invite is used,
// it has a use left and is not revoked: the store counts the use in the same step.
struct MemberAdded {
  Member member;
  std::optional<crypto::Digest32> invite;
};
// Condition: the standing is still `from`. To kRevoked: its waiting messages become dead letters.
struct StandingChanged {
  MemberNumber member;
  Standing from;
  Standing to;
};
struct RoleChanged {
  MemberNumber member;
  Role role;
  std::vector<std::string> tags;
};
struct InviteAdded {
  Invite invite;
};
struct InviteUsed {  // on the way to the table only; the store derives it from MemberAdded
  crypto::Digest32 digest;
};
struct InviteRevoked {
  crypto::Digest32 digest;
};
struct ChannelJoined {
  MemberNumber member;
  MeshNumber mesh;
  std::string channel;
};
struct ChannelLeft {
  MemberNumber member;
  MeshNumber mesh;
  std::string channel;
};
// Makes or replaces the secret of its mesh and source. Condition: the member is one of that mesh.
struct SourceSecretSet {
  SourceSecret secret;
};
// Condition: the source is there. Its secrets hold no more and are forgotten; the member stays.
struct SourceRevoked {
  MeshNumber mesh;
  std::string source;
};

// Tokens hold no more: the one with this id, or those of this subject from before a moment. Made
// again for the same, the later moment counts: what was taken back stays so.
struct TokensRevoked {
  MeshNumber mesh;
  TokenRevocation revocation;
};

using Change = std::variant<MeshAdded, MeshSettingsChanged, MemberAdded, StandingChanged,
                            RoleChanged, InviteAdded, InviteUsed, InviteRevoked, ChannelJoined,
                            ChannelLeft, SourceSecretSet, SourceRevoked, TokensRevoked>;

}  // namespace signet::membership
