// The policy of a mesh: a file is looked at here, without a broker, by the code that a broker runs;
// what holds at a broker is asked through the operator's API.
#include "trust/policy.h"

#include <algorithm>

#include "config/policy_file.h"
#include "config/shipped_documents.h"
#include "membership/source_secret.h"
#include "signet/commands/commands.h"
#include "signet/commands/operator_members.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

using trust::Policy;
using trust::PolicyActor;
using trust::PolicyDocument;
using trust::PolicyTest;
using wire::JsonValue;

std::string text_of(JsonValue value) { return std::string(value.string().value_or("")); }

Value text_or_null(std::string_view text) {
  return text.empty() ? Value() : Value(std::string(text));
}

// Each line of a policy's failure is a fault; to programs each is an object.
Error tell_faults(Output& out, const std::string& file, const std::string& lines) {
  Table table{"faults", {{"fault", ""}}, {}, false};
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    table.rows.push_back({lines.substr(at, end - at)});
    at = end + 1;
  }
  if (!out.is_for_people()) {
    out.list(table, "", {{"file", file}});
    return told_already();
  }
  for (const auto& row : table.rows) {
    out.item(printable_line(std::get<std::string>(row.front())), {});
  }
  return told_already();
}

// The document of a file. What is wrong with it is told here, as a list.
Result<PolicyDocument> document_of(Output& out, const std::string& file) {
  auto read = config::read_policy_file(file);
  if (read.ok()) return read;
  if (read.error().code == ErrorCode::kNotFound) {
    return failure(ErrorCode::kNotFound, "not_found", read.error().detail);
  }
  return tell_faults(out, file, read.error().detail);
}

Result<std::shared_ptr<const Policy>> policy_of(Output& out, const std::string& file) {
  SIGNET_TRY(PolicyDocument document, document_of(out, file));
  auto policy = Policy::compile_untested(std::move(document));
  if (policy.ok()) return policy;
  return tell_faults(out, file, policy.error().detail);
}

std::int64_t count(std::size_t number) { return static_cast<std::int64_t>(number); }

Status check(Context& context, const std::string& file) {
  SIGNET_TRY(PolicyDocument document, document_of(context.out, file));
  const std::int64_t roles = count(document.roles.size());
  const std::int64_t tests = count(document.tests.size());
  const auto policy = Policy::compile(std::move(document));
  if (!policy.ok()) return tell_faults(context.out, file, policy.error().detail);
  const std::int64_t rules = count((*policy)->rules());
  context.out.done(file + " is good: " + std::to_string(roles) + " role(s), " +
                       std::to_string(rules) + " rule(s), " + std::to_string(tests) +
                       " test(s) that pass.",
                   {{"file", file}, {"roles", roles}, {"rules", rules}, {"tests", tests}});
  return Done{};
}

Status test(Context& context, const std::string& file) {
  SIGNET_TRY(const auto policy, policy_of(context.out, file));
  Table table{"tests",
              {{"line", "LINE"},
               {"name", "TEST"},
               {"roles", "AS"},
               {"action", "ACTION"},
               {"on", "ON"},
               {"expected", "EXPECTED"},
               {"decided", "DECIDED"},
               {"rule", "RULE"},
               {"passed", "PASSED"},
               {"why", "", Show::kNever}},
              {}};
  for (const trust::TestOutcome& outcome : policy->run_tests()) {
    const PolicyTest& each = *outcome.test;
    table.ok = table.ok && outcome.passed;
    table.rows.push_back(
        {std::int64_t{each.at.line}, text_or_null(each.name),
         policy->names_of(policy->actor(each.as).first), std::string(name_of(each.action)),
         text_or_null(each.on), std::string(each.allowed ? "allow" : "deny"),
         std::string(outcome.decision.allowed ? "allow" : "deny"),
         text_or_null(outcome.decision.rule), outcome.passed, text_or_null(outcome.sentence)});
  }
  context.out.list(table, file + " has no tests.", {{"file", file}});
  return table.ok ? Status(Done{}) : Status(told_already());
}

struct ExplainOptions {
  std::vector<std::string> as;
  std::string action, on, file;
  std::vector<std::string> tags;  // these four only with a file: a broker knows them
  std::string member_id, proof;
  bool admin = false;
  std::shared_ptr<OperatorAddress> reached;
};

