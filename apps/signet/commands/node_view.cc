// `signet node list|explain|export|forget`: what a mesh's overlay knows of a node, and why it is a
// member or not. The rest of `signet node` is in node.cc.
#include <algorithm>

#include "signet/commands/audit_files.h"
#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

using wire::JsonValue;

constexpr std::string_view kBoldText = "\033[1m";
constexpr std::size_t kLongestNodeName = 64;

struct NodeViewOptions {
  std::string name;
  std::string file;
  std::shared_ptr<OperatorAddress> reached;
};

struct OverlayReached {
  OperatorMesh mesh;
  OperatorApi api;
};

Result<OverlayReached> reach_overlay(Context& context, const NodeViewOptions& options) {
  SIGNET_TRY(OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  return OverlayReached{std::move(mesh), std::move(api)};
}

Status check_node_name(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kLongestNodeName && name.front() != '.' &&
                    name.find_first_not_of(
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789._-") == std::string::npos;
  if (good) return Done{};
  return usage_error(printable_line(name) + " is no name of a node",
                     "`signet node list` shows them.");
}

std::string nodes_path(const OperatorMesh& mesh, const std::string& rest) {
  return "/meshes/" + mesh.name + "/nodes" + rest;
}

std::string member_text(const JsonValue& value) {
  return printable_line(value.string().value_or(""));
}

// What Output makes printable itself.
std::string plain_text(const JsonValue& value) { return std::string(value.string().value_or("")); }

// A number as the broker wrote it.
std::string number_text(const JsonValue& value) { return printable_line(value.raw()); }

std::string_view colour_of_verdict(std::string_view verdict) {
  if (verdict == "ALLOWED") return "\033[32m";
  return verdict == "DENIED" ? "\033[31m" : "\033[33m";
}

// What the broker says of a node, whether it explains or exports it.
constexpr const char* kNodeMembers[] = {
    "node",        "member",     "pubkey",  "wireguard", "fresh_key",      "endpoint",
    "address",     "brought_by", "former",  "standing",  "denied_by_rule", "namesake_was",
    "sequence",    "newest",     "claimed", "verdict",   "reason",         "verdict_since",
    "first_epoch", "reports",    "signals", "trend",     "decision"};

// --- list ---

Status list_nodes(Context& context, const NodeViewOptions& options) {
  SIGNET_TRY(const OverlayReached at, reach_overlay(context, options));
  Table table{"nodes",
              {{"node", "NODE"},
               {"verdict", "VERDICT"},
               {"overall", "SCORE"},
               {"standing", "STANDING"},
               {"verdict_since", "SINCE"},
               {"address", "ADDRESS"},
               {"newest", "LAST REPORT"},
               {"reason", "REASON"}},
              {}};
  const auto take = [&table](const JsonValue& page) {
    const JsonValue nodes = page["nodes"];
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const JsonValue node = nodes[i];
      const bool has_score = node["overall"].number().has_value();
      table.rows.push_back(
          {plain_text(node["node"]), plain_text(node["verdict"]),
           has_score ? Value(Json{std::string(node["overall"].raw())}) : Value(),
           plain_text(node["standing"]), node["verdict_since"].integer().value_or(0),
           plain_text(node["address"]), plain_text(node["newest"]), plain_text(node["reason"])});
    }
  };
  SIGNET_TRY([[maybe_unused]] const Done all, at.api.each_page(nodes_path(at.mesh, ""), take));
  context.out.list(table, "No node has registered with " + at.mesh.slug + ".",
                   {{"mesh", at.mesh.slug}});
  return Done{};
}

// --- explain ---

std::string identity_text(const JsonValue& node, const Output& out) {
  const std::string verdict = member_text(node["verdict"]);
  std::string text = out.paint(kBoldText, member_text(node["node"])) + "  " +
                     out.paint(colour_of_verdict(verdict), verdict) + "  " +
                     member_text(node["reason"]) + "\n";
  text += "member " + number_text(node["member"]) + ", " + member_text(node["standing"]);
  if (node["denied_by_rule"].boolean().value_or(false)) text += " by the rule";
  if (node["first_epoch"].integer().value_or(0) > 0) {
    text += "; so since epoch " + number_text(node["verdict_since"]) + ", first judged in epoch " +
            number_text(node["first_epoch"]);
  }
  const std::string address = member_text(node["address"]);
  const std::string newest = member_text(node["newest"]);
  text += "\naddress " + (address.empty() ? "none" : address) + ", sequence " +
          number_text(node["sequence"]) + ", last report " + (newest.empty() ? "none" : newest);
  return text + "\n";
}

std::string reports_text(const JsonValue& reports) {
  Table table{"reports", {{"suite", "SUITE"}, {"overall", "SCORE"}, {"at", "AT"}}, {}};
  for (std::size_t i = 0; i < reports.size(); ++i) {
    table.rows.push_back({plain_text(reports[i]["suite"]),
                          Json{std::string(reports[i]["overall"].raw())},
                          plain_text(reports[i]["timestamp"])});
  }
  return table.rows.empty() ? "It has reported nothing that counts.\n" : table_text(table);
}

std::string trend_text(const JsonValue& node, const Output& out) {
  const JsonValue scores = node["scores"];
  if (scores.size() == 0) return "No report is kept.\n";
  double least = 1, most = 0;
  std::string lowest, highest;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double score = scores[i]["overall"].number().value_or(0);
    if (lowest.empty() || score < least) {
      least = score;
      lowest = number_text(scores[i]["overall"]);
    }
    if (highest.empty() || score > most) {
      most = score;
      highest = number_text(scores[i]["overall"]);
    }
  }
  return out.paint("\033[36m", member_text(node["sparkline"])) + "  " + lowest + " to " + highest +
         " in the last " + std::to_string(scores.size()) +
         (scores.size() == 1 ? " report\n" : " reports\n");
}

