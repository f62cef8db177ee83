#include <algorithm>

#include "base/time.h"
#include "signet/commands/commands.h"
#include "signet/commands/options.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"
#include "signet/terminal/message_view.h"

namespace signet::cli {
namespace {

constexpr std::size_t kBatch = 32;
constexpr std::chrono::milliseconds kLook{250};  // how late an interrupt may be seen

struct ListenOptions {
  std::int64_t count = 0;
  double timeout = 0;
};

// What happens to the connection is for people, on standard error.
void tell_connection(const Output& out, const Profile& profile, const ConnectionReport& report) {
  switch (report.state) {
    case ConnectionReport::State::kConnecting:
      return;
    case ConnectionReport::State::kConnected:
      return out.note("connected to " + profile.broker_url + " (" + profile.slug + ")");
    case ConnectionReport::State::kWaiting:
      return out.note("not connected: " + tell({ErrorCode::kUnavailable, report.why}).message +
                      "; trying again");
    case ConnectionReport::State::kStopped:
      return;  // the command ends with it
  }
}

void tell_change(const Output& out, const KeyChange& change) {
  out.note("WARNING: " + change.name + " shows up with another key, " + change.seen_key +
           ", and not with the one you know, " + change.pinned_key +
           ". Ask them over another way before you believe it: signet peers verify " + change.name);
}

Handlers handlers_for(const Context& context, const Profile& profile) {
  const Output out = context.out;
  Handlers handlers;
  handlers.on_connection = [out, profile](const ConnectionReport& report) {
    tell_connection(out, profile, report);
  };
  handlers.on_key_change = [out](const KeyChange& change) { tell_change(out, change); };
  return handlers;
}

// Shown, then confirmed: what was not shown stays unread.
Result<std::size_t> show_some(Context& context, Client& client, const Profile& profile,
                              std::size_t most) {
  SIGNET_TRY(const std::vector<Message> messages, client.read(most, kLook));
  std::size_t shown = 0;
  for (const Message& message : messages) {
    context.out.item(message_text(message, context.out), message_fields(message, profile.slug));
    if (!context.out.is_delivered()) break;
    SIGNET_TRY([[maybe_unused]] const Done confirmed, client.confirm({message.id}));
    ++shown;
  }
  if (shown == messages.size()) return shown;
  std::vector<std::string> rest;
  for (std::size_t i = shown; i < messages.size(); ++i) rest.push_back(messages[i].id);
  SIGNET_TRY([[maybe_unused]] const Done returned, client.give_back(rest));
  return failure(ErrorCode::kUnavailable, "output_closed",
                 "nobody reads the output any more; what was not shown stays unread");
}

// Says again what `signet status set` and `signet summary set` change while this session lasts.
class Wishes {
 public:
  explicit Wishes(const Profile& profile) : said_(profile) {}

  void follow(const Context& context, Client& client) {
    constexpr std::chrono::seconds kLookAgain{1};
    const Elapsed now = system_clock().elapsed();
    if (now - looked_ < kLookAgain) return;
    looked_ = now;
    // A configuration that can't be read just now changes nothing here.
    const auto profiles = Profiles::load(context.paths);
    const Profile* found = profiles.ok() ? profiles->find(said_.mesh_id) : nullptr;
    if (found == nullptr) return;
    const bool is_same = found->status == said_.status && found->summary == said_.summary;
    if (!is_same && say_wishes(client, *found).ok()) said_ = *found;
  }

 private:
  Profile said_;
  Elapsed looked_ = system_clock().elapsed();
};

Error stopped(const ConnectionReport& report) { return {ErrorCode::kUnauthorized, report.why}; }

Status listen(Context& context, const ListenOptions& options) {
  SIGNET_TRY(const Profile profile, context.profile());
  catch_interrupts();
  SIGNET_TRY(auto client, open_client(context, profile, handlers_for(context, profile)));
  SIGNET_TRY([[maybe_unused]] const Done said, say_wishes(*client, profile));
  Wishes wishes(profile);
  const Elapsed start = system_clock().elapsed();
  std::int64_t left = options.count;
  bool was_connected = false;
  while (!is_interrupted()) {
    const auto most = left > 0 ? std::min(kBatch, static_cast<std::size_t>(left)) : kBatch;
    SIGNET_TRY(const std::size_t shown, show_some(context, *client, profile, most));
    wishes.follow(context, *client);
    if (options.count > 0 && (left -= static_cast<std::int64_t>(shown)) <= 0) return Done{};
    const ConnectionReport report = client->connection();
    was_connected = was_connected || report.state == ConnectionReport::State::kConnected;
    if (report.state == ConnectionReport::State::kStopped) return stopped(report);
    const bool is_over =
        options.timeout > 0 && system_clock().elapsed() - start >= milliseconds_of(options.timeout);
    if (!is_over) continue;
    if (!was_connected) {
      return failure(ErrorCode::kUnavailable, "unavailable", "the broker was not reached in time");
    }
    if (options.count == 0) return Done{};
    return failure(ErrorCode::kOverloaded, "timeout",
                   std::to_string(options.count - left) + " of " + std::to_string(options.count) +
                       " message(s) came in time");
  }
  return Done{};
}

}  // namespace

void add_listen(CommandTree& tree) {
  auto options = std::make_shared<ListenOptions>();
  CLI::App& command =
      tree.command("listen", "show messages as they come, until Ctrl-C; each is then read",
                   [options](Context& context) { return listen(context, *options); });
  command.add_option("--count", options->count, "end after so many messages")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  add_seconds(command, "--timeout", options->timeout, "end after this time; 0 is never");
  add_examples(command, {"signet listen", "signet listen -o jsonl --count 1"});
}

}  // namespace signet::cli
