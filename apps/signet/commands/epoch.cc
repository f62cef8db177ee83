// `signet epoch show|rotate|deny`: what was decided last of a mesh's overlay, to decide now, and to
// let the denials happen that are held because they are so many.
#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

using wire::JsonValue;

struct EpochOptions {
  std::shared_ptr<OperatorAddress> reached;
};

struct EpochReached {
  OperatorMesh mesh;
  OperatorApi api;
};

Result<EpochReached> reach_epoch(Context& context, const EpochOptions& options) {
  SIGNET_TRY(OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  return EpochReached{std::move(mesh), std::move(api)};
}

std::string epoch_path(const OperatorMesh& mesh, const std::string& rest) {
  return "/meshes/" + mesh.name + "/epoch" + rest;
}

std::string word_in(const JsonValue& value) { return printable_line(value.string().value_or("")); }
std::string digits_in(const JsonValue& value) { return printable_line(value.raw()); }

std::vector<std::string> names_in(const JsonValue& list) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < list.size(); ++i) names.push_back(word_in(list[i]));
  return names;
}

// "node-a (epoch 7)", and beyond those that are listed how many more there are.
std::vector<std::string> behind_texts(const JsonValue& behind) {
  std::vector<std::string> texts;
  const JsonValue nodes = behind["nodes"];
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool has_asked = nodes[i]["epoch"].integer().has_value();
    texts.push_back(word_in(nodes[i]["node"]) +
                    (has_asked ? " (epoch " + digits_in(nodes[i]["epoch"]) + ")" : " (nothing)"));
  }
  const auto count = static_cast<std::size_t>(behind["count"].integer().value_or(0));
  if (count > texts.size()) {
    texts.push_back(std::to_string(count - texts.size()) + " more");
  }
  return texts;
}

std::string keys_text(const JsonValue& keys) {
  std::string text = word_in(keys["phase"]) + ", of epoch " + digits_in(keys["current"]);
  if (keys["other"].integer()) {
    const bool is_next = word_in(keys["phase"]) != "grace";
    text += (is_next ? ", next " : ", before ") + digits_in(keys["other"]);
  }
  const std::string moment = word_in(keys["moment"]);
  return moment.empty() ? text : text + ", at " + moment;
}

Status show_epoch(Context& context, const EpochOptions& options) {
  SIGNET_TRY(const EpochReached at, reach_epoch(context, options));
  SIGNET_TRY(const auto answer, at.api.get(epoch_path(at.mesh, "")));
  const JsonValue root = answer.root();
  const JsonValue keys = root["keys"];
  if (!context.out.is_for_people()) {
    Fields fields{{"mesh", at.mesh.slug}};
    for (const char* name :
         {"epoch", "decided_at", "ends", "skipped", "nodes", "allowed", "rule", "secret_hash",
          "held_denials", "held_digest", "revocations", "behind", "keys"}) {
      fields.push_back({name, Json{std::string(root[name].raw())}});
    }
    context.out.record(fields);
    return Done{};
  }
  if (root["epoch"].integer().value_or(0) == 0) {
    context.out.done("No epoch of " + at.mesh.slug + " was decided yet.");
    return Done{};
  }
  const JsonValue rule = root["rule"];
  context.out.record(
      {{"mesh", at.mesh.slug, "mesh"},
       {"epoch", digits_in(root["epoch"]), "epoch"},
       {"decided_at", word_in(root["decided_at"]), "decided"},
       {"ends", word_in(root["ends"]), "ends"},
       {"members", digits_in(root["allowed"]) + " of " + digits_in(root["nodes"]) + " nodes",
        "members"},
       {"rule",
        "version " + digits_in(rule["version"]) + ", threshold " + digits_in(rule["threshold"]),
        "rule"},
       {"keys", keys_text(keys), "keys"},
       {"waits_for", names_in(keys["waits_for"]), "waits for"},
       {"secret_hash", word_in(root["secret_hash"]), "secret"},
       {"behind", behind_texts(root["behind"]), "behind"},
       {"held_denials", names_in(root["held_denials"]), "denials held"}});
  return Done{};
}

Status rotate_epoch(Context& context, const EpochOptions& options) {
  SIGNET_TRY(const EpochReached at, reach_epoch(context, options));
  SIGNET_TRY(const auto answer, at.api.post(epoch_path(at.mesh, "/rotate"), "{}"));
  const std::int64_t epoch = answer.root()["epoch"].integer().value_or(0);
  context.out.done("Epoch " + std::to_string(epoch) +
                       " is decided. Its keys are handed out next, and hold when all have them.",
                   {{"mesh", at.mesh.slug}, {"epoch", epoch}});
  return Done{};
}

// What is shown is what happens: the broker refuses other denials than these.
Status deny_held(Context& context, const EpochOptions& options) {
  SIGNET_TRY(const EpochReached at, reach_epoch(context, options));
  SIGNET_TRY(const auto shown, at.api.get(epoch_path(at.mesh, "")));
  const std::vector<std::string> held = names_in(shown.root()["held_denials"]);
  if (held.empty()) {
    return failure(ErrorCode::kConflict, "not_held", "no denials are held in " + at.mesh.slug);
  }
  for (const std::string& name : held) context.out.note("  it denies " + name);
  SIGNET_TRY(const bool sure, context.confirm("Deny these " + std::to_string(held.size()) +
                                              " nodes? They lose their tunnels and sockets."));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  wire::JsonWriter body;
  body.object().key("held_digest").value(shown.root()["held_digest"].string().value_or(""));
  SIGNET_TRY(const auto answer, at.api.post(epoch_path(at.mesh, "/deny"), body.end().take()));
  const std::vector<std::string> denied = names_in(answer.root()["denied"]);
  const std::int64_t epoch = answer.root()["epoch"].integer().value_or(0);
  context.out.done("Epoch " + std::to_string(epoch) + " is decided, and " +
                       std::to_string(denied.size()) + " of them are denied.",
                   {{"mesh", at.mesh.slug}, {"epoch", epoch}, {"denied", denied}});
  return Done{};
}

using RunEpoch = Status (*)(Context&, const EpochOptions&);

void add_epoch_command(CommandTree& tree, CLI::App& noun, const std::string& name,
                       const std::string& description, RunEpoch run) {
  auto options = std::make_shared<EpochOptions>();
  CLI::App& command = tree.command(
      noun, name, description, [options, run](Context& context) { return run(context, *options); });
  options->reached = add_operator_options(command);
}

}  // namespace

void add_epoch(CommandTree& tree) {
  CLI::App& noun = tree.noun("epoch", "the epochs of a mesh's overlay");
  add_epoch_command(tree, noun, "show", "the last decision, and where the keys are", show_epoch);
  add_epoch_command(tree, noun, "rotate", "decide now, and draw new keys", rotate_epoch);
  add_examples(*noun.get_subcommand("rotate"), {"signet epoch rotate --mesh plant"});
  add_epoch_command(tree, noun, "deny",
                    "let the denials happen that are held back because they are so many",
                    deny_held);
  add_examples(*noun.get_subcommand("deny"), {"signet epoch deny --mesh plant"});
}

}  // namespace signet::cli
