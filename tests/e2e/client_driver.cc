// client_driver: the client library, driven by a test in another language over its contract alone
// (signet/client.h). One JSON object a line on stdin is a command: {"re":7,"do":"send","as":"ada",
// "to":"bob","text":"hi"}; one a line on stdout is its answer, {"re":7,"ok":true,…} or
// {"re":7,"ok":false,"code":…,"error":…}, or an event of a client,
// {"event":"message","as":"ada",…}. Commands that wait run beside the others; the rest run in their
// order. Ends with stdin.
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "signet/client.h"
#include "wire/json.h"

namespace {

using signet::Client;
using signet::Done;
using signet::Result;
using signet::Status;
using signet::wire::JsonDocument;
using signet::wire::JsonValue;
using signet::wire::JsonWriter;
using std::chrono::milliseconds;

using Fill = std::function<void(JsonWriter&)>;  // the members of an answer
using Answer = Result<Fill>;

void say(const Fill& fill) {
  static std::mutex mutex;
  JsonWriter line;
  line.object();
  fill(line);
  line.end();
  const std::lock_guard lock(mutex);
  std::printf("%s\n", line.text().c_str());
  std::fflush(stdout);
}

// --- reading a command ---

class Command {
 public:
  static std::shared_ptr<Command> read(const std::string& line) {
    auto command = std::make_shared<Command>();
    return command->document_.parse(line).ok() ? command : nullptr;
  }
  JsonValue at(std::string_view name) const { return document_.root()[name]; }
  std::string text(std::string_view name) const {
    return std::string(at(name).string().value_or(""));
  }
  std::int64_t number(std::string_view name, std::int64_t otherwise = 0) const {
    return at(name).integer().value_or(otherwise);
  }
  bool flag(std::string_view name, bool otherwise = false) const {
    return at(name).boolean().value_or(otherwise);
  }
  milliseconds timeout() const { return milliseconds(number("timeout", 20'000)); }
  std::vector<std::string> list(std::string_view name) const {
    std::vector<std::string> texts;
    const JsonValue all = at(name);
    for (std::size_t i = 0; i < all.size(); ++i) texts.emplace_back(all[i].string().value_or(""));
    return texts;
  }

 private:
  JsonDocument document_;
};

// --- writing values of the contract ---

std::string_view name_of(signet::SendState state) {
  constexpr std::string_view kNames[] = {"waiting", "stored", "received", "read", "refused"};
  return kNames[static_cast<std::size_t>(state)];
}

void write(JsonWriter& out, const signet::Message& message) {
  constexpr std::string_view kKinds[] = {"direct", "broadcast", "channel", "unknown"};
  out.object().key("id").value(message.id).key("from").value(message.sender_key);
  out.key("name").value(message.sender_name).key("target").value(message.target);
  out.key("kind").value(kKinds[static_cast<std::size_t>(message.kind)]);
  out.key("sealed").value(message.sealed).key("why").value(message.why).key("text");
  message.text ? out.value(*message.text) : out.null();
  out.end();
}

void write(JsonWriter& out, const signet::SendReport& report) {
  out.object().key("ticket").value(report.ticket).key("messageId").value(report.message_id);
  out.key("to").value(report.to).key("state").value(name_of(report.state));
  out.key("why").value(report.why).key("recipients").value(report.recipients).key("by").array();
  for (const std::string& key : report.by) out.value(key);
  out.end().end();
}

void write(JsonWriter& out, const signet::ConnectionReport& report) {
  constexpr std::string_view kNames[] = {"connecting", "connected", "waiting", "stopped"};
  out.object().key("state").value(kNames[static_cast<std::size_t>(report.state)]);
  out.key("why")
      .value(report.why)
      .key("retryMs")
      .value(std::int64_t{report.retry_in.count()})
      .end();
}

void write(JsonWriter& out, const signet::Peer& peer) {
  out.object().key("key").value(peer.key).key("name").value(peer.name);
  out.key("me").value(peer.is_me).end();
}
void write(JsonWriter& out, const signet::Member& member) {
  out.object().key("key").value(member.key).key("name").value(member.name).end();
}
void write(JsonWriter& out, const signet::Channel& channel) {
  out.object().key("name").value(channel.name).key("members").value(channel.members);
  out.key("joined").value(channel.joined).end();
}
void write(JsonWriter& out, const signet::Pin& pin) {
  out.object().key("name").value(pin.name).key("key").value(pin.key);
  out.key("verified").value(pin.verified).end();
}
void write(JsonWriter& out, const signet::Pulse& pulse) {
  out.object().key("topic").value(pulse.topic).key("from").value(pulse.from);
  out.key("at").value(pulse.at).key("number").value(pulse.number);
  out.key("topicNumber").value(pulse.topic_number).key("missed").value(pulse.missed);
  out.key("gap").value(pulse.gap).key("pulse").raw(pulse.json).end();
}
void write(JsonWriter& out, const signet::TopicHistory& history) {
  out.object().key("pulses").array();
  for (const signet::Pulse& pulse : history.pulses) write(out, pulse);
  out.end().key("gap").value(history.gap).key("more").value(history.more);
  out.key("next").value(history.next).end();
}
void write(JsonWriter& out, const signet::TopicInfo& topic) {
  out.object().key("name").value(topic.name).key("subscribers").value(topic.subscribers).end();
}
void write(JsonWriter& out, std::uint64_t number) { out.value(number); }
void write(JsonWriter& out, const std::string& text) { out.value(text); }

template <class T>
Answer list_of(Result<std::vector<T>> got) {
  if (!got.ok()) return got.error();
  return Fill([all = *std::move(got)](JsonWriter& out) {
    out.key("list").array();
    for (const T& each : all) write(out, each);
    out.end();
  });
}

template <class T>
Answer value_of(Result<T> got) {
  if (!got.ok()) return got.error();
  return Fill([value = *std::move(got)](JsonWriter& out) { write(out.key("value"), value); });
}

Answer done(const Status& status) {
  if (!status.ok()) return status.error();
  return Fill([](JsonWriter&) {});
}

// --- the commands ---

std::map<std::string, std::shared_ptr<Client>> clients;  // of the main thread

signet::Handlers handlers_of(const std::string& as, bool reads) {
  const auto tell = [as](std::string_view event, const Fill& fill) {
    say([&](JsonWriter& out) {
      out.key("event").value(event).key("as").value(as);
      fill(out.key("value"));
    });
  };
  signet::Handlers handlers;
  if (reads) {
    handlers.on_message = [tell](const signet::Message& message) {
      tell("message", [&](JsonWriter& out) { write(out, message); });
    };
  }
  handlers.on_connection = [tell](const signet::ConnectionReport& report) {
    tell("connection", [&](JsonWriter& out) { write(out, report); });
  };
  handlers.on_send = [tell](const signet::SendReport& report) {
    tell("sent", [&](JsonWriter& out) { write(out, report); });
  };
  handlers.on_unsubscribed = [tell](const std::string& pattern, const signet::Error& why) {
    tell("unsubscribed", [&](JsonWriter& out) {
      out.object().key("pattern").value(pattern).key("why").value(why.detail).end();
    });
  };
  handlers.on_key_change = [tell](const signet::KeyChange& change) {
    tell("key_change", [&](JsonWriter& out) {
      out.object().key("name").value(change.name).key("pinned").value(change.pinned_key);
      out.key("seen").value(change.seen_key).end();
    });
  };
  return handlers;
}

Answer open(const Command& command) {
  auto identity = signet::Identity::from_hex(command.text("seed"));
  if (!identity.ok()) return identity.error();
  signet::ClientOptions options{.membership = {command.text("url"), command.text("mesh"), "",
                                               command.text("member"), *std::move(identity)}};
  options.state_file = command.text("state");
  options.display_name = command.text("name");
  options.trust.ca_file = command.text("ca");
  options.first_retry = milliseconds(command.number("firstRetry", options.first_retry.count()));
  options.last_retry = milliseconds(command.number("lastRetry", options.last_retry.count()));
  options.ack_timeout = milliseconds(command.number("ackTimeout", options.ack_timeout.count()));
  options.outbox_messages = static_cast<std::size_t>(command.number("outbox", 1'000));
  options.inbox_messages = static_cast<std::size_t>(command.number("inbox", 500));
  options.pulse_queue = static_cast<std::size_t>(command.number("pulses", 1'000));
  const std::string as = command.text("as");
  auto client = Client::open(std::move(options), handlers_of(as, command.flag("reads", true)));
  if (!client.ok()) return client.error();
  clients[as] = *std::move(client);
  return done(Done{});
}

Answer join(const Command& command) {
  auto identity = command.text("seed").empty() ? signet::Identity::generate()
                                               : *signet::Identity::from_hex(command.text("seed"));
  const std::string seed = identity.seed_hex();
  auto joined = signet::join(command.text("link"), command.text("name"), std::move(identity),
                             command.timeout(), {.ca_file = command.text("ca")});
  if (!joined.ok()) return joined.error();
  const std::string key = joined->identity.public_key();
  return Fill([seed, key, url = joined->broker_url, mesh = joined->mesh_id,
               member = joined->member_id](JsonWriter& out) {
    out.key("pubkey").value(key).key("seed").value(seed).key("url").value(url);
    out.key("mesh").value(mesh).key("member").value(member);
  });
}

Answer send(Client& client, const Command& command) {
  signet::Outgoing message{.to = command.text("to"), .text = command.text("text")};
  message.receipts = command.flag("receipts");
  message.sealed = command.flag("sealed", true);
  return value_of(client.send(message));
}

// --- topics ---

std::mutex subscribing;
std::map<std::string, std::vector<signet::Subscription>>
    subscriptions;  // by client; under the lock

std::optional<std::uint64_t> after_of(const Command& command) {
  const auto after = command.at("after").integer();
  return after ? std::optional<std::uint64_t>(static_cast<std::uint64_t>(*after)) : std::nullopt;
}

// `slowMs` is what the handler takes for each pulse.
Answer subscribe(Client& client, const Command& command) {
  const std::string as = command.text("as"), pattern = command.text("pattern");
  const milliseconds slow(command.number("slowMs"));
  const auto handler = [as, pattern, slow](const signet::Pulse& pulse) {
    say([&](JsonWriter& out) {
      out.key("event").value("pulse").key("as").value(as).key("pattern").value(pattern);
      write(out.key("value"), pulse);
    });
    std::this_thread::sleep_for(slow);
  };
  auto subscription = client.subscribe(pattern, handler, command.timeout(), after_of(command));
  if (!subscription.ok()) return subscription.error();
  const std::lock_guard lock(subscribing);
  subscriptions[as].push_back(*std::move(subscription));
  return done(Done{});
}

Answer unsubscribe(Client&, const Command& command) {
  const std::lock_guard lock(subscribing);
  std::erase_if(subscriptions[command.text("as")], [&](const signet::Subscription& each) {
    return each.pattern() == command.text("pattern");
  });
  return done(Done{});
}

using Call = std::function<Answer(Client&, const Command&)>;

signet::SendState state_of(const std::string& name) {
  for (const auto state : {signet::SendState::kStored, signet::SendState::kReceived}) {
    if (name == name_of(state)) return state;
  }
  return signet::SendState::kRead;
}

// Those that wait for nobody.
const std::map<std::string, Call> kAtOnce = {
    {"send", send},
    {"cancel", [](Client& c, const Command& of) { return done(c.cancel(of.text("ticket"))); }},
    {"outbox", [](Client& c, const Command&) { return list_of(c.outbox()); }},
    {"confirm", [](Client& c, const Command& of) { return done(c.confirm(of.list("ids"))); }},
    {"give_back", [](Client& c, const Command& of) { return done(c.give_back(of.list("ids"))); }},
    {"unread", [](Client& c, const Command&) { return list_of(c.unread(1'000)); }},
    {"history", [](Client& c, const Command&) { return list_of(c.history(1'000)); }},
    {"pins", [](Client& c, const Command&) { return list_of(c.pins()); }},
    {"trust",
     [](Client& c, const Command& of) {
       return done(c.trust(of.text("name"), of.text("key"), of.flag("verified")));
     }},
    {"safety_number",
     [](Client& c, const Command& of) { return value_of(c.safety_number(of.text("key"))); }},
};

const std::map<std::string, Call> kWaiting = {
    {"wait_connected",
     [](Client& c, const Command& of) { return done(c.wait_connected(of.timeout())); }},
    {"wait_sent",
     [](Client& c, const Command& of) {
       return value_of(c.wait_sent(of.text("ticket"), state_of(of.text("state")), of.timeout()));
     }},
    {"read",
     [](Client& c, const Command& of) {
       return list_of(c.read(static_cast<std::size_t>(of.number("most", 100)), of.timeout()));
     }},
    {"peers", [](Client& c, const Command& of) { return list_of(c.peers(of.timeout())); }},
    {"members",
     [](Client& c, const Command& of) {
       return list_of(c.members(of.text("target"), of.timeout()));
     }},
    {"join_channel",
     [](Client& c, const Command& of) {
       return done(c.join_channel(of.text("channel"), of.timeout()));
     }},
    {"leave_channel",
     [](Client& c, const Command& of) {
       return done(c.leave_channel(of.text("channel"), of.timeout()));
     }},
    {"channels", [](Client& c, const Command& of) { return list_of(c.channels(of.timeout())); }},
    {"publish",
     [](Client& c, const Command& of) {
       const std::string json(of.at("pulse").raw());
       return value_of(c.publish(of.text("topic"), json, of.timeout()));
     }},
    {"subscribe", subscribe},
    {"unsubscribe", unsubscribe},
    {"topic_history",
     [](Client& c, const Command& of) {
       const auto limit = static_cast<std::size_t>(of.number("limit", 100));
       return value_of(c.topic_history(of.text("pattern"), after_of(of), limit, of.timeout()));
     }},
    {"topics", [](Client& c, const Command& of) { return list_of(c.topics(of.timeout())); }},
    {"find",
     [](Client& c, const Command& of) { return value_of(c.find(of.text("who"), of.timeout())); }},
};

void tell(const Command& command, const Answer& answer) {
  say([&](JsonWriter& out) {
    out.key("re").value(command.number("re")).key("ok").value(answer.ok());
    if (answer.ok()) return (*answer)(out);
    out.key("code").value(signet::code_of(answer.error()));
    out.key("kind").value(static_cast<int>(answer.error().code));
    out.key("error").value(answer.error().detail);
  });
}

Answer unknown(const std::string& what) {
  return signet::Error{signet::ErrorCode::kBug, "unknown: " + what};
}

// The work of a command that may take time; nothing where it was done at once.
std::future<void> run(const std::shared_ptr<Command>& command) {
  const std::string what = command->text("do");
  const auto beside = [&](std::function<Answer()> work) {
    return std::async(std::launch::async,
                      [command, work = std::move(work)] { tell(*command, work()); });
  };
  if (what == "join") return beside([command] { return join(*command); });
  if (what == "open") {
    tell(*command, open(*command));
    return {};
  }
  const auto client = clients.find(command->text("as"));
  if (client == clients.end()) {
    tell(*command, unknown("client"));
  } else if (what == "close") {
    clients.erase(client);
    tell(*command, done(Done{}));
  } else if (const auto at_once = kAtOnce.find(what); at_once != kAtOnce.end()) {
    tell(*command, at_once->second(*client->second, *command));
  } else if (const auto waits = kWaiting.find(what); waits != kWaiting.end()) {
    return beside(
        [command, call = waits->second, held = client->second] { return call(*held, *command); });
  } else {
    tell(*command, unknown(what));
  }
  return {};
}

}  // namespace

int main() {
  std::vector<std::future<void>> under_way;
  for (std::string line; std::getline(std::cin, line);) {
    const auto command = Command::read(line);
    if (command == nullptr) return 2;
    std::erase_if(under_way, [](const std::future<void>& each) {
      return each.wait_for(milliseconds(0)) == std::future_status::ready;
    });
    if (auto work = run(command); work.valid()) under_way.push_back(std::move(work));
  }
  for (std::future<void>& each : under_way) each.wait();
  clients.clear();
  return 0;
}
