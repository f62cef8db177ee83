// signet mcp: the meshes of this person as tools of an agent, over standard input and output.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "apps/version.h"
#include "base/log.h"
#include "signet/commands/commands.h"
#include "signet/mcp/client_mesh.h"
#include "signet/mcp/install.h"
#include "signet/mcp/protocol.h"
#include "signet/mcp/server.h"
#include "signet/mcp/tools.h"

namespace signet::cli {
namespace {

using Meshes = std::vector<std::unique_ptr<mcp::McpMesh>>;

// What the person has said with `signet status set` holds for agents until they say otherwise.
Result<std::unique_ptr<Client>> open(Context& context, const Profile& profile, Handlers handlers) {
  SIGNET_TRY(auto client, open_client(context, profile, std::move(handlers)));
  if (const Status said = say_wishes(*client, profile); !said.ok()) {
    log(LogLevel::kWarn, "mcp.wishes_not_said", {{"why", said.error().detail}});
  }
  return client;
}

Result<Meshes> open_meshes(Context& context) {
  SIGNET_TRY(const Profiles profiles, context.profiles());
  Meshes meshes;
  for (const Profile& profile : profiles.all) {
    if (!context.mesh.empty() && profiles.find(context.mesh) != &profile) continue;
    meshes.push_back(mcp::open_mesh(profile.slug, [&](Handlers handlers) {
      return open(context, profile, std::move(handlers));
    }));
  }
  if (meshes.empty() && !context.mesh.empty()) return profiles.choose(context.mesh).error();
  return meshes;
}

Status serve(Context& context) {
  SIGNET_TRY(const Meshes meshes, open_meshes(context));
  std::vector<mcp::McpMesh*> borrowed;
  for (const auto& mesh : meshes) borrowed.push_back(mesh.get());
  mcp::Tools tools(std::move(borrowed));
  mcp::Protocol protocol({.server_version = kVersion,
                          .instructions = std::string(mcp::Tools::instructions()),
                          .tools = mcp::Tools::definitions(),
                          .tool_names = mcp::Tools::names()});
  if (::isatty(STDIN_FILENO) != 0) {
    context.out.note("an agent's program starts this and writes here; see: signet mcp install");
  }
  mcp::Server server(STDIN_FILENO, STDOUT_FILENO, protocol, tools);
  // A call that still runs uses the clients: the process ends around it. Its leases end with it.
  if (!server.run()) std::_Exit(EXIT_SUCCESS);
  return Done{};
}

// What a program that starts another with few variables must pass on.
std::vector<std::pair<std::string, std::string>> needed_variables() {
  std::vector<std::pair<std::string, std::string>> needed;
  for (const char* name : {"XDG_CONFIG_HOME", "XDG_STATE_HOME"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && value[0] == '/') needed.emplace_back(name, value);
  }
  return needed;
}

std::string own_path() {
  std::array<char, 4'096> path;  // PATH_MAX of Linux
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return size <= 0 ? "signet" : std::string(path.data(), static_cast<std::size_t>(size));
}

Status print_entry(Context& context, const std::string& client) {
  SIGNET_TRY(const auto entry, mcp::install_entry(client, own_path(), needed_variables()));
  context.out.text(entry.text + "\n");
  context.out.note(entry.where);
  return Done{};
}

}  // namespace

void add_mcp(CommandTree& tree) {
  CLI::App& mcp = tree.command(
      "mcp", "serve the joined meshes to an agent as tools (MCP over standard input and output)",
      serve);
  mcp.require_subcommand(0, 1);
  add_examples(mcp, {"signet mcp", "signet mcp --mesh team", "signet mcp install --client cursor"});

  const auto client = std::make_shared<std::string>("claude");
  CLI::App& install =
      tree.command(mcp, "install", "print the entry for the configuration of an agent's program",
                   [client](Context& context) { return print_entry(context, *client); });
  std::string known;
  for (const auto name : mcp::install_clients()) {
    known.append(known.empty() ? "" : ", ").append(name);
  }
  install.add_option("--client", *client, "the program: " + known)->capture_default_str();
  add_examples(install, {"signet mcp install", "signet mcp install --client codex"});
}

}  // namespace signet::cli
