#include "crypto/wipe.h"
#include "membership/source_secret.h"
#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/profile/invite_link.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

using wire::JsonValue;

struct SecretOptions {
  std::string source;
  std::vector<std::string> tags;
  std::string member, secret_file;
  std::string overlap = "24h";
  std::shared_ptr<OperatorAddress> reached;
};

std::string text_of(JsonValue value) { return std::string(value.string().value_or("")); }

// The names stand in a path as they are.
Status check_source(const std::string& source) {
  if (membership::is_source(source)) return Done{};
  return usage_error(printable_line(source) + " is no name of a source",
                     "It has 1 to 64 letters, digits, '.', '_', '-', ':' and '/'.");
}

std::string path_of(const OperatorMesh& mesh, const SecretOptions& options, std::string_view verb) {
  return "/meshes/" + mesh.name + "/sources/" + options.source + "/" + std::string(verb);
}

// The only time that anybody can read it: the broker tells it once.
void show_secret(Context& context, const OperatorMesh& mesh, const SecretOptions& options,
                 JsonValue answer, std::string_view sentence) {
  if (context.out.is_for_people()) {
    context.out.note(sentence);
    context.out.note("This secret is shown once and by nobody again; keep it where " +
                     options.source + " reads it.");
  }
  std::string secret = text_of(answer["secret"]);
  const crypto::WipedAtEnd wiped(secret);
  context.out.done(secret, {{"source", options.source},
                            {"secret", secret},
                            {"member", text_of(answer["member"])},
                            {"mesh", mesh.slug}});
}

Result<std::string> new_source_body(const SecretOptions& options) {
  wire::JsonWriter body;
  body.object().key("source").value(options.source);
  if (!options.tags.empty()) {
    body.key("tags").array();
    for (const std::string& tag : options.tags) body.value(tag);
    body.end();
  }
  if (!options.member.empty()) body.key("pubkey").value(options.member);
  if (!options.secret_file.empty()) {
    SIGNET_TRY(std::string text, read_private_file(options.secret_file));
    const crypto::WipedAtEnd wiped(text);
    body.key("secret").value(std::string_view(text).substr(0, text.find_first_of("\r\n")));
  }
  return body.end().take();
}

Status add(Context& context, const SecretOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_source(options.source));
  SIGNET_TRY(std::string body, new_source_body(options));
  const crypto::WipedAtEnd wiped(body);
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  SIGNET_TRY(const auto answer, api.post("/meshes/" + mesh.name + "/sources", body));
  const JsonValue root = answer.root();
  if (options.secret_file.empty()) {
    show_secret(
        context, mesh, options, root,
        "Who shows this secret is " + options.source + " in " + mesh.slug + " from now on.");
    return Done{};
  }
  context.out.done(
      "Who shows the secret of " + options.secret_file + " is " + options.source + " in " +
          mesh.slug + " from now on.",
      {{"source", options.source}, {"member", text_of(root["member"])}, {"mesh", mesh.slug}});
  return Done{};
}

Result<std::chrono::seconds> overlap_of(const SecretOptions& options) {
  if (options.overlap == "0") return std::chrono::seconds(0);
  if (const auto duration = duration_from(options.overlap)) return *duration;
  return usage_error("--overlap " + printable_line(options.overlap) + " is no time",
                     "It looks like 30m, 24h or 7d; 0 ends the old secret at once.");
}

Status rotate(Context& context, const SecretOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_source(options.source));
  SIGNET_TRY(const std::chrono::seconds overlap, overlap_of(options));
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  wire::JsonWriter body;
  body.object().key("overlap_seconds").value(std::int64_t{overlap.count()}).end();
  SIGNET_TRY(const auto answer, api.post(path_of(mesh, options, "rotate"), body.text()));
  const std::string old = overlap.count() == 0 ? "The old one holds no more."
                                               : "The old one holds for " + options.overlap + ".";
  show_secret(context, mesh, options, answer.root(),
              "This is the new secret of " + options.source + " in " + mesh.slug + ". " + old);
  return Done{};
}

