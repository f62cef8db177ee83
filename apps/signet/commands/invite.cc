#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/profile/invite_link.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

using wire::JsonValue;

constexpr std::size_t kDigestDigits = 64;

struct CreateOptions {
  std::int64_t uses = 1;
  std::string expires = "7d";
  std::string role = "member";
  std::shared_ptr<OperatorAddress> reached;
};

Result<IssuedInvite> sign_invite(const OwnedMesh& mesh, const CreateOptions& options) {
  const auto duration = duration_from(options.expires);
  if (!duration) {
    return usage_error("--expires " + options.expires + " is no time",
                       "It looks like 30m, 12h, 7d or 2w, at most ten years.");
  }
  SIGNET_TRY(const crypto::SecretKey owner, mesh.key());
  const WallTime now = system_clock().wall();
  IssuedInvite invite;
  invite.mesh_id = mesh.mesh_id;
  invite.slug = mesh.slug;
  invite.role = options.role;
  invite.max_uses = options.uses;
  invite.expires_at = now.ms / 1000 + duration->count();
  invite.created_at = iso8601(now);
  invite.link = make_invite_link(owner, mesh, options.role, invite.expires_at);
  return invite;
}

Status create(Context& context, const CreateOptions& options) {
  SIGNET_TRY(const std::vector<OwnedMesh> owned, load_owned(context.paths));
  SIGNET_TRY(const OwnedMesh mesh, choose_owned(owned, context.mesh));
  SIGNET_TRY(IssuedInvite invite, sign_invite(mesh, options));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, &mesh));
  wire::JsonWriter body;
  body.object().key("invite_token").value(invite.link).key("max_uses").value(invite.max_uses).end();
  SIGNET_TRY(const auto answer, api.post("/invites", body.text()));
  invite.digest = answer.root()["digest"].string().value_or("");
  SIGNET_TRY([[maybe_unused]] const Done kept, keep_invite(context.paths, invite));
  if (context.out.is_for_people()) {
    context.out.note("whoever has this link joins " + invite.slug + " as " + invite.role + ", " +
                     std::to_string(invite.max_uses) + " time(s), until " +
                     iso8601({invite.expires_at * 1000}));
  }
  context.out.done(invite.link, {{"link", invite.link},
                                 {"digest", invite.digest},
                                 {"mesh", invite.slug},
                                 {"meshId", invite.mesh_id},
                                 {"role", invite.role},
                                 {"maxUses", invite.max_uses},
                                 {"expiresAt", iso8601({invite.expires_at * 1000})}});
  return Done{};
}

const IssuedInvite* issued_as(const std::vector<IssuedInvite>& issued, std::string_view digest) {
  for (const IssuedInvite& each : issued) {
    if (each.digest == digest) return &each;
  }
  return nullptr;
}

Status list(Context& context, const OperatorAddress& reached) {
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, reached, mesh.owned.get()));
  SIGNET_TRY(const std::vector<IssuedInvite> issued, load_invites(context.paths));
  Table table{"invites",
              {{"digest", "DIGEST", Show::kKey},
               {"role", "ROLE"},
               {"uses", "USED"},
               {"maxUses", "OF"},
               {"expiresAt", "EXPIRES"},
               {"revoked", "REVOKED"},
               {"link", "", Show::kNever}},
              {}};
  const auto take = [&](const JsonValue& page) {
    const JsonValue invites = page["invites"];
    for (std::size_t i = 0; i < invites.size(); ++i) {
      const JsonValue each = invites[i];
      const std::string digest(each["digest"].string().value_or(""));
      const IssuedInvite* known = issued_as(issued, digest);
      table.rows.push_back({digest, std::string(each["role"].string().value_or("")),
                            each["uses"].integer().value_or(0),
                            each["maxUses"].integer().value_or(0),
                            std::string(each["expiresAt"].string().value_or("")),
                            each["revoked"].boolean().value_or(false),
                            known == nullptr ? Value() : Value(known->link)});
    }
  };
  SIGNET_TRY([[maybe_unused]] const Done listed,
             api.each_page("/meshes/" + mesh.name + "/invites", take));
  context.out.list(table, "No invite is registered for " + mesh.slug + ".");
  return Done{};
}

