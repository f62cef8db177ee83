// signet: the command line. The commands for people and agents come with the client library; this
// much is here so that a running broker can be tried from another terminal.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "apps/version.h"
#include "crypto/random.h"
#include "demo/demo.h"

namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

int show(const std::string& invite) {
  const auto shown = signet::show_main_job(invite, std::cout, isatty(STDOUT_FILENO) != 0);
  if (shown.ok()) return EXIT_SUCCESS;
  std::cerr << "signet: the demonstration stopped: " << shown.error().detail
            << "\nIs the broker of this invite running?\n";
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  if (!signet::crypto::initialize()) {
    std::cerr << "signet: the system gives no random numbers\n";
    return kFailed;
  }
  CLI::App app("signet: try a Signet broker");
  app.set_version_flag("--version",
                       std::string("signet ") + signet::kVersion + " (" + signet::kGitSha + ")");
  app.require_subcommand(1);
  std::string invite;
  auto* demo = app.add_subcommand("demo", "two throw-away peers join, send, and receive");
  demo->add_option("invite", invite, "the invite link (ic://join/…)")->required();
  app.add_subcommand("version", "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? EXIT_SUCCESS : kUsage;
  }
  if (demo->parsed()) return show(invite);
  std::cout << "signet " << signet::kVersion << " (" << signet::kGitSha << ")\n";
  return EXIT_SUCCESS;
}
