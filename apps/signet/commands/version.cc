#include "apps/version.h"

#include <iostream>

#include "demo/demo.h"
#include "signet/commands/commands.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

Status version(Context& context) {
  context.out.done(std::string("signet ") + kVersion + " (" + kGitSha + ")",
                   {{"version", std::string(kVersion)}, {"gitSha", std::string(kGitSha)}});
  return Done{};
}

Status demo(Context& context, const std::string& invite) {
  const auto shown = show_main_job(invite, std::cout, context.out.has_colour());
  if (shown.ok()) return Done{};
  return failure(shown.error().code, "demo_stopped",
                 "the demonstration stopped: " + tell(shown.error()).message,
                 "Is the broker of this invite running?");
}

}  // namespace

void add_version(CommandTree& tree) { tree.command("version", "print the version", version); }

void add_demo(CommandTree& tree) {
  auto invite = std::make_shared<std::string>();
  tree.command("demo", "two throw-away peers join, send, and receive",
               [invite](Context& context) { return demo(context, *invite); })
      .add_option("invite", *invite, "the invite link (ic://join/…)")
      ->required();
}

}  // namespace signet::cli
