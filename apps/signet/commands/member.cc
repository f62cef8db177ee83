#include "signet/commands/commands.h"
#include "signet/commands/operator_members.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

struct MemberOptions {
  std::string who, role;
  std::vector<std::string> tags;
  std::string standing;
  std::shared_ptr<OperatorAddress> reached;
};

Status list(Context& context, const MemberOptions& options) {
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  SIGNET_TRY(const std::vector<MeshMember> rows, all_members(api, mesh));
  Table table{"members",
              {{"name", "NAME"},
               {"key", "KEY", Show::kKey},
               {"role", "ROLE"},
               {"standing", "STANDING"},
               {"tags", "TAGS"},
               {"joinedAt", "JOINED"},
               {"memberId", "", Show::kNever}},
              {}};
  for (const MeshMember& row : rows) {
    if (!options.standing.empty() && row.standing != options.standing) continue;
    table.rows.push_back(
        {row.name, row.key, row.role, row.standing, row.tags, row.joined_at, row.id});
  }
  context.out.list(
      table, (options.standing.empty() ? "No member in " : "No such member in ") + mesh.slug + ".",
      {{"mesh", mesh.slug}});
  return Done{};
}

Status revoke(Context& context, const MemberOptions& options) {
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  SIGNET_TRY(const MeshMember member, find_member(api, mesh, options.who));
  SIGNET_TRY(const bool sure,
             context.confirm("Revoke " + member.name + " (" + member.key + ") in " + mesh.slug +
                             "? That is final for this key."));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  SIGNET_TRY([[maybe_unused]] const auto answer,
             api.post("/meshes/" + mesh.name + "/members/" + member.key + "/standing",
                      R"({"standing":"revoked"})"));
  context.out.done("Revoked " + printable_line(member.name) +
                       ": its sessions are closed, and it does not come back "
                       "under this key.",
                   {{"mesh", mesh.slug}, {"key", member.key}, {"name", member.name}});
  return Done{};
}

Status set_role(Context& context, const MemberOptions& options) {
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  SIGNET_TRY(const MeshMember member, find_member(api, mesh, options.who));
  // The call replaces the tags: those that nobody spoke of are said again.
  std::vector<std::string> tags = options.tags.empty() ? member.tags : options.tags;
  std::erase(tags, "");
  wire::JsonWriter body;
  body.object().key("role").value(options.role).key("tags").array();
  for (const std::string& tag : tags) body.value(tag);
  body.end().end();
  SIGNET_TRY([[maybe_unused]] const auto answer,
             api.post("/meshes/" + mesh.name + "/members/" + member.key + "/role", body.text()));
  context.out.done(
      printable_line(member.name) + " is " + options.role + " of " + mesh.slug + " now.",
      {{"mesh", mesh.slug},
       {"key", member.key},
       {"name", member.name},
       {"role", options.role},
       {"tags", tags}});
  return Done{};
}

}  // namespace

void add_member(CommandTree& tree) {
  CLI::App& noun = tree.noun("member", "the members of a mesh, as its operator sees them");

  auto listed = std::make_shared<MemberOptions>();
  CLI::App& listing = tree.command(noun, "list", "who is a member",
                                   [listed](Context& context) { return list(context, *listed); });
  listing.add_option("--standing", listed->standing, "only those of that standing")
      ->check(CLI::IsMember({"probation", "admitted", "quarantined", "revoked"}));
  listed->reached = add_operator_options(listing);

  auto revoked = std::make_shared<MemberOptions>();
  CLI::App& revoking =
      tree.command(noun, "revoke", "end a membership at once and for good",
                   [revoked](Context& context) { return revoke(context, *revoked); });
  revoking.add_option("who", revoked->who, "a name, a key or its first 8 digits")->required();
  revoked->reached = add_operator_options(revoking);
  add_examples(revoking, {"signet member revoke bob --yes"});

  auto changed = std::make_shared<MemberOptions>();
  CLI::App& changing =
      tree.command(noun, "role", "make a member an admin or not, and say what tags it has",
                   [changed](Context& context) { return set_role(context, *changed); });
  changing.add_option("who", changed->who, "a name, a key or its first 8 digits")->required();
  changing.add_option("role", changed->role, "which")
      ->required()
      ->check(CLI::IsMember({"member", "admin"}));
  changing
      .add_option("--tag", changed->tags,
                  "a tag it has from now on, repeatable; '' alone for none (as they are)")
      ->type_name("TAG");
  changed->reached = add_operator_options(changing);
}

}  // namespace signet::cli