std::string decision_text(const JsonValue& decision, const Output& out) {
  if (!decision.is(wire::JsonKind::kObject)) return "Nothing is decided of it yet.\n";
  std::string text = "epoch " + number_text(decision["epoch"]) + ", at " +
                     member_text(decision["at"]) + ", by the step " +
                     out.paint(kBoldText, member_text(decision["step"])) + " of rule version " +
                     number_text(decision["rule"]) + "\n";
  const JsonValue lines = decision["lines"];
  for (std::size_t i = 0; i < lines.size(); ++i) text += "  " + member_text(lines[i]) + "\n";
  const JsonValue again = decision["again"];
  if (!again.is(wire::JsonKind::kObject)) {
    return text + "The rule of that version is not kept, so it can't be decided again.\n";
  }
  if (again["same"].boolean().value_or(false)) {
    return text + "Decided again from what is kept: the same.\n";
  }
  return text + out.paint("\033[31m", "Decided again from what is kept it DIFFERS") + ": " +
         member_text(again["verdict"]) + ", " + member_text(again["reason"]) + "\n";
}

Status explain_node(Context& context, const NodeViewOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_node_name(options.name));
  SIGNET_TRY(const OverlayReached at, reach_overlay(context, options));
  SIGNET_TRY(const auto answer, at.api.get(nodes_path(at.mesh, "/" + options.name)));
  const JsonValue node = answer.root();
  const Output& out = context.out;
  std::string text = identity_text(node, out);
  text += "\n" + out.paint(kBoldText, "REPORTS") + "\n" + reports_text(node["reports"]);
  text += "\n" + out.paint(kBoldText, "TREND") + "\n" + trend_text(node, out);
  text += "\n" + out.paint(kBoldText, "DECISION") + "\n" + decision_text(node["decision"], out);
  text.pop_back();
  Fields fields{{"ok", true}};
  const auto add = [&](const char* name) {
    const JsonValue value = node[name];
    fields.push_back({name, value ? Value(Json{std::string(value.raw())}) : Value()});
  };
  for (const char* name : kNodeMembers) add(name);
  for (const char* name : {"rule", "scores", "sparkline"}) add(name);
  context.out.item(text, fields);
  return Done{};
}

// --- export ---

