// signet: the command line. What it can do is the list of `add_…` below, one file each
// (command_NOUN.cc); docs/commands.md is printed by `signet reference`.
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "apps/version.h"
#include "crypto/random.h"
#include "signet/commands/commands.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

void add_commands(CommandTree& tree) {
  add_keygen(tree);
  add_mesh(tree);
  add_invite(tree);
  add_join(tree);
  add_send(tree);
  add_listen(tree);
  add_inbox(tree);
  add_peers(tree);
  add_status(tree);
  add_member(tree);
  add_secret(tree);
  add_token(tree);
  add_channel(tree);
  add_topic(tree);
  add_dead(tree);
  add_job(tree);
  add_audit(tree);
  add_node(tree);
  add_epoch(tree);
  add_revoke_together(tree);
  add_policy(tree);
  add_explain(tree);
  add_mcp(tree);
  add_relay(tree);
  add_bench(tree);
  add_doctor(tree);
  add_completion(tree);
  add_reference(tree);
  add_version(tree);
  add_demo(tree);
}

struct GlobalOptions {
  std::string output = "table";
};

void add_global_options(CommandTree& tree, GlobalOptions& global, Context& context) {
  CLI::App& root = tree.root();
  root.set_version_flag("--version", std::string("signet ") + kVersion + " (" + kGitSha + ")",
                        "print the version");
  root.add_option("-o,--output", global.output, "table for people; json or jsonl for programs")
      ->check(CLI::IsMember({"table", "json", "jsonl"}))
      ->capture_default_str();
  root.add_option("--mesh", context.mesh, "which of the joined meshes")->type_name("SLUG");
  root.add_flag("-y,--yes", context.yes, "go on where a person would be asked");
  root.add_option("--ca-file", context.trust.ca_file, "authorities of a broker behind TLS (PEM)")
      ->type_name("FILE")
      ->envname("SIGNET_CA_FILE");
  root.add_flag("--allow-tls12", context.trust.allow_tls12, "speak TLS 1.2, too, not only 1.3");
}

// The format that was asked for, also where the rest of the line could not be read.
std::string wanted_format(int argc, char** argv) {
  std::string format = "table";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    if ((word == "-o" || word == "--output") && i + 1 < argc) format = argv[i + 1];
    if (word.starts_with("--output=")) format = word.substr(9);
    if (word.starts_with("-o") && word.size() > 2) format = word.substr(2);
  }
  return format;
}

Output output_for(std::string_view format) {
  if (format == "json") return Output(Format::kJson, false);
  if (format == "jsonl") return Output(Format::kJsonl, false);
  return Output(Format::kTable, wants_colour());
}

int fail(Output& out, const Error& error) {
  if (is_told_already(error)) return kExitFailed;
  const Told told = tell(error);
  out.fail(told);
  return told.exit;
}

// Help and version are asked for; the rest is a mistake.
int on_parse_error(const CLI::App& root, const CLI::ParseError& error, Output& out) {
  if (error.get_exit_code() == 0) return root.exit(error);
  const CLI::App* app = &root;
  std::string path = "signet";
  for (auto inner = app->get_subcommands(); !inner.empty(); inner = app->get_subcommands()) {
    app = inner.front();
    path += " " + app->get_name();
  }
  // What is in the place of a command and is none is what there is to say.
  const std::vector<std::string> rest = app->remaining();
  const bool is_unknown =
      !rest.empty() && !rest.front().starts_with('-') && app->get_require_subcommand_min() > 0;
  const std::string what = is_unknown ? "no command is called " + rest.front() : error.what();
  return fail(out, usage_error(what, "How it is used: " + path + " --help"));
}

// The words of another program's line are its own, whatever they begin with: what follows this
// option is read as if it stood behind `--`.
std::vector<char*> with_suite_apart(int argc, char** argv) {
  static std::string apart = "--";
  std::vector<char*> words(argv, argv + argc);
  const auto is = [](const char* wanted) {
    return [wanted](const char* word) { return std::string_view(word) == wanted; };
  };
  const auto end = std::find_if(words.begin(), words.end(), is("--"));
  const auto suite = std::find_if(words.begin(), end, is("--suite-command"));
  if (suite != end && suite + 1 != end) words.insert(suite + 1, apart.data());
  return words;
}

int run(int argc, char** given) {
  std::vector<char*> words = with_suite_apart(argc, given);
  char** argv = words.data();
  argc = static_cast<int>(words.size());
  Context context;
  GlobalOptions global;
  CommandTree tree;
  context.out = output_for(wanted_format(argc, argv));
  add_commands(tree);
  add_global_options(tree, global, context);
  try {
    tree.root().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return on_parse_error(tree.root(), error, context.out);
  }
  auto paths = Paths::from_environment();
  if (!paths.ok()) return fail(context.out, paths.error());
  context.paths = *std::move(paths);
  const Run* command = tree.chosen();
  if (command == nullptr) return fail(context.out, usage_error("say a command", "signet --help"));
  const Status done = (*command)(context);
  if (!done.ok()) return fail(context.out, done.error());
  return context.out.is_delivered() ? kExitOk : kExitFailed;
}

}  // namespace
}  // namespace signet::cli

int main(int argc, char** argv) {
  (void)prctl(PR_SET_DUMPABLE, 0);  // keys are in this memory: no core dumps
  (void)std::signal(SIGPIPE, SIG_IGN);
  // Who was started with it ignored, as some supervisors do, would never see how a child ended.
  (void)std::signal(SIGCHLD, SIG_DFL);
  if (!signet::crypto::initialize()) {
    std::cerr << "signet: the system gives no random numbers\n";
    return signet::cli::kExitFailed;
  }
  return signet::cli::run(argc, argv);
}
