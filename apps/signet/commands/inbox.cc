#include <algorithm>
#include <iterator>
#include <thread>

#include "base/time.h"
#include "signet/commands/commands.h"
#include "signet/commands/options.h"
#include "signet/terminal/message_view.h"
#include "signet/terminal/progress.h"

namespace signet::cli {
namespace {

// The broker pushes what waits right behind the hello: silence for this long means that was all.
constexpr std::chrono::milliseconds kSettled{400};
constexpr std::chrono::milliseconds kConnectFor{5'000};

struct InboxOptions {
  bool peek = false, all = false;
  std::size_t most = 100;
};

// Waits until the broker has handed over what waits there. False: it could not be reached.
bool fetch(Client& client, const Profile& profile) {
  const Progress progress("fetching from " + profile.broker_url);
  return client.wait_connected(kConnectFor).ok();
}

Result<std::vector<Message>> read_all(Client& client, std::size_t most, bool is_connected) {
  std::vector<Message> messages;
  for (;;) {
    const auto patience = is_connected ? kSettled : std::chrono::milliseconds(0);
    SIGNET_TRY(std::vector<Message> some, client.read(most - messages.size(), patience));
    if (some.empty()) return messages;
    std::move(some.begin(), some.end(), std::back_inserter(messages));
    if (messages.size() >= most) return messages;
  }
}

// Without leasing: as many as there are when nothing more comes.
Result<std::vector<Message>> look_at_all(Client& client, std::size_t most, bool is_connected) {
  std::size_t before = 0;
  for (;;) {
    if (is_connected) std::this_thread::sleep_for(kSettled);
    SIGNET_TRY(std::vector<Message> messages, client.unread(most));
    if (!is_connected || messages.size() == before) return messages;
    before = messages.size();
  }
}

std::vector<std::string> ids_of(const std::vector<Message>& messages) {
  std::vector<std::string> ids;
  ids.reserve(messages.size());
  for (const Message& message : messages) ids.push_back(message.id);
  return ids;
}

void show(Context& context, const Profile& profile, const std::vector<Message>& messages,
          bool is_connected) {
  if (context.out.is_for_people()) {
    for (const Message& message : messages)
      context.out.item(message_text(message, context.out), {});
    if (messages.empty()) context.out.text("Nothing new.\n");
    return;
  }
  Table table{"messages", message_columns(), {}};
  for (const Message& message : messages) table.rows.push_back(message_row(message, profile.slug));
  context.out.list(table, "", {{"mesh", profile.slug}, {"connected", is_connected}});
}

// What was read before, oldest first, in front of what is new.
Status add_history(Client& client, std::size_t most, std::vector<Message>& messages) {
  SIGNET_TRY(std::vector<Message> history, client.history(most));
  std::reverse(history.begin(), history.end());
  messages.insert(messages.begin(), history.begin(), history.end());
  return Done{};
}

Status inbox(Context& context, const InboxOptions& options) {
  SIGNET_TRY(const Profile profile, context.profile());
  SIGNET_TRY(auto client, open_client(context, profile));
  const bool is_connected = fetch(*client, profile);
  SIGNET_TRY(std::vector<Message> messages, options.peek
                                                ? look_at_all(*client, options.most, is_connected)
                                                : read_all(*client, options.most, is_connected));
  const std::vector<std::string> fresh = ids_of(messages);
  if (options.all) {
    SIGNET_TRY([[maybe_unused]] const Done added, add_history(*client, options.most, messages));
  }
  const ConnectionReport connection = client->connection();
  if (messages.empty() && !is_connected) {
    const bool is_final = connection.state == ConnectionReport::State::kStopped;
    return Error{
        is_final ? ErrorCode::kUnauthorized : ErrorCode::kUnavailable,
        connection.why.empty() ? "unavailable: the broker did not answer in time" : connection.why};
  }
  if (!is_connected) {
    context.out.note("the broker can't be reached: this is what is here already");
  }
  show(context, profile, messages, is_connected);
  if (options.peek) return Done{};
  return context.out.is_delivered() ? client->confirm(fresh) : client->give_back(fresh);
}

}  // namespace

void add_inbox(CommandTree& tree) {
  auto options = std::make_shared<InboxOptions>();
  CLI::App& command =
      tree.command("inbox", "fetch and show what is unread; it is then read",
                   [options](Context& context) { return inbox(context, *options); });
  command.add_flag("--peek", options->peek, "leave it unread");
  command.add_flag("--all", options->all, "what was read before, too");
  command.add_option("--most", options->most, "at most so many messages")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{500}))
      ->capture_default_str();
  add_examples(command, {"signet inbox", "signet inbox --peek -o json"});
}

}  // namespace signet::cli