Result<std::string> whole_export(const OverlayReached& at, const std::string& name,
                                 std::size_t& count) {
  wire::JsonWriter json;
  bool begun = false;
  const auto take = [&](const JsonValue& page) {
    if (!begun) {
      json.object();
      for (const char* each : kNodeMembers) {
        if (page[each]) json.key(each).raw(page[each].raw());
      }
      if (page["retention_hours"]) json.key("retention_hours").raw(page["retention_hours"].raw());
      json.key("submissions").array();
      begun = true;
    }
    const JsonValue listed = page["submissions"];
    for (std::size_t i = 0; i < listed.size(); ++i, ++count) json.raw(listed[i].raw());
  };
  SIGNET_TRY([[maybe_unused]] const Done all,
             at.api.each_page(nodes_path(at.mesh, "/" + name + "/export"), take));
  return json.end().end().take() + "\n";
}

Status export_of_node(Context& context, const NodeViewOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_node_name(options.name));
  SIGNET_TRY(const OverlayReached at, reach_overlay(context, options));
  std::size_t count = 0;
  SIGNET_TRY(const std::string text, whole_export(at, options.name, count));
  if (options.file.empty()) {
    context.out.text(text);
    return Done{};
  }
  SIGNET_TRY(GrowingFile file, GrowingFile::create(options.file));
  SIGNET_TRY([[maybe_unused]] const Done written, file.append(text));
  SIGNET_TRY([[maybe_unused]] const Done kept, file.keep());
  context.out.done("Exported " + options.name + " with " + std::to_string(count) +
                       (count == 1 ? " report to " : " reports to ") + options.file + ".",
                   {{"mesh", at.mesh.slug},
                    {"node", options.name},
                    {"file", options.file},
                    {"reports", static_cast<std::int64_t>(count)}});
  return Done{};
}

// --- forget ---

Status forget_node(Context& context, const NodeViewOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_node_name(options.name));
  SIGNET_TRY(const OverlayReached at, reach_overlay(context, options));
  SIGNET_TRY(const bool sure,
             context.confirm("Forget " + options.name +
                             " and all that it ever reported? Nothing brings that back."));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  SIGNET_TRY(const auto answer,
             at.api.post(nodes_path(at.mesh, "/" + options.name + "/forget"), "{}"));
  const std::string standing = member_text(answer.root()["standing"]);
  std::string sentence = options.name + " is forgotten, with all that it reported. ";
  const bool is_out = standing == "revoked" || standing == "quarantined";
  sentence += is_out ? "Its member stays " + standing + ": its key is refused as before."
                     : "Its member stays " + standing + ", and may register it again.";
  context.out.done(sentence, {{"mesh", at.mesh.slug},
                              {"node", options.name},
                              {"member", answer.root()["member"].integer().value_or(0)},
                              {"standing", standing}});
  return Done{};
}

using RunView = Status (*)(Context&, const NodeViewOptions&);

std::shared_ptr<NodeViewOptions> add_view(CommandTree& tree, CLI::App& noun,
                                          const std::string& name, const std::string& description,
                                          RunView run) {
  auto options = std::make_shared<NodeViewOptions>();
  CLI::App& command = tree.command(
      noun, name, description, [options, run](Context& context) { return run(context, *options); });
  if (name != "list") command.add_option("name", options->name, "the node")->required();
  options->reached = add_operator_options(command);
  return options;
}

}  // namespace

void add_node_viewing(CommandTree& tree, CLI::App& noun) {
  add_view(tree, noun, "list", "the nodes of the mesh's overlay, and who is a member", list_nodes);
  add_view(tree, noun, "explain", "why a node is a member or not: inputs, rule, trend",
           explain_node);
  add_examples(*noun.get_subcommand("explain"), {"signet node explain node-a"});
  auto exported = add_view(tree, noun, "export",
                           "everything that is kept of a node, for the person whose it is (JSON)",
                           export_of_node);
  noun.get_subcommand("export")
      ->add_option("--out", exported->file, "where to, mode 0600 (standard output)")
      ->type_name("FILE");
  add_examples(*noun.get_subcommand("export"), {"signet node export node-a --out node-a.json"});
  add_view(tree, noun, "forget", "delete a node and all that it reported; its member stays",
           forget_node);
  add_examples(*noun.get_subcommand("forget"), {"signet node forget node-a --yes"});
}

}  // namespace signet::cli
