#include "signet/profile/profiles.h"

#include <algorithm>
#include <cstdlib>

#include "base/time.h"
#include "crypto/wipe.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::string_view kList = "meshes";
constexpr std::string_view kImported = "claudemeshImported";
constexpr std::string_view kSecret = "secretKey";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The XDG rule: a relative path is as good as none.
std::string folder(const char* name, const std::string& home, std::string_view usual) {
  const std::string value = variable(name);
  const std::string base = value.starts_with('/') ? value : home + std::string(usual);
  return base + "/signet";
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

Profiles profiles_of(const RecordFile& file) {
  Profiles profiles;
  profiles.imported = file.head.flag(kImported);
  for (const Record& record : file.records) profiles.all.push_back(Profile::from(record));
  return profiles;
}

void write_into(RecordFile& file, const Profiles& profiles) {
  if (profiles.imported) file.head.set_flag(kImported, true);
  file.records.clear();
  for (const Profile& profile : profiles.all) file.records.push_back(profile.to_record());
}

Error no_such_mesh(const Profiles& profiles, std::string_view mesh) {
  const std::string joined = profiles.slugs();
  return failure(ErrorCode::kNotFound, "no_such_mesh",
                 "no mesh called " + std::string(mesh) + " is joined here",
                 joined.empty() ? "Join one: signet join LINK" : "Joined are: " + joined);
}

// A profile that nothing can be done with: a hand-written file, most likely.
Status check(const Profile& profile, const std::string& file) {
  for (const std::string* each :
       {&profile.mesh_id, &profile.member_id, &profile.slug, &profile.broker_url}) {
    if (each->empty()) {
      return failure(ErrorCode::kMalformed, "file_broken",
                     file + " has a mesh without meshId, memberId, slug or brokerUrl",
                     "Repair it, or move it away: nothing was changed.");
    }
  }
  if (!is_slug(profile.slug)) {
    return failure(ErrorCode::kMalformed, "file_broken",
                   file + " has a mesh whose slug is not 1 to 63 of a-z 0-9 -",
                   "Repair it, or move it away: nothing was changed.");
  }
  const auto membership = membership_of(profile);
  if (membership.ok()) return Done{};
  return failure(ErrorCode::kMalformed, "bad_key",
                 file + " has no usable secret key for " + profile.slug,
                 "Repair it, or move it away: nothing was changed.");
}

}  // namespace

Result<Paths> Paths::from_environment() {
  Paths paths;
  paths.home = variable("HOME");
  const bool is_complete =
      variable("XDG_CONFIG_HOME").starts_with('/') && variable("XDG_STATE_HOME").starts_with('/');
  if (!paths.home.starts_with('/')) paths.home.clear();  // files would lie wherever one stands
  if (paths.home.empty() && !is_complete) {
    return failure(ErrorCode::kNotFound, "no_home", "HOME is no absolute path",
                   "Set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME.");
  }
  paths.config_folder = folder("XDG_CONFIG_HOME", paths.home, "/.config");
  paths.state_folder = folder("XDG_STATE_HOME", paths.home, "/.local/state");
  return paths;
}

Profile Profile::from(const Record& record) {
  Profile profile;
  profile.mesh_id = record.text("meshId");
  profile.member_id = record.text("memberId");
  profile.slug = record.text("slug");
  profile.public_key = record.text("pubkey");
  profile.broker_url = record.text("brokerUrl");
  profile.joined_at = record.text("joinedAt");
  profile.owner_key = record.text("ownerKey");
  profile.display_name = record.text("displayName");
  profile.ca_file = record.text("caFile");
  profile.allow_tls12 = record.flag("allowTls12");
  profile.status = record.text("status");
  profile.summary = record.text("summary");
  profile.record = record;
  return profile;
}

Record Profile::to_record() const {
  Record out = record;
  out.set("meshId", mesh_id);
  out.set("memberId", member_id);
  out.set("slug", slug);
  if (record.text("name").empty()) out.set("name", slug);
  out.set("pubkey", public_key);
  out.set("brokerUrl", broker_url);
  out.set("joinedAt", joined_at);
  out.set("ownerKey", owner_key);
  out.set("displayName", display_name);
  out.set("caFile", ca_file);
  if (allow_tls12) out.set_flag("allowTls12", true);
  out.set("status", status);
  out.set("summary", summary);
  return out;
}

Result<Membership> membership_of(const Profile& profile) {
  std::string secret = profile.record.text(kSecret);
  const crypto::WipedAtEnd wiped(secret);
  SIGNET_TRY(Identity identity, Identity::from_hex(secret));
  if (!profile.public_key.empty() && identity.public_key() != profile.public_key) {
    return failure(ErrorCode::kMalformed, "bad_key",
                   "the secret key of " + profile.slug + " is not the one of its public key");
  }
  return Membership{profile.broker_url, profile.mesh_id, profile.slug, profile.member_id,
                    std::move(identity)};
}

Profile profile_of(const Membership& membership, std::string_view display_name,
                   const TlsTrust& trust) {
  Profile profile;
  profile.mesh_id = membership.mesh_id;
  profile.member_id = membership.member_id;
  profile.slug = membership.mesh_slug.empty() ? membership.mesh_id : membership.mesh_slug;
  profile.public_key = membership.identity.public_key();
  profile.broker_url = membership.broker_url;
  profile.joined_at = iso8601(system_clock().wall());
  profile.display_name = display_name;
  profile.ca_file = trust.ca_file;
  profile.allow_tls12 = trust.allow_tls12;
  std::string secret = membership.identity.seed_hex() + membership.identity.public_key();
  const crypto::WipedAtEnd wiped(secret);
  profile.record.set(kSecret, secret);
  return profile;
}

