#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <iterator>
#include <mutex>

#include "base/time.h"
#include "routing/pattern.h"
#include "signet/commands/commands.h"
#include "signet/commands/options.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"
#include "signet/terminal/pulse_view.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::chrono::milliseconds kLook{250};  // how late an interrupt may be seen
constexpr std::size_t kMaxInput = 65'536;        // more is no pulse

// --- pub ---

struct PubOptions {
  std::string topic, json;
};

std::string read_input() {
  std::string text;
  for (std::istreambuf_iterator<char> at(std::cin), end; at != end && text.size() <= kMaxInput;
       ++at) {
    text += *at;
  }
  return text;
}

Status publish(Context& context, const PubOptions& options) {
  SIGNET_TRY(const Profile profile, context.profile());
  const std::string json = options.json == "-" ? read_input() : options.json;
  SIGNET_TRY(auto client, connect_client(context, profile));
  SIGNET_TRY(const std::uint64_t number, client->publish(options.topic, json, kAnswerTimeout));
  context.out.done("Published on " + printable_line(options.topic) + " of " + profile.slug +
                       ": number " + std::to_string(number) + ".",
                   {{"mesh", profile.slug},
                    {"topic", options.topic},
                    {"number", static_cast<std::int64_t>(number)}});
  return Done{};
}

// --- sub ---

struct SubOptions {
  std::vector<std::string> patterns;
  std::int64_t count = 0, since = -1;
  double timeout = 0;
};

// What the client's thread shows and the command waits for.
class Show {
 public:
  Show(Output& out, std::int64_t count) : out_(out), left_(count), is_counted_(count > 0) {}

  void pulse(const Pulse& pulse) {
    const std::lock_guard lock(mutex_);
    if (is_over()) return;
    if (const std::string loss = loss_before(pulse); !loss.empty()) out_.note(loss);
    out_.item(pulse_line(pulse, out_), pulse_fields(pulse));
    if (is_counted_) --left_;
    changed_.notify_all();
  }
  void connection(const ConnectionReport& report, const Profile& profile) {
    using State = ConnectionReport::State;
    if (report.state == State::kConnected) out_.note("connected to " + profile.broker_url);
    if (report.state != State::kWaiting) return;
    out_.note("not connected: " + tell({ErrorCode::kUnavailable, report.why}).message +
              "; trying again");
  }

  // Whether it is over.
  bool wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook, [this] { return is_over(); });
    return is_over();
  }
  std::int64_t left() {
    const std::lock_guard lock(mutex_);
    return left_;
  }

 private:
  bool is_over() const { return (is_counted_ && left_ <= 0) || !out_.is_delivered(); }

  Output& out_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t left_;
  const bool is_counted_;
};

Handlers handlers_for(Show& show, const Output& out, const Profile& profile) {
  Handlers handlers;
  handlers.on_connection = [&show, profile](const ConnectionReport& report) {
    show.connection(report, profile);
  };
  handlers.on_unsubscribed = [out](const std::string& pattern, const Error& why) {
    out.note("WARNING: nothing of " + printable_line(pattern) +
             " comes any more: " + tell(why).message);
  };
  return handlers;
}

// Which of the patterns a pulse is shown for: the first that names its topic, or the first of all
// where the mesh's routes brought it.
std::size_t place_of(const std::vector<routing::Pattern>& patterns, const std::string& topic) {
  const auto found = std::find_if(patterns.begin(), patterns.end(),
                                  [&](const auto& each) { return each.matches(topic); });
  return found == patterns.end() ? 0 : static_cast<std::size_t>(found - patterns.begin());
}

Result<std::vector<routing::Pattern>> patterns_of(const std::vector<std::string>& texts) {
  std::vector<routing::Pattern> patterns;
  for (const std::string& text : texts) {
    auto pattern = routing::Pattern::parse(text);
    if (!pattern.ok()) {
      return failure(ErrorCode::kMalformed, "bad_topic", text + ": " + pattern.error().detail);
    }
    patterns.push_back(*std::move(pattern));
  }
  return patterns;
}

Result<std::vector<Subscription>> subscribe(Client& client, const SubOptions& options, Show& show) {
  SIGNET_TRY(const auto patterns, patterns_of(options.patterns));
  std::optional<std::uint64_t> after;
  if (options.since >= 0) after = static_cast<std::uint64_t>(options.since);
  std::vector<Subscription> subscriptions;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const auto handler = [&show, patterns, i](const Pulse& pulse) {
      if (place_of(patterns, pulse.topic) == i) show.pulse(pulse);
    };
    SIGNET_TRY(auto subscription,
               client.subscribe(patterns[i].text(), handler, kAnswerTimeout, after));
    subscriptions.push_back(std::move(subscription));
  }
  return subscriptions;
}

Status wait_for_the_end(Client& client, const SubOptions& options, Show& show) {
  const Elapsed start = system_clock().elapsed();
  while (!is_interrupted() && !show.wait()) {
    const ConnectionReport report = client.connection();
    if (report.state == ConnectionReport::State::kStopped) {
      return Error{ErrorCode::kUnauthorized, report.why};
    }
    const bool is_late =
        options.timeout > 0 && system_clock().elapsed() - start >= milliseconds_of(options.timeout);
    if (!is_late) continue;
    if (options.count == 0) return Done{};
    return failure(ErrorCode::kOverloaded, "timeout",
                   std::to_string(options.count - show.left()) + " of " +
                       std::to_string(options.count) + " pulse(s) came in time");
  }
  return Done{};
}

