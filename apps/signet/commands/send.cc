#include <algorithm>
#include <iostream>
#include <iterator>

#include "base/time.h"
#include "signet/commands/commands.h"
#include "signet/commands/options.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"
#include "signet/terminal/progress.h"
#include "signet/terminal/words.h"

namespace signet::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxText = 40'000;  // of client.h; one byte more is read to see it exceeded

struct SendOptions {
  std::string to, text;
  std::string priority = "next";
  double timeout = 10;
  bool wait = false, plain = false, queue = false;
};

// Standard input up to its end, without its last line end.
std::string read_input() {
  std::string text;
  for (std::istreambuf_iterator<char> at(std::cin), end; at != end && text.size() <= kMaxText + 1;
       ++at) {
    text += *at;
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

bool is_audience(std::string_view target) {
  return target == "*" || target.starts_with('#') || target.starts_with("tag:");
}

Error refused(const SendReport& report) {
  const Told told = tell({ErrorCode::kForbidden, report.why});
  return failure(report.why == "no_such_member" ? ErrorCode::kNotFound : ErrorCode::kForbidden,
                 report.why, "the broker refused the message: " + told.message, told.advice);
}

// Whoever the broker does not let in is not kept waiting, and what nobody sends is not kept.
Error not_admitted(Client& client, std::string_view ticket, const Error& why) {
  const Told told = tell(why);
  const bool is_back = client.cancel(ticket).ok();
  const std::string where =
      is_back ? "the message was taken back" : "the broker may have the message already";
  return failure(why.code, told.code, told.message + "; " + where, told.advice);
}

// Not acknowledged in time: it is taken back, so that a failure means that nothing was sent.
Error give_up(Client& client, std::string_view ticket, const Error& why) {
  const Status taken_back = client.cancel(ticket);
  const ConnectionReport connection = client.connection();
  std::string last = "the broker did not answer in time";
  if (why.code != ErrorCode::kOverloaded) last = tell(why).message;
  if (!connection.why.empty()) last = tell({ErrorCode::kUnavailable, connection.why}).message;
  if (is_interrupted()) last = "interrupted";
  if (taken_back.ok()) {
    return failure(ErrorCode::kUnavailable, "not_sent",
                   "the broker did not take the message, and it was taken back: " + last,
                   "Try again, or leave it in the outbox: signet send --queue. What is wrong: "
                   "signet doctor");
  }
  return failure(ErrorCode::kUnavailable, "not_acknowledged",
                 "the broker did not acknowledge the message, and may have it already",
                 "It stays in the outbox and is sent again, once, by the next signet that "
                 "connects (inbox, listen, send).");
}

void report_sent(Context& context, const SendReport& report, const Profile& profile) {
  const std::string id = report.message_id.substr(0, 12);
  std::string sentence;
  switch (report.state) {
    case SendState::kWaiting:
      sentence = "Queued: it is sent when signet connects next.";
      break;
    case SendState::kStored:
      sentence = "Sent " + id + ": it is on the broker's disk, for " +
                 std::to_string(report.recipients) + " recipient(s).";
      if (report.recipients == 0) sentence = "Sent " + id + " to nobody: it has 0 recipients.";
      break;
    default:
      sentence = "Sent " + id + ": " + std::string(word_of(report.state)) + " by " +
                 std::to_string(report.by.size()) + " recipient(s).";
  }
  context.out.done(sentence,
                   {{"messageId", report.message_id.empty() ? Value() : Value(report.message_id)},
                    {"ticket", report.ticket},
                    {"mesh", profile.slug},
                    {"to", report.to},
                    {"state", std::string(word_of(report.state))},
                    {"recipients", report.recipients},
                    {"receivedBy", report.by}});
}

// As wait_sent(), and Ctrl-C ends it early: what can be taken back is then taken back.
Result<SendReport> wait_for(Client& client, const std::string& ticket, SendState state,
                            std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kLook{250};
  const Elapsed deadline = system_clock().elapsed() + timeout;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - system_clock().elapsed());
    auto report = client.wait_sent(ticket, state, std::clamp(left, 0ms, kLook));
    if (report.ok() || report.error().code != ErrorCode::kOverloaded) return report;
    if (left <= kLook || is_interrupted()) return report;
  }
}

