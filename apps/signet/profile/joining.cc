#include "signet/profile/joining.h"

#include <cstdlib>

#include "signet/profile/invite_link.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/progress.h"

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

}  // namespace

Result<Joined> join_mesh(Context& context, std::string_view link, std::string_view name,
                         const std::string& key_file) {
  SIGNET_TRY(const InviteFacts facts, read_invite_link(link, system_clock().wall()));
  SIGNET_TRY([[maybe_unused]] const Done checked, check_link(facts));
  // All that can fail here fails before the broker has a member whose key is lost.
  SIGNET_TRY([[maybe_unused]] const Done made, make_private_folder(context.paths.config_folder));
  SIGNET_TRY(const Profiles profiles, context.profiles());
  const Profile* existing = profiles.find(facts.claim.mesh_id);
  if (existing != nullptr && existing->mesh_id != facts.claim.mesh_id) existing = nullptr;
  SIGNET_TRY(Identity identity, identity_for(existing, key_file));

  const std::string shown(name.empty() ? default_name() : name);
  const Progress progress("joining " + facts.claim.mesh_slug);
  SIGNET_TRY(const Membership membership,
             join(link, shown, std::move(identity), kAnswerTimeout, context.trust));
  Profile profile = profile_of(membership, name, context.trust);
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
