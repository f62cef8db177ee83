// signetd: the broker. `signetd run` is the real thing, `signetd dev` a broker to try things with.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "apps/version.h"
#include "crypto/random.h"
#include "signetd/commands.h"
#include "signetd/serve.h"

namespace {

constexpr int kUsage = 2;

// What every command that loads a configuration takes.
struct ConfigFlags {
  std::string file;
  std::string data;
  std::vector<std::string> listen;
  std::string shards;
  std::vector<std::string> set;

  void add_to(CLI::App& command) {
    command.add_option("--config", file, "TOML file with settings")->check(CLI::ExistingFile);
    command.add_option("--listen", listen, "HOST:PORT to serve (repeatable; port 0: a free one)");
    command.add_option("--data", data, "directory of the durable state");
    command.add_option("--shards", shards, "threads that serve connections (0: by cores)");
    command.add_option("--set", set, "SECTION.KEY=VALUE of any setting (repeatable)");
  }

  // False, with a sentence on standard error, when a --set is none.
  bool to_sources(signet::config::Sources& sources) const {
    sources.file = file;
    signet::config::take_process_environment(sources);
    if (!data.empty()) sources.flags.push_back({"server.data", data, "--data"});
    if (!shards.empty()) sources.flags.push_back({"server.shards", shards, "--shards"});
    for (const auto& each : listen) sources.flags.push_back({"server.listen", each, "--listen"});
    for (const auto& each : set) {
      const auto flag = signet::config::parse_set(each);
      if (!flag.ok()) {
        std::cerr << "signetd: " << flag.error().detail << "\n";
        return false;
      }
      sources.flags.push_back(*flag);
    }
    return true;
  }
};

// Help and version are asked for; the rest is a mistake, and said as `signet` says it.
int on_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);
  const auto chosen = app.get_subcommands();
  const CLI::App& at = chosen.empty() ? app : *chosen.front();
  const std::vector<std::string> rest = at.remaining();
  const bool is_unknown = chosen.empty() && !rest.empty() && !rest.front().starts_with('-');
  const std::string what = is_unknown                       ? "no command is called " + rest.front()
                           : chosen.empty() && rest.empty() ? "say a command: run, dev or config"
                                                            : error.what();
  const std::string path = chosen.empty() ? "signetd" : "signetd " + at.get_name();
  std::cerr << "signetd: " << what << "\n  How it is used: " << path << " --help\n";
  return kUsage;
}

int run(int argc, char** argv) {
  CLI::App app("signetd: a zero-trust real-time broker");
  app.set_version_flag("--version",
                       std::string("signetd ") + signet::kVersion + " (" + signet::kGitSha + ")");
  app.require_subcommand(1);

  ConfigFlags flags;
  auto* serve = app.add_subcommand("run", "serve by a configuration file");
  flags.add_to(*serve);

  signet::DevOptions dev;
  auto* development = app.add_subcommand("dev", "serve a throw-away mesh on this machine");
  flags.add_to(*development);
  development->add_option("--mesh", dev.slug, "the mesh's name")->capture_default_str();
  development->add_flag("--ready-json", dev.ready_json, "print one JSON line once it listens");
  development->add_flag("--show", dev.show, "show the main job once");

  std::string what;
  bool dev_profile = false;
  auto* config = app.add_subcommand("config", "check, show, doc or env");
  config->add_option("what", what)
      ->required()
      ->check(CLI::IsMember({"check", "show", "doc", "env"}));
  config->add_flag("--dev", dev_profile, "with the defaults of `signetd dev`");
  flags.add_to(*config);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return on_parse_error(app, error);
  }
  signet::config::Sources sources;
  if (!flags.to_sources(sources)) return kUsage;
  if (development->parsed() || dev_profile) sources.profile = signet::config::Profile::kDev;
  if (serve->parsed()) return signet::run_daemon(sources);
  if (config->parsed()) return signet::run_config(sources, what);
  dev.sources = std::move(sources);
  return signet::run_dev(std::move(dev));
}

}  // namespace

int main(int argc, char** argv) {
  if (!signet::crypto::initialize()) {
    std::cerr << "signetd: the system gives no random numbers\n";
    return EXIT_FAILURE;
  }
  signet::guard_memory();
  signet::keep_memory();
  return run(argc, argv);
}