// Waits for the broker's acknowledgement, or for the receiver's confirmation with --wait.
Status follow(Context& context, Client& client, const std::string& ticket,
              const SendOptions& options, const Profile& profile) {
  const auto timeout = milliseconds_of(options.timeout);
  const Progress progress("sending to " + options.to);
  const auto stored = wait_for(client, ticket, SendState::kStored, timeout);
  if (!stored.ok()) {
    if (stored.error().code == ErrorCode::kUnauthorized) {
      return not_admitted(client, ticket, stored.error());
    }
    if (!options.queue) return give_up(client, ticket, stored.error());
    SendReport waiting;
    waiting.ticket = ticket;
    waiting.to = options.to;
    report_sent(context, waiting, profile);
    return Done{};
  }
  if (stored->state == SendState::kRefused) return refused(*stored);
  if (!options.wait) {
    report_sent(context, *stored, profile);
    return Done{};
  }
  const auto received = wait_for(client, ticket, SendState::kReceived, timeout);
  if (!received.ok() && received.error().code == ErrorCode::kUnauthorized) {
    const Told told = tell(received.error());
    return failure(
        received.error().code, told.code,
        "the broker has the message, and tells this member nothing more: " + told.message,
        told.advice);
  }
  if (!received.ok() && is_interrupted()) {
    return failure(ErrorCode::kOverloaded, "interrupted",
                   "the broker has the message; waiting for its receiver was interrupted",
                   "It is delivered when they are there; do not send it again.");
  }
  if (!received.ok()) {
    return failure(ErrorCode::kOverloaded, "not_received",
                   "the broker has the message, and nobody confirmed it in time",
                   "It is delivered when they are there; do not send it again.");
  }
  report_sent(context, *received, profile);
  return Done{};
}

Status send(Context& context, const SendOptions& options) {
  SIGNET_TRY(const Profiles profiles, context.profiles());
  SIGNET_TRY(const Target target, split_target(profiles, context.mesh, options.to));
  SIGNET_TRY(const Profile profile, profiles.choose(target.mesh));
  Outgoing message{.to = target.target,
                   .text = options.text == "-" ? read_input() : options.text,
                   .priority = priority_from(options.priority).value_or(Priority::kNext),
                   .receipts = options.wait,
                   .sealed = !options.plain};
  if (message.text.empty()) {
    return usage_error("there is no text to send", "Say it, or give it on standard input with -.");
  }
  if (options.plain && !is_audience(message.to)) {
    return usage_error("--plain is for *, #channel and tag:name",
                       "Direct messages are always sealed.");
  }
  SIGNET_TRY(auto client, open_client(context, profile));
  if (!is_audience(message.to)) {
    const Progress progress("looking for " + message.to);
    const auto found = client->find(message.to, milliseconds_of(options.timeout));
    if (!found.ok()) return about_peer(found.error(), message.to);
    message.to = *found;
  }
  catch_interrupts();
  SIGNET_TRY(const std::string ticket, client->send(message));
  return follow(context, *client, ticket, options, profile);
}

}  // namespace

void add_send(CommandTree& tree) {
  auto options = std::make_shared<SendOptions>();
  CLI::App& command = tree.command("send", "send a sealed message and wait until the broker has it",
                                   [options](Context& context) { return send(context, *options); });
  command
      .add_option("to", options->to,
                  "a name, a key or its first 8 digits, * (everybody), #channel, tag:name; "
                  "MESH:TO where several meshes are joined")
      ->required();
  command.add_option("text", options->text, "the text; - reads it from standard input")->required();
  command.add_flag("--wait", options->wait, "wait until a receiver has it, too");
  command.add_option("--priority", options->priority, "now reaches the busy, low only the idle")
      ->check(CLI::IsMember({"now", "next", "low"}))
      ->capture_default_str();
  command.add_flag("--plain", options->plain,
                   "send *, #channel or tag:name in the clear, for clients of claudemesh v0.1");
  command.add_flag("--queue", options->queue,
                   "leave it in the outbox when the broker is away (else it is taken back)");
  add_seconds(command, "--timeout", options->timeout, "how long to wait, for each of the steps");
  add_examples(command, {"signet send bob 'hello'", "git diff | signet send team:ada -",
                         "signet send '#ops' 'deploying' --priority now"});
}

}  // namespace signet::cli