std::string state_file(const Paths& paths, const Profile& profile) {
  constexpr std::size_t kMaxSlug = 64;  // a slug is a peer's word: it must fit into a file name
  std::string name = profile.slug.substr(0, kMaxSlug);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_plain(c); }, '_');
  return paths.state_folder + "/" + name + "-" + profile.public_key.substr(0, 8) + ".db";
}

Result<Profiles> Profiles::load(const Paths& paths) {
  SIGNET_TRY(const RecordFile file, RecordFile::load(paths.config_file(), kList));
  return profiles_of(file);
}

Status Profiles::change(const Paths& paths, const std::function<Status(Profiles&)>& how) {
  const auto change = [&how](RecordFile& file) -> Status {
    Profiles profiles = profiles_of(file);
    SIGNET_TRY([[maybe_unused]] const Done changed, how(profiles));
    write_into(file, profiles);
    return Done{};
  };
  return RecordFile::change(paths.config_folder, paths.config_file(), kList, change);
}

const Profile* Profiles::find(std::string_view mesh) const {
  const auto named = [&](const Profile& each) { return each.slug == mesh; };
  auto found = std::find_if(all.begin(), all.end(), named);
  if (found == all.end()) {
    found = std::find_if(all.begin(), all.end(),
                         [&](const Profile& each) { return each.mesh_id == mesh; });
  }
  return found == all.end() ? nullptr : &*found;
}

Result<Profile> Profiles::choose(std::string_view mesh) const {
  if (!mesh.empty()) {
    const Profile* found = find(mesh);
    if (found == nullptr) return no_such_mesh(*this, mesh);
    return *found;
  }
  if (all.size() == 1) return all.front();
  if (all.empty()) {
    return failure(ErrorCode::kNotFound, "no_mesh", "no mesh is joined here",
                   "Join one: signet join LINK, or make one: signet mesh create NAME --broker URL");
  }
  return usage_error("several meshes are joined: " + slugs(),
                     "Say which: --mesh SLUG, or SLUG:TARGET.");
}

std::string Profiles::slugs() const {
  std::string out;
  for (const Profile& each : all) out += (out.empty() ? "" : ", ") + each.slug;
  return out;
}

Status add_profile(Profiles& profiles, Profile& fresh) {
  for (Profile& each : profiles.all) {
    if (each.mesh_id != fresh.mesh_id || each.broker_url != fresh.broker_url) continue;
    if (each.public_key != fresh.public_key) {
      return failure(ErrorCode::kConflict, "already_joined",
                     each.slug + " is joined here already, under another key",
                     "To join it anew: signet leave " + each.slug);
    }
    fresh.slug = each.slug;
    each = fresh;
    return Done{};
  }
  const std::string slug = fresh.slug;
  for (int number = 2; profiles.find(fresh.slug) != nullptr; ++number) {
    fresh.slug = slug + "-" + std::to_string(number);
  }
  profiles.all.push_back(fresh);
  return Done{};
}

void forget_profile(Profiles& profiles, const Profile& profile) {
  std::erase_if(profiles.all, [&](const Profile& each) {
    return each.mesh_id == profile.mesh_id && each.public_key == profile.public_key &&
           each.broker_url == profile.broker_url && each.slug == profile.slug &&
           each.member_id == profile.member_id;
  });
}

bool is_slug(std::string_view text) {
  constexpr std::size_t kLongest = 63;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= kLongest && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), fits);
}

Result<std::size_t> import_profiles(const Paths& paths, const std::string& file) {
  auto text = read_private_file(file);
  if (!text.ok()) return text.error();
  const crypto::WipedAtEnd wiped(*text);
  const auto theirs = RecordFile::read(*text, kList);
  if (!theirs.ok()) {
    return failure(ErrorCode::kMalformed, "file_broken",
                   file + " can't be read: " + theirs.error().detail);
  }
  std::size_t count = 0;
  const auto take_over = [&](Profiles& profiles) -> Status {
    for (const Record& record : theirs->records) {
      Profile profile = Profile::from(record);
      SIGNET_TRY([[maybe_unused]] const Done checked, check(profile, file));
      const bool is_here =
          std::any_of(profiles.all.begin(), profiles.all.end(),
                      [&](const Profile& each) { return each.mesh_id == profile.mesh_id; });
      if (is_here) continue;
      SIGNET_TRY([[maybe_unused]] const Done added, add_profile(profiles, profile));
      ++count;
    }
    profiles.imported = true;
    return Done{};
  };
  SIGNET_TRY([[maybe_unused]] const Done changed, Profiles::change(paths, take_over));
  return count;
}

Result<Target> split_target(const Profiles& profiles, std::string_view mesh,
                            std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view before = text.substr(0, colon);
  if (colon == std::string_view::npos || text.starts_with('#')) {
    return Target{std::string(mesh), std::string(text)};
  }
  const std::string_view after = text.substr(colon + 1);
  if (!mesh.empty() ? before == mesh : profiles.find(before) != nullptr) {
    if (before != "tag") return Target{std::string(before), std::string(after)};
  }
  if (!mesh.empty() || before == "tag") return Target{std::string(mesh), std::string(text)};
  return no_such_mesh(profiles, before);
}

}  // namespace signet::cli