constexpr std::string_view kRolePrefix = "role:";

bool is_key(std::string_view text) {
  constexpr std::size_t kKeyDigits = 64;
  return text.size() == kKeyDigits &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// The names behind "role:"; empty where somebody else is meant.
Result<std::vector<std::string>> roles_of(const ExplainOptions& options) {
  std::vector<std::string> roles;
  for (const std::string& each : options.as) {
    if (each.starts_with(kRolePrefix)) roles.push_back(each.substr(kRolePrefix.size()));
  }
  if (roles.size() == options.as.size() || (roles.empty() && options.as.size() == 1)) return roles;
  return usage_error("--as is one source, one member, or roles",
                     "Several roles: --as role:member --as role:sensor");
}

struct Explanation {
  bool allowed = false;
  std::string rule;  // empty: none matched
  std::vector<std::string> roles;
  std::vector<std::pair<std::string, std::string>> matched;  // rule and effect
  std::string why;
};

void show(Output& out, const Explanation& given) {
  Table matched{"matched", {{"rule", "RULE"}, {"effect", "EFFECT"}}, {}};
  for (const auto& [rule, effect] : given.matched) matched.rows.push_back({rule, effect});
  const Fields fields{{"allowed", given.allowed},
                      {"rule", text_or_null(given.rule)},
                      {"roles", given.roles, "roles"},
                      {"why", given.why}};
  if (out.format() == Format::kJson) return out.list(matched, "", fields);
  if (!out.is_for_people()) return out.record(fields);
  out.item(printable_line(given.why), {});
  out.record(fields);
  if (!matched.rows.empty()) out.list(matched, "");
}

PolicyActor actor_of(const ExplainOptions& options, const std::vector<std::string>& roles) {
  PolicyActor as;
  for (const std::string& tag : options.tags) as.tags.emplace_back(tag);
  as.proof = trust::proof_from(options.proof);
  as.id = options.member_id;
  as.admin = options.admin;
  if (!roles.empty()) {
    as.roles.emplace(roles.begin(), roles.end());
  } else if (is_key(options.as.front())) {
    as.member = true;
  } else {
    as.source = options.as.front();
    if (!as.proof) as.proof = trust::Proof::kSecret;  // what makes a source more than a claim
  }
  return as;
}

// The document's word for the place that a test is about is of no use on a command line.
Error not_asked_so(const std::string& fault, const std::string& action) {
  const auto of_documents = fault.find(": say on = ");
  if (of_documents == fault.npos) {
    return usage_error(fault, "How it is used: signet policy explain --help");
  }
  return usage_error(fault.substr(0, of_documents),
                     "Say it behind the action, like: " + action +
                         (action == "send" ? " '#ops'" : " plant.7.temp"));
}

Status explain_file(Context& context, const ExplainOptions& options,
                    const std::vector<std::string>& roles) {
  SIGNET_TRY(const auto policy, policy_of(context.out, options.file));
  PolicyTest question;
  question.as = actor_of(options, roles);
  question.action = *trust::action_from(options.action);
  question.on = options.on;
  PolicyDocument asked = policy->document();
  asked.tests = {question};
  if (const auto faults = trust::faults_of(asked); !faults.empty()) {
    return not_asked_so(faults.front().sentence, options.action);
  }
  const auto [set, proof] = policy->actor(question.as);
  const trust::Decision decision = policy->decide(set, proof, question.action, question.on);
  Explanation told{decision.allowed,
                   std::string(decision.rule),
                   policy->names_of(set),
                   {},
                   policy->explanation(set, proof, question.action, question.on)};
  for (const trust::Match& match : policy->matches(set, proof, question.action, question.on)) {
    told.matched.emplace_back(match.rule, name_of(match.effect));
  }
  show(context.out, told);
  return Done{};
}

// `who` is a key or a source, where it is not about roles.
std::string question_of(const ExplainOptions& options, const std::vector<std::string>& roles,
                        const std::string& who) {
  wire::JsonWriter body;
  body.object().key("as").object();
  if (!roles.empty()) {
    body.key("roles").array();
    for (const std::string& role : roles) body.value(role);
    body.end();
  } else {
    body.key(is_key(who) ? "pubkey" : "source").value(who);
  }
  return body.end().key("action").value(options.action).key("on").value(options.on).end().take();
}

// A source goes before a member of that name: its name is the operator's word, a member's is its
// own.
Result<wire::JsonDocument> ask_broker(const OperatorApi& api, const OperatorMesh& mesh,
                                      const ExplainOptions& options,
                                      const std::vector<std::string>& roles) {
  const std::string path = "/meshes/" + mesh.name + "/policy/explain";
  const std::string& who = options.as.front();
  const bool is_certain = !roles.empty() || is_key(who);
  if (is_certain || membership::is_source(who)) {
    auto answer = api.post(path, question_of(options, roles, who));
    const bool is_none = !answer.ok() && answer.error().code == ErrorCode::kNotFound;
    if (is_certain || !is_none) return answer;
  }
  const auto member = find_member(api, mesh, who);
  if (member.ok()) return api.post(path, question_of(options, roles, member->key));
  if (tell(member.error()).code != "no_such_member") return member.error();
  return failure(ErrorCode::kNotFound, "no_such_member",
                 mesh.slug + " has no source and no member " + printable_line(who),
                 "`signet secret list` and `signet member list` show who is there.");
}

std::string sentence_of(bool allowed, const std::string& rule) {
  const std::string decided = allowed ? "allowed" : "denied";
  return rule.empty() ? decided + ": no rule allows it" : decided + " by rule '" + rule + "'";
}

std::vector<std::string> texts_of(JsonValue list) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < list.size(); ++i) texts.push_back(text_of(list[i]));
  return texts;
}

