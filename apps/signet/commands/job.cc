#include <fstream>
#include <iostream>
#include <iterator>

#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

using wire::JsonValue;

constexpr std::size_t kMostInput = 60'000;  // what one call of the operator's API takes
constexpr std::int64_t kShown = 100;

struct JobOptions {
  std::string id, user, type, file, state;
  std::int64_t priority = 0;
  std::int64_t limit = kShown;
  std::shared_ptr<OperatorAddress> reached;
};

std::string text_of(JsonValue value) { return std::string(value.string().value_or("")); }

Value time_of(JsonValue value) {
  const auto text = value.string();
  return text ? Value(std::string(*text)) : Value();
}

bool is_job_id(const std::string& id) {
  return !id.empty() && id.size() <= 64 &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

Status check_id(const std::string& id) {
  if (is_job_id(id)) return Done{};
  return usage_error(printable_line(id) + " is no id of a job", "`signet job list` shows them.");
}

struct Reached {
  OperatorMesh mesh;
  OperatorApi api;
};

Result<Reached> reach(Context& context, const JobOptions& options) {
  SIGNET_TRY(OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  return Reached{std::move(mesh), std::move(api)};
}

std::string path_of(const OperatorMesh& mesh, const std::string& rest) {
  return "/meshes/" + mesh.name + "/jobs" + rest;
}

Result<std::string> read_json(const std::string& file) {
  std::ifstream opened;
  if (file != "-") opened.open(file, std::ios::binary);
  std::istream& in = file == "-" ? std::cin : opened;
  if (!in) return failure(ErrorCode::kNotFound, "not_found", file + " cannot be read");
  std::string text;
  for (std::istreambuf_iterator<char> at(in), end; at != end && text.size() <= kMostInput; ++at) {
    text += *at;
  }
  wire::JsonDocument document;
  if (text.size() > kMostInput) {
    return failure(ErrorCode::kMalformed, "too_big", file + " is over 60,000 bytes");
  }
  if (const Status parsed = document.parse(text); !parsed.ok()) {
    return failure(ErrorCode::kMalformed, "not_json", file + ": " + parsed.error().detail);
  }
  return text;
}

// --- submit ---

Status submit(Context& context, const JobOptions& options) {
  SIGNET_TRY(const std::string json, read_json(options.file));
  SIGNET_TRY(const Reached at, reach(context, options));
  wire::JsonWriter body;
  body.object().key("user").value(options.user).key("priority").value(options.priority);
  if (options.type.empty()) {
    body.key("world").raw(json);
  } else {
    body.key("type").value(options.type).key("payload").raw(json);
  }
  SIGNET_TRY(const auto answer, at.api.post(path_of(at.mesh, ""), body.end().take()));
  const JsonValue listed = answer.root()["jobs"];
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < listed.size(); ++i) ids.push_back(text_of(listed[i]));
  std::string sentence = "Queued for " + printable_line(options.user) + ", on disk:";
  for (const std::string& id : ids) sentence += "\n" + id;
  context.out.done(sentence, {{"mesh", at.mesh.slug}, {"user", options.user}, {"jobs", ids}});
  return Done{};
}

// --- list, show ---

Status list(Context& context, const JobOptions& options) {
  if (options.user.find_first_of("&#%+? ") != std::string::npos) {
    return usage_error(printable_line(options.user) + " is no user that can be asked for",
                       "Leave --user out and pick from the list.");
  }
  SIGNET_TRY(const Reached at, reach(context, options));
  std::string query = "?limit=" + std::to_string(options.limit);
  if (!options.state.empty()) query += "&state=" + options.state;
  if (!options.user.empty()) query += "&user=" + options.user;
  SIGNET_TRY(const auto answer, at.api.get(path_of(at.mesh, query)));
  Table table{"jobs",
              {{"id", "ID"},
               {"type", "TYPE"},
               {"user", "USER"},
               {"state", "STATE"},
               {"engine", "ENGINE"},
               {"retries", "RETRIES"},
               {"submitted", "SUBMITTED"},
               {"error", "ERROR"}},
              {}};
  const JsonValue listed = answer.root()["jobs"];
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const JsonValue job = listed[i];
    table.rows.push_back({text_of(job["id"]), text_of(job["type"]), text_of(job["user"]),
                          text_of(job["state"]), text_of(job["engine"]),
                          job["retries"].integer().value_or(0), text_of(job["submitted"]),
                          text_of(job["error"])});
  }
  const bool is_of_all = options.state.empty() && options.user.empty();
  context.out.list(table, (is_of_all ? "No job in " : "No such job in ") + at.mesh.slug + ".",
                   {{"mesh", at.mesh.slug}});
  return Done{};
}

