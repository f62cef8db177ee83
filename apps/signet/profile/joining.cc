#include "signet/profile/joining.h"

#include <algorithm>
#include <cstdlib>

#include "signet/profile/invite_link.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/progress.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

// What can be known without asking anybody is told without asking.
Status check_link(const InviteFacts& facts) {
  if (!facts.is_signed) {
    return failure(ErrorCode::kMalformed, "invite_bad_signature",
                   "this invite was changed: its signature does not match");
  }
  if (facts.is_expired) {
    return failure(ErrorCode::kForbidden, "invite_expired",
                   "this invite has expired at " + iso8601({facts.claim.expires_at * 1000}));
  }
  return Done{};
}

Result<Identity> identity_for(const Profile* existing, const std::string& key_file) {
  if (existing == nullptr) {
    return key_file.empty() ? Result<Identity>(Identity::generate())
                            : Identity::from_file(key_file);
  }
  SIGNET_TRY(Membership kept, membership_of(*existing));
  if (key_file.empty()) return std::move(kept.identity);
  SIGNET_TRY(Identity given, Identity::from_file(key_file));
  if (given.public_key() == existing->public_key) return given;
  return failure(ErrorCode::kConflict, "already_joined",
                 existing->slug + " is joined here already, under another key",
                 "To join it anew: signet leave " + existing->slug);
}

// What a broker says stays on one line: the next one is this program's advice.
Error in_one_line(const Error& error) { return {error.code, printable_line(error.detail)}; }

}  // namespace

Result<const Profile*> renewed_by(const Profiles& profiles, const membership::InviteClaim& claim) {
  const Profile* claimed = nullptr;
  for (const Profile& each : profiles.all) {
    if (each.mesh_id != claim.mesh_id) continue;
    const bool same_owner = each.owner_key.empty() || each.owner_key == claim.owner_key;
    if (each.broker_url == claim.broker_url && same_owner) return &each;
    claimed = &each;
  }
  if (claimed == nullptr) return nullptr;
  return failure(ErrorCode::kConflict, "mesh_claimed",
                 "another broker, or another owner, claims to serve this mesh: it is joined as " +
                     claimed->slug + " at " + claimed->broker_url + ", and this invite says " +
                     claim.broker_url,
                 "Ask its owner over another way. If the mesh really moved: signet leave " +
                     claimed->slug + ", then join again.");
}

bool is_member_id(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), fits);
}

Result<Joined> join_mesh(Context& context, std::string_view link, std::string_view name,
                         const std::string& key_file) {
  SIGNET_TRY(const InviteFacts facts, read_invite_link(link, system_clock().wall()));
  SIGNET_TRY([[maybe_unused]] const Done checked, check_link(facts));
  // All that can fail here fails before the broker has a member whose key is lost.
  SIGNET_TRY([[maybe_unused]] const Done made, make_private_folder(context.paths.config_folder));
  SIGNET_TRY(const Profiles profiles, context.profiles());
  SIGNET_TRY(const Profile* const existing, renewed_by(profiles, facts.claim));
  SIGNET_TRY(Identity identity, identity_for(existing, key_file));

  const std::string shown(name.empty() ? default_name() : name);
  const Progress progress("joining " + facts.claim.mesh_slug);
  const auto membership = join(link, shown, std::move(identity), kAnswerTimeout, context.trust);
  if (!membership.ok()) return in_one_line(membership.error());
  if (!is_member_id(membership->member_id)) {
    return failure(ErrorCode::kUnavailable, "no_broker",
                   "what answered calls the member what no Signet broker calls one");
  }
  Profile profile = profile_of(*membership, name, context.trust);
  profile.owner_key = facts.claim.owner_key;
  if (existing != nullptr) {
    profile.status = existing->status;
    profile.summary = existing->summary;
    if (name.empty()) profile.display_name = existing->display_name;
  }
  const auto keep = [&profile](Profiles& all) { return add_profile(all, profile); };
  SIGNET_TRY([[maybe_unused]] const Done kept, Profiles::change(context.paths, keep));
  return Joined{std::move(profile), existing != nullptr};
}

std::string default_name() {
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "signet" : user;
}

}  // namespace signet::cli
