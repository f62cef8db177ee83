// Joining a mesh and keeping the membership, for `join` and for `mesh create`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "membership/invite.h"
#include "signet/commands/context.h"
#include "signet/profile/profiles.h"
#include "signet/result.h"

namespace signet::cli {

struct Joined {
  Profile profile;
  bool was_member = false;  // this key had joined here before
};

// The membership that an invite renews: of the same mesh, at the same broker and, where that is
// kept, of the same owner; nullptr where the mesh is not joined here. An invite is only as true as
// whoever wrote it: fails kConflict (mesh_claimed) where it puts a joined mesh elsewhere, for a key
// that went there would be another broker's to use.
Result<const Profile*> renewed_by(const Profiles& profiles, const membership::InviteClaim& claim);

// True for what a broker may call a member: 1 to 64 of A-Z a-z 0-9 . _ -
bool is_member_id(std::string_view text);

// Joins by `link` and writes the membership down. `key_file`: an identity to join with; empty: the
// one that has joined this mesh here, or else a fresh one. Fails as signet::join(), and kConflict
// (already_joined) when the mesh is joined under another key.
Result<Joined> join_mesh(Context& context, std::string_view link, std::string_view name,
                         const std::string& key_file);

// What others see where nobody said a name: the login name.
std::string default_name();

}  // namespace signet::cli
