#include "base/encoding.h"
#include "client/url.h"
#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/commands/options.h"
#include "signet/profile/invite_link.h"
#include "signet/profile/joining.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

using wire::JsonValue;

constexpr std::chrono::seconds kFirstInvite{3'600};  // it is used at once

struct CreateOptions {
  std::string name, broker, owner_key, display_name;
  bool no_join = false;
  std::shared_ptr<OperatorAddress> reached;
};

// A mesh that was begun here is gone on with: the same owner again is the same mesh to the broker.
// A key that is named is the owner's, whatever was begun with another one.
Result<OwnedMesh> begin_owned(Context& context, const CreateOptions& options) {
  SIGNET_TRY(const std::vector<OwnedMesh> owned, load_owned(context.paths));
  const bool is_any = options.owner_key.empty();
  SIGNET_TRY(const Identity owner, is_any ? Result<Identity>(Identity::generate())
                                          : Identity::from_file(options.owner_key));
  const OwnedMesh* begun = nullptr;
  for (const OwnedMesh& each : owned) {
    const bool is_meant = each.slug == options.name && each.broker_url == options.broker &&
                          (is_any || each.public_key == owner.public_key());
    if (is_meant && each.is_made()) return each;
    if (is_meant && begun == nullptr) begun = &each;
  }
  return begun != nullptr ? *begun : new_owned(options.name, options.broker, owner);
}

// A mesh that the broker's configuration declares has the owner that stands there. Which one that
// has to be is known here.
Error not_registered(const Error& error, const OwnedMesh& mesh) {
  const Told told = tell(error);
  if (told.message.find("declared without an owner") == std::string::npos) return error;
  return failure(error.code, told.code,
                 mesh.slug + " is declared without an owner in the broker's configuration",
                 "Write there, below slug = \"" + mesh.slug + "\": owner = \"" + mesh.public_key +
                     "\" (this key is kept here). Restart the broker, then repeat this command.");
}

Status register_mesh(Context& context, const OperatorApi& api, OwnedMesh& mesh) {
  // The key is on the disk before anybody knows it.
  SIGNET_TRY([[maybe_unused]] const Done kept, keep_owned(context.paths, mesh));
  wire::JsonWriter body;
  body.object().key("slug").value(mesh.slug).key("owner_pubkey").value(mesh.public_key).end();
  const auto made = api.post("/meshes", body.text());
  if (!made.ok()) return not_registered(made.error(), mesh);
  mesh.mesh_id = made->root()["id"].string().value_or("");
  SIGNET_TRY(const auto shown, api.get("/meshes/" + mesh.mesh_id));
  mesh.root_key = shown.root()["rootKey"].string().value_or("");
  mesh.reached = api.address();
  return keep_owned(context.paths, mesh);
}

Result<Profile> join_creator(Context& context, const OperatorApi& api, const OwnedMesh& mesh,
                             const std::string& name) {
  SIGNET_TRY(const crypto::SecretKey owner, mesh.key());
  const std::int64_t now = system_clock().wall().ms / 1000;
  const std::string link = make_invite_link(owner, mesh, "admin", now + kFirstInvite.count());
  wire::JsonWriter body;
  body.object().key("invite_token").value(link).key("max_uses").value(1).end();
  SIGNET_TRY([[maybe_unused]] const auto added, api.post("/invites", body.text()));
  SIGNET_TRY(Joined joined, join_mesh(context, link, name, ""));
  return std::move(joined.profile);
}

Status create(Context& context, const CreateOptions& options) {
  if (!is_slug(options.name)) {
    return usage_error(options.name + " is no name of a mesh",
                       "It is 1 to 63 of a-z 0-9 -, and - is not first.");
  }
  if (!client::parse_url(options.broker).ok() || !options.broker.starts_with("ws")) {
    return usage_error(options.broker + " is no WebSocket address of a broker",
                       "It looks like ws://127.0.0.1:8088/ws or wss://broker.example/ws.");
  }
  SIGNET_TRY(OwnedMesh mesh, begin_owned(context, options));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, &mesh));
  SIGNET_TRY([[maybe_unused]] const Done known, register_mesh(context, api, mesh));
  std::string me;
  if (!options.no_join) {
    SIGNET_TRY(const Profile profile, join_creator(context, api, mesh, options.display_name));
    me = profile.public_key;
  }
  context.out.done("Made " + mesh.slug + " at " + mesh.broker_url + ". Its owner's key is in " +
                       context.paths.owners_file() +
                       " and never leaves this machine: keep a copy." +
                       (me.empty() ? "" : "\nYou are its first member, an admin.") +
                       "\nNext: signet invite create --mesh " + mesh.slug,
                   {{"mesh", mesh.slug},
                    {"meshId", mesh.mesh_id},
                    {"brokerUrl", mesh.broker_url},
                    {"ownerKey", mesh.public_key},
                    {"publicKey", me.empty() ? Value() : Value(me)}});
  return Done{};
}

bool is_owned(const std::vector<OwnedMesh>& owned, std::string_view mesh_id) {
  for (const OwnedMesh& each : owned) {
    if (each.mesh_id == mesh_id) return true;
  }
  return false;
}

