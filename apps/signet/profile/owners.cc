#include "signet/profile/owners.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/encoding.h"
#include "base/time.h"
#include "crypto/wipe.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::string_view kOwnersList = "owners";
constexpr std::string_view kInvitesList = "invites";
constexpr std::string_view kSecret = "secretKey";
constexpr std::size_t kSeedDigits = 64;

OwnedMesh owned_from(const Record& record) {
  OwnedMesh mesh;
  mesh.mesh_id = record.text("meshId");
  mesh.slug = record.text("slug");
  mesh.broker_url = record.text("brokerUrl");
  mesh.root_key = record.text("rootKey");
  mesh.public_key = record.text("pubkey");
  mesh.created_at = record.text("createdAt");
  mesh.reached.socket = record.text("operatorSocket");
  mesh.reached.url = record.text("operatorUrl");
  mesh.reached.token_file = record.text("operatorTokenFile");
  mesh.record = record;
  return mesh;
}

Record to_record(const OwnedMesh& mesh) {
  Record record = mesh.record;
  record.set("meshId", mesh.mesh_id);
  record.set("slug", mesh.slug);
  record.set("brokerUrl", mesh.broker_url);
  record.set("rootKey", mesh.root_key);
  record.set("pubkey", mesh.public_key);
  record.set("createdAt", mesh.created_at);
  record.set("operatorSocket", mesh.reached.socket);
  record.set("operatorUrl", mesh.reached.url);
  record.set("operatorTokenFile", mesh.reached.token_file);
  return record;
}

bool is_same(const Record& record, const OwnedMesh& mesh) {
  return record.text("pubkey") == mesh.public_key && record.text("slug") == mesh.slug &&
         record.text("brokerUrl") == mesh.broker_url;
}

std::string slugs_of(const std::vector<OwnedMesh>& owned) {
  std::string out;
  for (const OwnedMesh& each : owned) out += (out.empty() ? "" : ", ") + each.slug;
  return out;
}

IssuedInvite invite_from(const Record& record) {
  IssuedInvite invite;
  invite.mesh_id = record.text("meshId");
  invite.slug = record.text("slug");
  invite.link = record.text("link");
  invite.digest = record.text("digest");
  invite.role = record.text("role");
  invite.created_at = record.text("createdAt");
  invite.max_uses = record.integer("maxUses").value_or(1);
  invite.expires_at = record.integer("expiresAt").value_or(0);
  return invite;
}

Record to_record(const IssuedInvite& invite) {
  Record record;
  record.set("meshId", invite.mesh_id);
  record.set("slug", invite.slug);
  record.set("link", invite.link);
  record.set("digest", invite.digest);
  record.set("role", invite.role);
  record.set("createdAt", invite.created_at);
  record.set("maxUses", invite.max_uses);
  record.set("expiresAt", invite.expires_at);
  return record;
}

}  // namespace

Result<crypto::SecretKey> OwnedMesh::key() const {
  std::string secret = record.text(kSecret);
  const crypto::WipedAtEnd wiped(secret);
  std::array<unsigned char, kSeedDigits / 2> seed{};
  const bool is_hex = from_hex(std::string_view(secret).substr(0, kSeedDigits), seed);
  auto key = crypto::SecretKey::from_seed(seed);
  crypto::wipe(seed);
  if (is_hex && crypto::to_hex(key.public_key()) == public_key) return key;
  return failure(ErrorCode::kMalformed, "bad_key", "owners.json has no usable key of " + slug);
}

Result<std::vector<OwnedMesh>> load_owned(const Paths& paths) {
  SIGNET_TRY(const RecordFile file, RecordFile::load(paths.owners_file(), kOwnersList));
  std::vector<OwnedMesh> owned;
  for (const Record& record : file.records) owned.push_back(owned_from(record));
  return owned;
}

Status keep_owned(const Paths& paths, const OwnedMesh& mesh) {
  const auto keep = [&mesh](RecordFile& file) -> Status {
    for (Record& record : file.records) {
      if (!is_same(record, mesh)) continue;
      record = to_record(mesh);
      return Done{};
    }
    file.records.push_back(to_record(mesh));
    return Done{};
  };
  return RecordFile::change(paths.config_folder, paths.owners_file(), kOwnersList, keep);
}

OwnedMesh new_owned(std::string_view slug, std::string_view broker_url, const Identity& owner) {
  OwnedMesh mesh;
  mesh.slug = slug;
  mesh.broker_url = broker_url;
  mesh.public_key = owner.public_key();
  mesh.created_at = iso8601(system_clock().wall());
  std::string secret = owner.seed_hex() + owner.public_key();
  const crypto::WipedAtEnd wiped(secret);
  mesh.record.set(kSecret, secret);
  return mesh;
}

Result<OwnedMesh> choose_owned(const std::vector<OwnedMesh>& all, std::string_view mesh) {
  std::vector<OwnedMesh> owned;
  std::copy_if(all.begin(), all.end(), std::back_inserter(owned),
               [](const OwnedMesh& each) { return each.is_made(); });
  if (mesh.empty() && owned.size() == 1) return owned.front();
  if (mesh.empty() && !owned.empty()) {
    return usage_error("several meshes are yours: " + slugs_of(owned), "Say which: --mesh SLUG.");
  }
  const auto found = std::find_if(owned.begin(), owned.end(), [&](const OwnedMesh& each) {
    return each.slug == mesh || each.mesh_id == mesh;
  });
  if (found != owned.end()) return *found;
  return failure(
      ErrorCode::kNotFound, "not_the_owner",
      mesh.empty() ? std::string("no mesh was made here")
                   : "the owner's key of " + std::string(mesh) + " is not here",
      "Invites are made where the mesh was made: signet mesh create NAME --broker URL. A "
      "`signetd dev` prints one of its mesh with --show.");
}

Result<std::vector<IssuedInvite>> load_invites(const Paths& paths) {
  SIGNET_TRY(const RecordFile file, RecordFile::load(paths.invites_file(), kInvitesList));
  std::vector<IssuedInvite> invites;
  for (const Record& record : file.records) invites.push_back(invite_from(record));
  return invites;
}

Status keep_invite(const Paths& paths, const IssuedInvite& invite) {
  const auto keep = [&invite](RecordFile& file) -> Status {
    file.records.push_back(to_record(invite));
    return Done{};
  };
  return RecordFile::change(paths.state_folder, paths.invites_file(), kInvitesList, keep);
}

}  // namespace signet::cli
