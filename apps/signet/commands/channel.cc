#include "signet/commands/commands.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

Status list(Context& context) {
  SIGNET_TRY(const Profile profile, context.profile());
  SIGNET_TRY(auto client, connect_client(context, profile));
  SIGNET_TRY(const std::vector<Channel> channels, client->channels(kAnswerTimeout));
  Table table{
      "channels", {{"name", "CHANNEL"}, {"members", "MEMBERS"}, {"joined", "YOU ARE IN IT"}}, {}};
  for (const Channel& each : channels) table.rows.push_back({each.name, each.members, each.joined});
  context.out.list(table, "Nobody is in any channel.", {{"mesh", profile.slug}});
  return Done{};
}

using Change = Status (Client::*)(std::string_view, std::chrono::milliseconds);

// A channel may be said with its mesh, as a target of a send.
Status change(Context& context, const std::string& channel, Change how, const std::string& did) {
  SIGNET_TRY(const Profiles profiles, context.profiles());
  const auto mark = channel.find(":#");
  const std::string mesh = mark == std::string::npos ? context.mesh : channel.substr(0, mark);
  const std::string name = mark == std::string::npos ? channel : channel.substr(mark + 1);
  SIGNET_TRY(const Profile profile, profiles.choose(mesh));
  SIGNET_TRY(auto client, connect_client(context, profile));
  SIGNET_TRY([[maybe_unused]] const Done changed, ((*client).*how)(name, kAnswerTimeout));
  const std::string shown = name.starts_with('#') ? name : "#" + name;
  context.out.done(did + " " + printable_line(shown) + " of " + profile.slug + ".",
                   {{"mesh", profile.slug}, {"name", shown}});
  return Done{};
}

}  // namespace

void add_channel(CommandTree& tree) {
  CLI::App& noun = tree.noun("channel", "groups that members join and leave");
  auto joined = std::make_shared<std::string>();
  CLI::App& joining =
      tree.command(noun, "join", "be one of those whom #NAME reaches", [joined](Context& context) {
        return change(context, *joined, &Client::join_channel, "Joined");
      });
  joining.add_option("name", *joined, "the channel, with or without its #")->required();
  add_examples(joining, {"signet channel join ops", "signet send '#ops' 'hello, all'"});
  auto left = std::make_shared<std::string>();
  tree.command(noun, "leave", "be none of them any more",
               [left](Context& context) {
                 return change(context, *left, &Client::leave_channel, "Left");
               })
      .add_option("name", *left, "the channel, with or without its #")
      ->required();
  tree.command(noun, "list", "the channels of the mesh", list);
}

}  // namespace signet::cli
