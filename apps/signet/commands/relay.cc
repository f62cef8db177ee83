#include <algorithm>
#include <iostream>
#include <iterator>

#include "base/time.h"
#include "signet/commands/commands.h"
#include "signet/commands/options.h"
#include "signet/profile/private_file.h"
#include "signet/relay/connection.h"
#include "signet/relay/frames.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"
#include "signet/terminal/progress.h"
#include "signet/terminal/text.h"
#include "wire/utf8.h"

namespace signet::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxInput = 65'536;  // of a frame; one byte more is read to see it exceeded
constexpr milliseconds kLook{250};         // how late an interrupt may be seen
constexpr milliseconds kGoodbye{2'000};    // for a server to take what was written
constexpr std::string_view kIndent = "    ";

struct RelayChoice {
  std::string url, key_file;
  double timeout = 10;
};
struct SendOptions {
  RelayChoice relay;
  std::string to, text;
  bool wait = false;
};
struct ListenOptions {
  RelayChoice relay;
  std::int64_t count = 0;
  double until = 0;
};

std::string key_file(const Context& context, const std::string& named) {
  return named.empty() ? context.paths.config_folder + "/relay.key" : named;
}

// What --url says, or else the broker of the mesh that was joined.
Result<RelayOptions> options_of(Context& context, const RelayChoice& choice) {
  RelayOptions options;
  options.trust = context.trust;
  options.timeout = milliseconds_of(choice.timeout);
  std::string address = choice.url;
  if (address.empty()) {
    auto profile = context.profile();
    if (!profile.ok()) {
      return usage_error("which relay?", "Say its address: --url ws://HOST:PORT.");
    }
    address = profile->broker_url;
    if (options.trust.ca_file.empty()) options.trust.ca_file = profile->ca_file;
    options.trust.allow_tls12 = options.trust.allow_tls12 || profile->allow_tls12;
  }
  SIGNET_TRY(options.url, relay_url(address));
  return options;
}

// Standard input up to its end, without its last line end.
std::string read_input() {
  std::string text;
  for (std::istreambuf_iterator<char> at(std::cin), end; at != end && text.size() <= kMaxInput;
       ++at) {
    text += *at;
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

// A key whose text can be typed where an option could stand.
crypto::RelaySecretKey new_key() {
  for (;;) {
    auto key = crypto::RelaySecretKey::generate();
    if (!crypto::relay_key_text(key.public_key()).starts_with('-')) return key;
  }
}

Status keygen(Context& context, const std::string& named) {
  const std::string path = key_file(context, named);
  if (named.empty()) {
    SIGNET_TRY([[maybe_unused]] const Done made, make_private_folder(context.paths.config_folder));
  }
  const auto key = new_key();
  SIGNET_TRY([[maybe_unused]] const Done written, create_relay_key(path, key));
  const std::string public_key = crypto::relay_key_text(key.public_key());
  context.out.done(
      "A new key is in " + path + ", for your eyes only.\nIts public half is " + public_key,
      {{"publicKey", public_key}, {"file", path}});
  return Done{};
}

// --- send ---

Error refused(const std::string& code) {
  if (code == signet::name_of(RelayRefusal::kRecipientNotAvailable)) {
    return failure(ErrorCode::kNotFound, "recipient_not_available",
                   "nobody with that key is connected now, and the relay keeps nothing",
                   "Try again when they are there.");
  }
  const bool is_limit = code == signet::name_of(RelayRefusal::kRateLimited);
  return failure(is_limit ? ErrorCode::kOverloaded : ErrorCode::kForbidden,
                 is_limit ? "rate_limited" : "refused",
                 "the relay refused the message: " + code.substr(0, 100));
}

// Until the relay says what became of the envelope.
Status wait_receipt(RelayConnection& connection, const std::string& nonce, milliseconds timeout) {
  RelaySession& session = connection.session();
  const Elapsed start = system_clock().elapsed();
  while (!is_interrupted() && system_clock().elapsed() - start < timeout) {
    connection.move(kLook);
    for (const std::string& frame : session.take()) {
      const auto code = read_receipt(frame, nonce);
      if (code) return code->empty() ? Status(Done{}) : Status(refused(*code));
    }
    if (session.end()) return *session.end();
  }
  return failure(ErrorCode::kOverloaded, is_interrupted() ? "interrupted" : "timeout",
                 "the relay did not say what became of the message");
}

Status send(Context& context, const SendOptions& options) {
  const auto to = crypto::relay_key_from(options.to);
  if (!to || !crypto::is_canonical(*to)) {
    return usage_error("the receiver is no key", "A key is what `signet relay keygen` prints.");
  }
  const std::string text = options.text == "-" ? read_input() : options.text;
  if (text.empty() || !wire::is_utf8(text)) return usage_error("there is no text to send");
  SIGNET_TRY(RelayOptions relay, options_of(context, options.relay));
  relay.receipts = options.wait;
  SIGNET_TRY(const auto key, read_relay_key(key_file(context, options.relay.key_file)));
  const auto envelope = seal_envelope(key, *to, text);
  if (!envelope.ok() && envelope.error().code == ErrorCode::kForbidden) {
    return usage_error("nothing can be sealed to this key");
  }
  if (!envelope.ok()) return envelope.error();
  // Known before a server is answered: none may then claim this key.
  SIGNET_TRY([[maybe_unused]] const Done noted, remember_peer(context.paths, *to));
  SIGNET_TRY(const KnownKeys known, KnownKeys::load(context.paths));
  catch_interrupts();
  const Progress progress("sending over " + relay.url.authority());
  SIGNET_TRY(const auto connection, RelayConnection::open(relay, context.paths, key, known));
  connection->session().say(envelope->frame);
  if (options.wait) {
    SIGNET_TRY([[maybe_unused]] const Done received,
               wait_receipt(*connection, envelope->nonce, relay.timeout));
  }
  connection->close(kGoodbye);
  context.out.done(options.wait ? "Delivered: the relay has given it to their connection."
                                : "Sent: whether anybody was there, --wait would ask.",
                   {{"to", crypto::relay_key_text(*to)},
                    {"state", std::string(options.wait ? "delivered" : "sent")}});
  return Done{};
}

// --- listen ---

// What is not to be shown, because of whom it is from; else who it is from is known from here on.
void note_sender(const Paths& paths, RelayMessage& message) {
  if (!message.why.empty() || !message.from) return;
  if (remember_peer(paths, *message.from).ok()) return;
  message.why = "from_a_relay";
  message.json.clear();
  message.text.reset();
}

void show(Context& context, const RelayMessage& message) {
  const std::string from = message.from ? crypto::relay_key_text(*message.from) : "nobody";
  const std::string at = iso8601(system_clock().wall());
  std::string body =
      message.text ? printable_text(*message.text, kIndent) : printable_text(message.json, kIndent);
  if (!message.why.empty()) body = "(not opened: " + std::string(message.why) + ")";
  const auto or_nothing = [](std::string_view text) {
    return text.empty() ? Value() : Value(std::string(text));
  };
  context.out.item(
      context.out.paint("\033[1m", from) + "  " + at + "\n" + std::string(kIndent) + body,
      {{"from", from},
       {"at", at},
       {"sealed", message.why.empty()},
       {"text", message.text ? Value(*message.text) : Value()},
       {"json", or_nothing(message.json)},
       {"why", or_nothing(message.why)}});
}

// Shows what came, `left` at the most; how many.
std::int64_t show_some(Context& context, RelaySession& session, const crypto::RelaySecretKey& key,
                       std::int64_t left) {
  std::int64_t shown = 0;
  for (const std::string& frame : session.take()) {
    if (shown == left || !context.out.is_delivered()) break;
    auto message = open_envelope(key, frame);
    if (!message) continue;
    note_sender(context.paths, *message);
    show(context, *message);
    ++shown;
  }
  return shown;
}

Status listen(Context& context, const ListenOptions& options) {
  SIGNET_TRY(const RelayOptions relay, options_of(context, options.relay));
  SIGNET_TRY(const auto key, read_relay_key(key_file(context, options.relay.key_file)));
  SIGNET_TRY(const KnownKeys known, KnownKeys::load(context.paths));
  catch_interrupts();
  SIGNET_TRY(const auto connection, RelayConnection::open(relay, context.paths, key, known));
  RelaySession& session = connection->session();
  context.out.note("connected to " + relay.url.authority() + " as " +
                   crypto::relay_key_text(key.public_key()));
  const Elapsed start = system_clock().elapsed();
  constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
  std::int64_t left = options.count > 0 ? options.count : kForEver;
  while (!is_interrupted() && context.out.is_delivered()) {
    left -= show_some(context, session, key, left);
    if (left == 0) break;
    if (session.end()) return *session.end();
    const auto listened = system_clock().elapsed() - start;
    if (options.until > 0 && listened >= milliseconds_of(options.until)) {
      if (options.count == 0) break;
      return failure(ErrorCode::kOverloaded, "timeout", "fewer messages came in time");
    }
    connection->move(kLook);
  }
  connection->close(kGoodbye);
  return Done{};
}

void add_choice(CLI::App& command, RelayChoice& choice) {
  command.add_option("--url", choice.url, "address of the relay (else the broker of the mesh)")
      ->type_name("URL");
  command.add_option("--key", choice.key_file, "file of the own key (relay.key beside the config)")
      ->type_name("FILE");
}

void add_relay_keygen(CommandTree& tree, CLI::App& relay) {
  auto path = std::make_shared<std::string>();
  CLI::App& command =
      tree.command(relay, "keygen", "make a key for relays; a file is never overwritten",
                   [path](Context& context) { return keygen(context, *path); });
  command.add_option("--out", *path, "where to write it, mode 0600 (relay.key beside the config)")
      ->type_name("FILE");
}

void add_relay_listen(CommandTree& tree, CLI::App& relay) {
  auto options = std::make_shared<ListenOptions>();
  CLI::App& command =
      tree.command(relay, "listen", "show envelopes as they come, until Ctrl-C; nothing is kept",
                   [options](Context& context) { return listen(context, *options); });
  add_choice(command, options->relay);
  command.add_option("--count", options->count, "end after so many messages")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  add_seconds(command, "--timeout", options->until, "end after this time; 0 is never");
  add_examples(command, {"signet relay listen --url ws://127.0.0.1:8080 -o jsonl"});
}

void add_relay_send(CommandTree& tree, CLI::App& relay) {
  auto options = std::make_shared<SendOptions>();
  CLI::App& command = tree.command(relay, "send", "seal a text for a key and hand it to the relay",
                                   [options](Context& context) { return send(context, *options); });
  command
      .add_option("to", options->to,
                  "the receiver's key, 43 characters; where it begins with -, write -- before it")
      ->required();
  command.add_option("text", options->text, "the text; - reads it from standard input")->required();
  command.add_flag("--wait", options->wait,
                   "ask whether it was delivered; exit 3 if nobody is there");
  add_choice(command, options->relay);
  add_seconds(command, "--timeout", options->relay.timeout,
              "how long to wait, for each of the steps");
  add_examples(command, {"signet relay send u3I5…gFU 'hello' --wait --key send.key"});
}

}  // namespace

void add_relay(CommandTree& tree) {
  CLI::App& relay = tree.noun(
      "relay", "speak with keys over SecureWebSocket; a key has one connection, the newest");
  add_relay_keygen(tree, relay);
  add_relay_listen(tree, relay);
  add_relay_send(tree, relay);
}

}  // namespace signet::cli