Status explain_at_broker(Context& context, const ExplainOptions& options,
                         const std::vector<std::string>& roles) {
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  SIGNET_TRY(const auto answer, ask_broker(api, mesh, options, roles));
  const JsonValue root = answer.root();
  Explanation told{root["allowed"].boolean().value_or(false),
                   text_of(root["rule"]),
                   texts_of(root["roles"]),
                   {},
                   {}};
  told.why = sentence_of(told.allowed, told.rule);
  const JsonValue matched = root["matched"];
  for (std::size_t i = 0; i < matched.size(); ++i) {
    told.matched.emplace_back(text_of(matched[i]["rule"]), text_of(matched[i]["effect"]));
  }
  show(context.out, told);
  return Done{};
}

Status explain(Context& context, const ExplainOptions& options) {
  SIGNET_TRY(const std::vector<std::string> roles, roles_of(options));
  return options.file.empty() ? explain_at_broker(context, options, roles)
                              : explain_file(context, options, roles);
}

struct ShowOptions {
  std::string mesh;
  bool shipped = false;
  std::shared_ptr<OperatorAddress> reached;
};

void show_text(Output& out, const Fields& fields, const std::string& text) {
  if (out.is_for_people())
    return out.text(printable_text(text, "") + (text.ends_with('\n') ? "" : "\n"));
  out.record(fields);
}

Status show_policy(Context& context, const ShowOptions& options) {
  if (options.shipped) {
    const std::string text(config::kAllowMembersPolicy);
    show_text(context.out, {{"source", "default"}, {"text", text}}, text);
    return Done{};
  }
  if (!options.mesh.empty()) context.mesh = options.mesh;
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  SIGNET_TRY(const auto answer, api.get("/meshes/" + mesh.name + "/policy"));
  const JsonValue root = answer.root();
  const std::string text = text_of(root["text"]);
  const std::string source = text_of(root["source"]);
  const std::string loaded = text_of(root["loaded_at"]);
  if (context.out.is_for_people()) {
    context.out.note("the policy of " + mesh.slug + " (" + source +
                     (loaded.empty() ? ")" : "), since " + loaded));
  }
  show_text(context.out,
            {{"mesh", mesh.slug},
             {"source", source},
             {"loadedAt", text_or_null(loaded)},
             {"rules", root["rules"].integer().value_or(0)},
             {"text", text}},
            text);
  return Done{};
}

bool is_decision_id(std::string_view text) {
  constexpr std::size_t kLongest = 128;
  return !text.empty() && text.size() <= kLongest &&
         text.find_first_not_of(
             "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") ==
             std::string_view::npos;
}