Status show(Context& context, const JobOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_id(options.id));
  SIGNET_TRY(const Reached at, reach(context, options));
  SIGNET_TRY(const auto answer, at.api.get(path_of(at.mesh, "/" + options.id)));
  const JsonValue job = answer.root();
  const Fields fields{{"id", text_of(job["id"])},
                      {"type", text_of(job["type"])},
                      {"user", text_of(job["user"])},
                      {"state", text_of(job["state"])},
                      {"engine", text_of(job["engine"])},
                      {"lease", job["fence"].integer().value_or(0)},
                      {"retries", job["retries"].integer().value_or(0)},
                      {"error", text_of(job["error"])},
                      {"submitted", time_of(job["submitted"])},
                      {"dispatched", time_of(job["dispatched"])},
                      {"started", time_of(job["started"])},
                      {"completed", time_of(job["completed"])},
                      {"payload", std::string(job["payload"].raw())},
                      {"progress", std::string(job["progress"].raw())},
                      {"result", std::string(job["result"].raw())}};
  std::string sentence;
  for (const auto& name : {"id", "type", "user", "state", "engine", "error"}) {
    const std::string value = text_of(job[name]);
    if (!value.empty()) sentence += std::string(name) + "  " + printable_line(value) + "\n";
  }
  sentence += "payload  " + printable_line(std::string(job["payload"].raw()));
  sentence += "\nresult  " + printable_line(std::string(job["result"].raw()));
  context.out.done(sentence, fields);
  return Done{};
}

// --- cancel, retry ---

Status change(Context& context, const JobOptions& options, const std::string& verb,
              const std::string& question, const std::string& done) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_id(options.id));
  SIGNET_TRY(const Reached at, reach(context, options));
  SIGNET_TRY(const bool sure, context.confirm(question));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  SIGNET_TRY(const auto answer, at.api.post(path_of(at.mesh, "/" + options.id + "/" + verb), "{}"));
  context.out.done(
      done + " It is " + text_of(answer.root()["state"]) + " now.",
      {{"mesh", at.mesh.slug}, {"id", options.id}, {"state", text_of(answer.root()["state"])}});
  return Done{};
}

Status cancel(Context& context, const JobOptions& options) {
  return change(context, options, "cancel",
                "Cancel " + options.id + "? What its engine does for it counts no more.",
                "No engine has " + options.id + " any more.");
}

Status retry(Context& context, const JobOptions& options) {
  return change(context, options, "retry", "Put " + options.id + " into the queue again?",
                options.id + " begins anew, under a new lease.");
}

// --- engines ---

Status list_engines(Context& context, const JobOptions& options) {
  SIGNET_TRY(const Reached at, reach(context, options));
  SIGNET_TRY(const auto answer, at.api.get("/meshes/" + at.mesh.name + "/engines"));
  Table table{"engines",
              {{"engine", "ENGINE"}, {"ready", "READY"}, {"heard", "HEARD"}, {"jobs", "JOBS"}},
              {}};
  const JsonValue listed = answer.root()["engines"];
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const JsonValue engine = listed[i];
    std::vector<std::string> jobs;
    for (std::size_t j = 0; j < engine["jobs"].size(); ++j) {
      jobs.push_back(text_of(engine["jobs"][j]));
    }
    table.rows.push_back({text_of(engine["engine"]), engine["ready"].boolean().value_or(false),
                          text_of(engine["heard"]), jobs});
  }
  context.out.list(table, "No engine of " + at.mesh.slug + " is connected.",
                   {{"mesh", at.mesh.slug}});
  return Done{};
}

using Run = Status (*)(Context&, const JobOptions&);

std::shared_ptr<JobOptions> add_command(CommandTree& tree, CLI::App& noun, const std::string& name,
                                        const std::string& description, Run run, bool of_one) {
  auto options = std::make_shared<JobOptions>();
  CLI::App& command = tree.command(
      noun, name, description, [options, run](Context& context) { return run(context, *options); });
  if (of_one) command.add_option("id", options->id, "the job")->required();
  options->reached = add_operator_options(command);
  return options;
}

}  // namespace

void add_job(CommandTree& tree) {
  CLI::App& noun = tree.noun("job", "work that engines do for users");

  auto submitted =
      add_command(tree, noun, "submit", "queue a world's jobs, or one job", submit, false);
  CLI::App& submitting = *noun.get_subcommand("submit");
  submitting
      .add_option("file", submitted->file,
                  "a world as JSON, or with --type a payload; -: standard input")
      ->required();
  submitting.add_option("--user", submitted->user, "for whom")->required()->type_name("USER");
  submitting.add_option("--type", submitted->type, "one job of this type")->type_name("TYPE");
  submitting.add_option("--priority", submitted->priority, "higher goes first")
      ->type_name("NUMBER")
      ->capture_default_str();
  add_examples(submitting,
               {"signet job submit world.json --user ann",
                "echo '{\"assets\":[]}' | signet job submit - --type LOAD_ASSETS --user ann"});

  auto listed = add_command(tree, noun, "list", "jobs, the newest first", list, false);
  CLI::App& listing = *noun.get_subcommand("list");
  listing.add_option("--state", listed->state, "only those that are so")
      ->check(CLI::IsMember({"queued", "dispatched", "running", "completed", "failed"}));
  listing.add_option("--user", listed->user, "only those of this user")->type_name("USER");
  listing.add_option("--limit", listed->limit, "how many at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  add_examples(listing, {"signet job list --state failed"});

  add_command(tree, noun, "show", "one job, with its payload and result", show, true);
  add_command(tree, noun, "cancel", "end a job that is not done", cancel, true);
  add_examples(*noun.get_subcommand("cancel"), {"signet job cancel job_0123 --yes"});
  add_command(tree, noun, "retry", "begin a failed job anew", retry, true);

  CLI::App& engines = tree.noun("engine", "who does the jobs");
  add_command(tree, engines, "list", "the engines that are connected, and what they work on",
              list_engines, false);
}

}  // namespace signet::cli