Status list(Context& context, const SecretOptions& options) {
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  Table table{"sources",
              {{"source", "SOURCE"},
               {"member", "MEMBER"},
               {"tags", "TAGS"},
               {"changed", "CHANGED"},
               {"overlapUntil", "OLD ONE UNTIL"},
               {"revoked", "REVOKED"}},
              {}};
  const auto take = [&table](const JsonValue& page) {
    const JsonValue sources = page["sources"];
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const JsonValue each = sources[i];
      std::vector<std::string> tags;
      for (std::size_t t = 0; t < each["tags"].size(); ++t)
        tags.push_back(text_of(each["tags"][t]));
      const auto until = each["overlap_until"].string();
      table.rows.push_back({text_of(each["source"]), text_of(each["member"]), tags,
                            text_of(each["changed"]), until ? Value(std::string(*until)) : Value(),
                            each["revoked"].boolean().value_or(false)});
    }
  };
  SIGNET_TRY([[maybe_unused]] const Done listed,
             api.each_page("/meshes/" + mesh.name + "/sources", take));
  context.out.list(table, "No source of " + mesh.slug + " has a secret.", {{"mesh", mesh.slug}});
  return Done{};
}

Status revoke(Context& context, const SecretOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_source(options.source));
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  SIGNET_TRY(const bool sure, context.confirm("Revoke the secret of " + options.source + " in " +
                                              mesh.slug + "? Its clients are shut out at once."));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  SIGNET_TRY([[maybe_unused]] const auto answer, api.post(path_of(mesh, options, "revoke"), "{}"));
  context.out.done("Revoked: no secret proves " + options.source +
                       " any more. `signet secret add " + options.source + "` gives it a new one.",
                   {{"mesh", mesh.slug}, {"source", options.source}});
  return Done{};
}

std::shared_ptr<SecretOptions> add_source_command(CommandTree& tree, CLI::App& noun,
                                                  const std::string& name,
                                                  const std::string& description,
                                                  Status (*run)(Context&, const SecretOptions&)) {
  auto options = std::make_shared<SecretOptions>();
  CLI::App& command = tree.command(
      noun, name, description, [options, run](Context& context) { return run(context, *options); });
  command.add_option("source", options->source, "the client id that the secret proves")->required();
  options->reached = add_operator_options(command);
  return options;
}

}  // namespace

void add_secret(CommandTree& tree) {
  CLI::App& noun =
      tree.noun("secret", "the secrets by which clients without a key prove their source");

  auto added = add_source_command(tree, noun, "add",
                                  "make a source, and print its secret: once and never again", add);
  CLI::App& adding = *noun.get_subcommand("add");
  adding.add_option("--tag", added->tags, "a tag of its member, repeatable")->type_name("TAG");
  adding
      .add_option("--member", added->member,
                  "the key of a member that it proves (a member of its own, without a key)")
      ->type_name("KEY");
  adding
      .add_option("--secret-file", added->secret_file,
                  "take the secret in this file's first line, which clients have already")
      ->type_name("FILE");
  add_examples(adding, {"signet secret add gauge-1 --tag sensors"});

  auto rotated = add_source_command(tree, noun, "rotate",
                                    "print a new secret; the old one holds for a while", rotate);
  CLI::App& rotating = *noun.get_subcommand("rotate");
  rotating
      .add_option("--overlap", rotated->overlap,
                  "for how long the old one holds: 30m, 24h, 7d; 0 for no longer")
      ->type_name("TIME")
      ->capture_default_str();
  add_examples(rotating, {"signet secret rotate gauge-1 --overlap 2d"});

  auto listed = std::make_shared<SecretOptions>();
  listed->reached = add_operator_options(
      tree.command(noun, "list", "the sources, their members, and since when; no secret",
                   [listed](Context& context) { return list(context, *listed); }));

  add_source_command(tree, noun, "revoke", "end the secret of a source at once", revoke);
  add_examples(*noun.get_subcommand("revoke"), {"signet secret revoke gauge-1 --yes"});
}

}  // namespace signet::cli