Status listen(Context& context, const SubOptions& options) {
  SIGNET_TRY(const Profile profile, context.profile());
  catch_interrupts();
  Show show(context.out, options.count);
  SIGNET_TRY(auto client, open_client(context, profile, handlers_for(show, context.out, profile)));
  SIGNET_TRY([[maybe_unused]] const Done connected, client->wait_connected(kAnswerTimeout));
  SIGNET_TRY(const auto subscriptions, subscribe(*client, options, show));
  context.out.note("subscribed");
  return wait_for_the_end(*client, options, show);
}

// --- history and list ---

struct HistoryOptions {
  std::string pattern;
  std::int64_t after = -1, limit = 100;
};

// As many as were asked for, in as many pages as they come in.
Result<TopicHistory> read_history(Client& client, const HistoryOptions& options) {
  TopicHistory all;
  std::optional<std::uint64_t> after;
  if (options.after >= 0) after = static_cast<std::uint64_t>(options.after);
  const auto limit = static_cast<std::size_t>(options.limit);
  do {
    SIGNET_TRY(TopicHistory page, client.topic_history(options.pattern, after,
                                                       limit - all.pulses.size(), kAnswerTimeout));
    const bool moves = !page.pulses.empty();
    for (Pulse& pulse : page.pulses) all.pulses.push_back(std::move(pulse));
    all.gap = all.gap || page.gap;
    all.more = page.more;
    all.next = page.next;
    after = page.next;
    if (!moves) break;
  } while (all.more && all.pulses.size() < limit);
  return all;
}

Status history(Context& context, const HistoryOptions& options) {
  SIGNET_TRY(const Profile profile, context.profile());
  SIGNET_TRY(auto client, connect_client(context, profile));
  SIGNET_TRY(const TopicHistory history, read_history(*client, options));
  if (history.gap) {
    context.out.note("WARNING: a gap: pulses before these are gone, and nobody knows how many");
  }
  Table table{"pulses", pulse_columns(), {}};
  for (const Pulse& pulse : history.pulses) table.rows.push_back(pulse_row(pulse));
  const auto next = static_cast<std::int64_t>(history.next);
  context.out.list(
      table, "Nothing is kept.",
      {{"mesh", profile.slug}, {"gap", history.gap}, {"more", history.more}, {"next", next}});
  if (history.more) context.out.note("there are more: --after " + std::to_string(next));
  return Done{};
}

Status list(Context& context) {
  SIGNET_TRY(const Profile profile, context.profile());
  SIGNET_TRY(auto client, connect_client(context, profile));
  SIGNET_TRY(const std::vector<TopicInfo> topics, client->topics(kAnswerTimeout));
  Table table{"topics", {{"name", "TOPIC"}, {"subscribers", "SUBSCRIBERS"}}, {}};
  for (const TopicInfo& each : topics) table.rows.push_back({each.name, each.subscribers});
  context.out.list(table, "Nobody listens to a topic by its name.", {{"mesh", profile.slug}});
  return Done{};
}

void add_pub(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<PubOptions>();
  CLI::App& command =
      tree.command(noun, "pub", "publish a JSON object to whoever listens now; it is not sealed",
                   [options](Context& context) { return publish(context, *options); });
  command.add_option("topic", options->topic, "as in mirror.intent")->required();
  command.add_option("json", options->json, "a JSON object, or - to read it from standard input")
      ->required();
  add_examples(command, {R"(signet topic pub build.done '{"branch":"main","ok":true}')"});
}

void add_sub(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<SubOptions>();
  CLI::App& command =
      tree.command(noun, "sub", "show pulses as they come, one a line, until Ctrl-C",
                   [options](Context& context) { return listen(context, *options); });
  command
      .add_option("patterns", options->patterns,
                  "topics; * stands for one segment, > for all that follow")
      ->required();
  command.add_option("--count", options->count, "end after so many pulses")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command.add_option("--since", options->since, "first what came after this number and is kept")
      ->type_name("NUMBER")
      ->check(CLI::NonNegativeNumber);
  add_seconds(command, "--timeout", options->timeout, "end after this time; 0 is never");
  add_examples(command, {"signet topic sub 'build.>'", "signet topic sub '>' -o jsonl --since 0"});
}

void add_history(CommandTree& tree, CLI::App& noun) {
  constexpr std::int64_t kMost = 10'000;
  auto options = std::make_shared<HistoryOptions>();
  CLI::App& command =
      tree.command(noun, "history", "the pulses that the broker still keeps in its memory",
                   [options](Context& context) { return history(context, *options); });
  command.add_option("pattern", options->pattern, "which topics (all)");
  command.add_option("--after", options->after, "those behind this number, else the newest")
      ->type_name("NUMBER")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--limit", options->limit, "at most so many")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, kMost))
      ->capture_default_str();
}

}  // namespace

void add_topic(CommandTree& tree) {
  CLI::App& noun = tree.noun("topic", "pulses, small JSON objects to whoever listens now");
  add_pub(tree, noun);
  add_sub(tree, noun);
  add_history(tree, noun);
  tree.command(noun, "list", "the topics that somebody listens to by name, and how many do", list);
}

}  // namespace signet::cli
