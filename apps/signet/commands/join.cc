#include <filesystem>
#include <iostream>

#include "signet/commands/commands.h"
#include "signet/commands/options.h"
#include "signet/profile/joining.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

struct JoinOptions {
  std::string link, name, key_file;
};

Status join_by(Context& context, const JoinOptions& options) {
  std::string link = options.link;
  if (link == "-") std::getline(std::cin, link);
  SIGNET_TRY(const Joined joined, join_mesh(context, link, options.name, options.key_file));
  const Profile& profile = joined.profile;
  context.out.done((joined.was_member ? "You are a member of " : "Joined ") +
                       printable_line(profile.slug) + " at " + printable_line(profile.broker_url) +
                       ".\nYour key is " + profile.public_key.substr(0, 16) +
                       "…; others need it, or your name, to write to you.",
                   {{"mesh", profile.slug},
                    {"meshId", profile.mesh_id},
                    {"memberId", profile.member_id},
                    {"publicKey", profile.public_key},
                    {"brokerUrl", profile.broker_url},
                    {"alreadyMember", joined.was_member}});
  return Done{};
}

// The database and what lies beside it under its name, but for what was damaged and put aside: that
// may hold mail that somebody can still save. What can't be removed is only left over.
void remove_state(const std::filesystem::path& file) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(file.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string own = file.filename().string();
    if (name.starts_with(own) && !name.starts_with(own + ".damaged-")) {
      std::filesystem::remove_all(entry.path(), ignored);
    }
  }
}

Status leave(Context& context, const std::string& named) {
  SIGNET_TRY(const Profile profile, context.profile(named));
  SIGNET_TRY(const bool sure, context.confirm("Forget " + profile.slug +
                                              " here: its key, and the mail that waits?"));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  const auto forget = [&profile](Profiles& all) -> Status {
    forget_profile(all, profile);
    all.imported = true;  // what was left on purpose does not come back from the old file
    return Done{};
  };
  SIGNET_TRY([[maybe_unused]] const Done forgotten, Profiles::change(context.paths, forget));
  remove_state(state_file(context.paths, profile));
  context.out.done(
      "Left " + printable_line(profile.slug) +
          ": it is forgotten here. The broker still knows the member; to end that, its "
          "operator runs:\n  signet member revoke " +
          profile.public_key,
      {{"mesh", profile.slug},
       {"meshId", profile.mesh_id},
       {"publicKey", profile.public_key},
       {"revoked", false}});
  return Done{};
}

}  // namespace

void add_join(CommandTree& tree) {
  auto options = std::make_shared<JoinOptions>();
  CLI::App& command =
      tree.command("join", "join a mesh by an invite link",
                   [options](Context& context) { return join_by(context, *options); });
  command.add_option("link", options->link, "the invite link; - reads it from standard input")
      ->required();
  command.add_option("--name", options->name, "what others see (your login name)")
      ->type_name("NAME")
      ->check(CLI::Validator(refuse_long_name, ""));
  command.add_option("--key", options->key_file, "join with this key (a fresh one)")
      ->type_name("FILE");
  add_examples(command,
               {"signet join ic://join/… --name ada", "signet join - --name ada < link.txt"});

  auto mesh = std::make_shared<std::string>();
  CLI::App& leaving =
      tree.command("leave", "forget a mesh on this machine; the operator revokes the member",
                   [mesh](Context& context) { return leave(context, *mesh); });
  leaving.add_option("mesh", *mesh, "which (the only one that is joined)");
}

}  // namespace signet::cli
