// Joining a mesh and keeping the membership, for `join` and for `mesh create`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "signet/commands/context.h"
#include "signet/profile/profiles.h"
#include "signet/result.h"

namespace signet::cli {

struct Joined {
  Profile profile;
  bool was_member = false;  // this key had joined here before
};

// Joins by `link` and writes the membership down. `key_file`: an identity to join with; empty: the
// one that has joined this mesh here, or else a fresh one. Fails as signet::join(), and kConflict
// (already_joined) when the mesh is joined under another key.
Result<Joined> join_mesh(Context& context, std::string_view link, std::string_view name,
                         const std::string& key_file);

// What others see where nobody said a name: the login name.
std::string default_name();

}  // namespace signet::cli