bool is_digits(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The digest that a person means: a link's, a whole one, or the start of one that was issued here.
Result<std::string> digest_of(Context& context, const std::string& invite) {
  if (!is_digits(invite)) {
    SIGNET_TRY(const InviteFacts facts, read_invite_link(invite, system_clock().wall()));
    return facts.digest;
  }
  if (invite.size() == kDigestDigits) return invite;
  SIGNET_TRY(const std::vector<IssuedInvite> issued, load_invites(context.paths));
  std::string found;
  for (const IssuedInvite& each : issued) {
    if (!each.digest.starts_with(invite) || each.digest == found) continue;
    if (!found.empty()) return usage_error(invite + " is the start of several invites");
    found = each.digest;
  }
  if (!found.empty()) return found;
  return failure(ErrorCode::kNotFound, "invite_not_found",
                 "no invite that was made here begins with " + invite,
                 "Name the link or the whole digest: signet invite list -o json");
}

Status revoke(Context& context, const std::string& invite, const OperatorAddress& reached) {
  SIGNET_TRY(const std::string digest, digest_of(context, invite));
  SIGNET_TRY(const std::vector<OwnedMesh> owned, load_owned(context.paths));
  const auto mesh = choose_owned(owned, context.mesh);
  SIGNET_TRY(const OperatorApi api,
             OperatorApi::open(context, reached, mesh.ok() ? &*mesh : nullptr));
  wire::JsonWriter body;
  body.object().key("digest").value(digest).end();
  SIGNET_TRY([[maybe_unused]] const auto answer, api.post("/invites/revoke", body.text()));
  context.out.done("Revoked: nobody joins by that link any more. Who has joined by it stays.",
                   {{"digest", digest}});
  return Done{};
}

Status show(Context& context, const std::string& link) {
  SIGNET_TRY(const InviteFacts facts, read_invite_link(link, system_clock().wall()));
  if (!facts.is_signed) {
    return failure(ErrorCode::kMalformed, "invite_bad_signature",
                   "this invite was changed: its signature does not match what it says");
  }
  const membership::InviteClaim& claim = facts.claim;
  context.out.record({{"mesh", claim.mesh_slug, "mesh"},
                      {"meshId", claim.mesh_id, "id"},
                      {"brokerUrl", claim.broker_url, "broker"},
                      {"role", claim.role, "role"},
                      {"expiresAt", iso8601({claim.expires_at * 1000}), "expires"},
                      {"expired", facts.is_expired, "expired"},
                      {"ownerKey", claim.owner_key, "signed by"},
                      {"signed", true, "signature matches"},
                      {"digest", facts.digest, "digest"}});
  return Done{};
}

void add_create(CommandTree& tree, CLI::App& invite) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App& command =
      tree.command(invite, "create", "sign an invite here, register it, print its link",
                   [options](Context& context) { return create(context, *options); });
  command.add_option("--uses", options->uses, "how many may join by it")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
      ->capture_default_str();
  command.add_option("--expires", options->expires, "for how long: 30m, 12h, 7d, 2w")
      ->type_name("TIME")
      ->capture_default_str();
  command.add_option("--role", options->role, "of who joins")
      ->check(CLI::IsMember({"member", "admin"}))
      ->capture_default_str();
  options->reached = add_operator_options(command);
  add_examples(command, {"signet invite create --uses 5 --expires 2d"});
}

}  // namespace

void add_invite(CommandTree& tree) {
  CLI::App& invite = tree.noun("invite", "make and take back invites");
  add_create(tree, invite);

  auto listed = std::make_shared<std::shared_ptr<OperatorAddress>>();
  *listed = add_operator_options(
      tree.command(invite, "list", "the invites that the broker knows",
                   [listed](Context& context) { return list(context, **listed); }));

  auto revoked = std::make_shared<std::string>();
  auto reached = std::make_shared<std::shared_ptr<OperatorAddress>>();
  CLI::App& revoking = tree.command(
      invite, "revoke", "let nobody join by it any more",
      [revoked, reached](Context& context) { return revoke(context, *revoked, **reached); });
  revoking.add_option("invite", *revoked, "its link, its digest, or the start of one made here")
      ->required();
  *reached = add_operator_options(revoking);

  auto link = std::make_shared<std::string>();
  tree.command(invite, "show", "what a link says and whether it was changed; asks nobody",
               [link](Context& context) { return show(context, *link); })
      .add_option("link", *link, "the link")
      ->required();
}

}  // namespace signet::cli
