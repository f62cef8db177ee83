// Profiles are the memberships of this person on this machine: the file
// `$XDG_CONFIG_HOME/signet/config.json`, in the shape of claudemesh's
// (`{"version":1,"meshes":[{"meshId","memberId","slug","name","pubkey","secretKey","brokerUrl",
// "joinedAt"}]}`) with members of our own beside. It holds secret keys: mode 0600, refused
// otherwise.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signet/client.h"
#include "signet/profile/record_file.h"
#include "signet/result.h"

namespace signet::cli {

// Where things are: configuration in $XDG_CONFIG_HOME/signet (~/.config/signet), state in
// $XDG_STATE_HOME/signet (~/.local/state/signet). A relative value of either counts as unset.
struct Paths {
  std::string home;
  std::string config_folder;
  std::string state_folder;

  // Fails kNotFound (no_home) when neither they nor HOME are set.
  static Result<Paths> from_environment();
  std::string config_file() const { return config_folder + "/config.json"; }
  std::string owners_file() const { return config_folder + "/owners.json"; }
  std::string invites_file() const { return state_folder + "/invites.json"; }
  std::string claudemesh_file() const { return home + "/.claudemesh/config.json"; }
};

// Profile is one membership. `record` is what stands in the file, fields of others included.
struct Profile {
  std::string mesh_id, member_id;
  std::string slug;  // what the mesh is called here: no two profiles share one
  std::string public_key, broker_url, joined_at;
  std::string owner_key;     // of the mesh, as the invite said; empty where nobody wrote it down
  std::string display_name;  // what others see; empty: the member's own name
  std::string ca_file;       // TLS: authorities of the broker; empty: the system's
  bool allow_tls12 = false;
  std::string status, summary;  // said again by every session that stays (listen, mcp)
  Record record;

  static Profile from(const Record& record);
  Record to_record() const;
};

// With its secret key. Fails kMalformed (bad_key) when the file's key is none.
Result<Membership> membership_of(const Profile& profile);
// A new one from a join, its secret key in claudemesh's form.
Profile profile_of(const Membership& membership, std::string_view display_name,
                   const TlsTrust& trust);

// The state of a profile: `<slug>-<8 digits of the key>.db` in the state folder; characters that
// have no place in a file name are replaced.
std::string state_file(const Paths& paths, const Profile& profile);

struct Profiles {
  std::vector<Profile> all;
  bool imported = false;  // claudemesh's file was taken over once

  static Result<Profiles> load(const Paths& paths);
  // Reads, changes, writes, under the folder's lock. Fails with what `how` says.
  static Status change(const Paths& paths, const std::function<Status(Profiles&)>& how);

  // The one called `mesh` (its slug or id), or the only one where `mesh` is empty. Fails kNotFound
  // (no_such_mesh, no_mesh) and kMalformed (usage: several, none named; it lists them).
  Result<Profile> choose(std::string_view mesh) const;
  const Profile* find(std::string_view mesh) const;
  std::string slugs() const;  // "demo, team"
};

// Adds `fresh`, or replaces what is there of the same mesh and key. Gives it a slug of its own
// where another mesh has it. Fails kConflict (already_joined) for the same mesh under another key.
Status add_profile(Profiles& profiles, Profile& fresh);

// Takes out this very profile. Others of the same mesh or key stay: theirs may be the only copy.
void forget_profile(Profiles& profiles, const Profile& profile);

// What a mesh may be called: 1 to 63 of a-z 0-9 and -, which is not first. A name goes into lines
// that people read and into commands that they copy.
bool is_slug(std::string_view text);

// Takes over the memberships of a claudemesh file that are not here yet; how many. Fails as
// read_private_file(), and kMalformed (file_broken).
Result<std::size_t> import_profiles(const Paths& paths, const std::string& file);

// A target as people write it: `mesh:target`, or the target alone.
struct Target {
  std::string mesh;  // empty: not said
  std::string target;
};
// Splits at the first colon where what is before it is a joined mesh. `tag:x` and `#a:b` are
// targets. With `mesh` said already, nothing else is split off. Fails kNotFound (no_such_mesh).
Result<Target> split_target(const Profiles& profiles, std::string_view mesh, std::string_view text);

}  // namespace signet::cli