Status show_decision(Context& context, const std::string& id,
                     const std::shared_ptr<OperatorAddress>& reached) {
  if (!is_decision_id(id)) {
    return usage_error(printable_line(id) + " is no id of a decision",
                       "The id is in what the peer was told and in the broker's log.");
  }
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *reached));
  SIGNET_TRY(const auto answer, api.get("/decisions/" + id));
  const JsonValue root = answer.root();
  const bool allowed = root["allowed"].boolean().value_or(false);
  const std::string rule = text_of(root["rule"]);
  if (context.out.is_for_people()) context.out.item(printable_line(sentence_of(allowed, rule)), {});
  context.out.record({{"id", text_of(root["id"])},
                      {"at", text_of(root["at"]), "at"},
                      {"mesh", text_of(root["mesh"]), "mesh"},
                      {"who", text_or_null(text_of(root["who"])), "who"},
                      {"roles", texts_of(root["roles"]), "roles"},
                      {"action", text_of(root["action"]), "action"},
                      {"on", text_or_null(text_of(root["on"])), "on"},
                      {"allowed", allowed},
                      {"rule", text_or_null(rule)},
                      {"code", text_or_null(text_of(root["code"])), "code"}});
  return Done{};
}

void add_file_command(CommandTree& tree, CLI::App& noun, const char* name, const char* what,
                      Status (*run)(Context&, const std::string&)) {
  auto file = std::make_shared<std::string>();
  CLI::App& command =
      tree.command(noun, name, what, [file, run](Context& context) { return run(context, *file); });
  command.add_option("file", *file, "the policy (TOML)")->type_name("FILE")->required();
  add_examples(command, {std::string("signet policy ") + name + " policy.toml"});
}

void add_explain_command(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App& command =
      tree.command(noun, "explain", "would it be allowed, and by which rule?",
                   [options](Context& context) { return explain(context, *options); });
  command
      .add_option("--as", options->as,
                  "a source, a member (its name, id, key or the key's first 8 digits; with --file "
                  "its whole key), or role:NAME (several)")
      ->type_name("WHO")
      ->required()
      ->allow_extra_args(false);
  command.add_option("action", options->action, "what is wanted: `connect`, `publish`, …")
      ->check(CLI::IsMember(trust::action_names()))
      ->required();
  command.add_option("on", options->on, "a topic, or an address of a message");
  CLI::Option* const file =
      command.add_option("--file", options->file, "ask this policy instead of a broker's")
          ->type_name("FILE");
  command.add_option("--tag", options->tags, "with --file: a tag that the member has (several)")
      ->type_name("TAG")
      ->needs(file)
      ->allow_extra_args(false);
  command.add_option("--member-id", options->member_id, "with --file: the id of the member")
      ->type_name("ID")
      ->needs(file);
  command.add_option("--proof", options->proof, "with --file: how well it is proven")
      ->check(CLI::IsMember(trust::proof_names()))
      ->needs(file);
  command.add_flag("--admin", options->admin, "with --file: the member is an admin")->needs(file);
  options->reached = add_operator_options(command);
  add_examples(command, {"signet policy explain --as mirror publish mirror.intent",
                         "signet policy explain --as bob send '#ops'",
                         "signet policy explain --as role:guest send '#ops' --file policy.toml"});
}

void add_show_command(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App& command =
      tree.command(noun, "show", "the policy that holds at the broker",
                   [options](Context& context) { return show_policy(context, *options); });
  command.add_option("mesh", options->mesh, "which (the only one that is joined)");
  command.add_flag("--default", options->shipped,
                   "what holds where a mesh has none of its own; asks nobody");
  options->reached = add_operator_options(command);
}

}  // namespace

void add_policy(CommandTree& tree) {
  CLI::App& noun = tree.noun("policy", "who may do what in a mesh");
  add_file_command(tree, noun, "check", "is this file a policy whose tests pass?", check);
  add_file_command(tree, noun, "test", "run the tests of this file and list them", test);
  add_show_command(tree, noun);
  add_explain_command(tree, noun);
}

void add_explain(CommandTree& tree) {
  auto id = std::make_shared<std::string>();
  auto reached = std::make_shared<std::shared_ptr<OperatorAddress>>();
  CLI::App& command = tree.command(
      "explain", "why a peer was refused: the decision of that id",
      [id, reached](Context& context) { return show_decision(context, *id, *reached); });
  command.add_option("id", *id, "as the peer was told and the log says")->required();
  *reached = add_operator_options(command);
}

}  // namespace signet::cli
