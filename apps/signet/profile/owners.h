// What a mesh owner keeps: the owner's secret keys (`owners.json` in the configuration folder,
// apart from the memberships, so that the one can be moved to a safer place) and the links that
// were issued (`invites.json` in the state folder; a link lets people in, so it is a secret too).
// An owner's key signs invites here and never goes to the broker.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/sign.h"
#include "signet/client.h"
#include "signet/profile/profiles.h"
#include "signet/profile/record_file.h"
#include "signet/result.h"

namespace signet::cli {

// How the operator's API of a mesh's broker is reached. One of the first two; all empty: not said.
struct OperatorAddress {
  std::string socket;      // path of the daemon's Unix socket
  std::string url;         // http://host:port or https://…
  std::string token_file;  // with `url`
  bool is_given() const { return !socket.empty() || !url.empty(); }
};

struct OwnedMesh {
  std::string mesh_id, slug, broker_url;
  std::string root_key;  // what invites say as mesh_root_key
  std::string public_key, created_at;
  OperatorAddress reached;  // as it was when the mesh was made
  Record record;            // with the secret key

  // False where no broker has taken it yet: its key is kept for another attempt.
  bool is_made() const { return !mesh_id.empty(); }
  Result<crypto::SecretKey> key() const;  // kMalformed (bad_key)
};

struct IssuedInvite {
  std::string mesh_id, slug, link, digest, role, created_at;
  std::int64_t max_uses = 1;
  std::int64_t expires_at = 0;  // unix seconds
};

Result<std::vector<OwnedMesh>> load_owned(const Paths& paths);
// Adds it, or replaces what is there of the same key, slug and broker.
Status keep_owned(const Paths& paths, const OwnedMesh& mesh);
// A mesh that is about to be made, with its key.
OwnedMesh new_owned(std::string_view slug, std::string_view broker_url, const Identity& owner);

// Of those that are made, the one with that slug or id; the only one where `mesh` is empty. Fails
// kNotFound (not_the_owner), kMalformed (usage) for several.
Result<OwnedMesh> choose_owned(const std::vector<OwnedMesh>& owned, std::string_view mesh);

Result<std::vector<IssuedInvite>> load_invites(const Paths& paths);
Status keep_invite(const Paths& paths, const IssuedInvite& invite);

}  // namespace signet::cli