Status list_joined(Context& context) {
  SIGNET_TRY(const Profiles profiles, context.profiles());
  SIGNET_TRY(const std::vector<OwnedMesh> owned, load_owned(context.paths));
  Table table{"meshes",
              {{"mesh", "MESH"},
               {"brokerUrl", "BROKER"},
               {"publicKey", "YOUR KEY", Show::kKey},
               {"owner", "YOURS"},
               {"joinedAt", "JOINED"},
               {"meshId", "", Show::kNever},
               {"memberId", "", Show::kNever}},
              {}};
  for (const Profile& each : profiles.all) {
    table.rows.push_back({each.slug, each.broker_url, each.public_key,
                          is_owned(owned, each.mesh_id), each.joined_at, each.mesh_id,
                          each.member_id});
  }
  context.out.list(table, "No mesh is joined here. Join one: signet join LINK");
  return Done{};
}

std::string text_of(JsonValue value) { return std::string(value.string().value_or("")); }

Status list_at_broker(Context& context, const OperatorAddress& reached) {
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, reached));
  SIGNET_TRY(const auto answer, api.get("/meshes"));
  Table table{"meshes",
              {{"mesh", "MESH"},
               {"members", "MEMBERS"},
               {"connections", "CONNECTED"},
               {"ownerKey", "OWNER", Show::kKey},
               {"meshId", "", Show::kNever}},
              {}};
  const JsonValue meshes = answer.root()["meshes"];
  for (std::size_t i = 0; i < meshes.size(); ++i) {
    const JsonValue each = meshes[i];
    const std::string owner = text_of(each["ownerPubkey"]);
    table.rows.push_back({text_of(each["slug"]), each["members"].integer().value_or(0),
                          each["connections"].integer().value_or(0),
                          owner.empty() ? Value() : Value(owner), text_of(each["id"])});
  }
  context.out.list(table, "The broker has no mesh.");
  return Done{};
}

Status show(Context& context, const std::string& named) {
  SIGNET_TRY(const Profile profile, context.profile(named));
  SIGNET_TRY(const std::vector<OwnedMesh> owned, load_owned(context.paths));
  context.out.record({{"mesh", profile.slug, "mesh"},
                      {"meshId", profile.mesh_id, "id"},
                      {"brokerUrl", profile.broker_url, "broker"},
                      {"publicKey", profile.public_key, "your key"},
                      {"memberId", profile.member_id, "your member id"},
                      {"name", profile.display_name, "your name"},
                      {"joinedAt", profile.joined_at, "joined"},
                      {"status", profile.status, "status of your sessions"},
                      {"summary", profile.summary, "summary of your sessions"},
                      {"owner", is_owned(owned, profile.mesh_id), "its owner's key is here"},
                      {"state", state_file(context.paths, profile), "state"}});
  return Done{};
}

Status import_from(Context& context, std::string file) {
  if (file.empty()) file = context.paths.claudemesh_file();
  SIGNET_TRY(const std::size_t count, import_profiles(context.paths, file));
  context.out.done("Took over " + std::to_string(count) + " mesh(es) from " + file + ".",
                   {{"imported", static_cast<std::int64_t>(count)}, {"file", file}});
  return Done{};
}

void add_create(CommandTree& tree, CLI::App& mesh) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App& command =
      tree.command(mesh, "create", "make a mesh at a broker; its owner's key stays here",
                   [options](Context& context) { return create(context, *options); });
  command.add_option("name", options->name, "its slug: 1 to 63 of a-z 0-9 -")->required();
  command.add_option("--broker", options->broker, "WebSocket address that members will use")
      ->type_name("URL")
      ->required();
  command.add_option("--name", options->display_name, "your name in it (your login name)")
      ->check(CLI::Validator(refuse_long_name, ""))
      ->type_name("NAME");
  command.add_option("--owner-key", options->owner_key, "the owner's key (a fresh one)")
      ->type_name("FILE");
  command.add_flag("--no-join", options->no_join, "do not join it as its first admin");
  options->reached = add_operator_options(command);
  add_examples(command, {"signet mesh create team --broker ws://127.0.0.1:8088/ws"});
}

}  // namespace

void add_mesh(CommandTree& tree) {
  CLI::App& mesh = tree.noun("mesh", "make, list and show meshes");
  add_create(tree, mesh);

  auto at_broker = std::make_shared<bool>(false);
  auto reached = std::make_shared<std::shared_ptr<OperatorAddress>>();
  CLI::App& listing = tree.command(
      mesh, "list", "the meshes that are joined here", [at_broker, reached](Context& context) {
        return *at_broker ? list_at_broker(context, **reached) : list_joined(context);
      });
  listing.add_flag("--broker", *at_broker, "those of the broker instead (the operator's view)");
  *reached = add_operator_options(listing);

  auto named = std::make_shared<std::string>();
  tree.command(mesh, "show", "one mesh that is joined here",
               [named](Context& context) { return show(context, *named); })
      .add_option("mesh", *named, "which (the only one that is joined)");

  auto file = std::make_shared<std::string>();
  tree.command(mesh, "import", "take over the memberships of a claudemesh configuration",
               [file](Context& context) { return import_from(context, *file); })
      .add_option("file", *file, "which (~/.claudemesh/config.json)")
      ->type_name("FILE");
}

}  // namespace signet::cli
