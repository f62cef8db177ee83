#include "demo/demo.h"

#include <chrono>
#include <memory>

#include "signet/client.h"

namespace signet {
namespace {

using Stopwatch = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTimeout{5'000};

class Narrator {
 public:
  Narrator(std::ostream& out, bool colour) : out_(out), colour_(colour) {}

  void say(std::string_view who, const std::string& what) {
    out_ << "  " << paint("\033[36m") << who << paint("\033[0m");
    for (std::size_t width = who.size(); width < 8; ++width) out_ << ' ';
    out_ << what << std::endl;
  }
  void done(const std::string& what) {
    out_ << "  " << paint("\033[32m") << "✓ " << paint("\033[0m") << what << std::endl;
  }

 private:
  const char* paint(const char* code) const { return colour_ ? code : ""; }
  std::ostream& out_;
  bool colour_;
};

std::string short_key(const std::string& key) { return key.substr(0, 12) + "…"; }

// A peer of the demonstration: what it needs to come back, and while it is here, its client.
struct Actor {
  std::string seed;  // of a throw-away key
  std::string key;
  Membership place;
  std::unique_ptr<Client> client;
};

Result<Actor> join_as(const std::string& invite, std::string_view name) {
  Identity identity = Identity::generate();
  const std::string seed = identity.seed_hex();
  const std::string key = identity.public_key();
  SIGNET_TRY(Membership place, join(invite, name, std::move(identity), kTimeout));
  return Actor{seed, key, std::move(place), nullptr};
}

Status come(Actor& actor) {
  SIGNET_TRY(Identity identity, Identity::from_hex(actor.seed));
  ClientOptions options{.membership = {actor.place.broker_url, actor.place.mesh_id,
                                       actor.place.mesh_slug, actor.place.member_id,
                                       std::move(identity)}};
  SIGNET_TRY(actor.client, Client::open(std::move(options)));
  return actor.client->wait_connected(kTimeout);
}

// Until it is on the broker's disk; its id.
Result<std::string> send_to(Actor& from, const Actor& to, const std::string& text) {
  Outgoing message{.to = to.key, .text = text, .priority = Priority::kNow};
  SIGNET_TRY(const std::string ticket, from.client->send(message));
  SIGNET_TRY(const SendReport report, from.client->wait_sent(ticket, SendState::kStored, kTimeout));
  if (report.state != SendState::kRefused) return report.message_id;
  return Error{ErrorCode::kForbidden, report.why};
}

Status expect_text(Actor& actor, const std::string& text) {
  SIGNET_TRY(const std::vector<Message> messages, actor.client->read(1, kTimeout));
  if (messages.empty()) return Error{ErrorCode::kUnavailable, "timeout: nothing came"};
  const Message& message = messages.front();
  if (!message.sealed || message.text != text) {
    return Error{ErrorCode::kBug, "another text came out of the seal"};
  }
  return actor.client->confirm({message.id});
}

std::string milliseconds_since(Stopwatch::time_point start) {
  const std::chrono::duration<double, std::milli> took = Stopwatch::now() - start;
  return std::to_string(took.count()).substr(0, 4) + " ms";
}

}  // namespace

Status show_main_job(const std::string& invite_link, std::ostream& out, bool colour) {
  Narrator tell(out, colour);
  SIGNET_TRY(Actor ada, join_as(invite_link, "ada"));
  SIGNET_TRY(Actor bob, join_as(invite_link, "bob"));
  tell.say("ada", "joined by the invite, key " + short_key(ada.key));
  tell.say("bob", "joined by the invite, key " + short_key(bob.key));

  SIGNET_TRY([[maybe_unused]] const Done ada_came, come(ada));
  SIGNET_TRY([[maybe_unused]] const Done bob_came, come(bob));
  tell.say("both", "proved their keys with a signed hello");

  const std::string first = "hello bob, are you there?";
  const auto start = Stopwatch::now();
  SIGNET_TRY(const std::string first_id, send_to(ada, bob, first));
  tell.say("ada", "sent a sealed message; acknowledged, so it is on disk: " + first_id);
  SIGNET_TRY([[maybe_unused]] const Done got_first, expect_text(bob, first));
  tell.say("bob", "opened it: \"" + first + "\" (" + milliseconds_since(start) + ")");

  bob.client.reset();
  tell.say("bob", "went away");
  const std::string second = "this waited for you";
  SIGNET_TRY([[maybe_unused]] const std::string second_id, send_to(ada, bob, second));
  tell.say("ada", "sent another one; the broker keeps it, and can't read it");
  SIGNET_TRY([[maybe_unused]] const Done bob_again, come(bob));
  SIGNET_TRY([[maybe_unused]] const Done got_second, expect_text(bob, second));
  tell.say("bob", "came back and got it: \"" + second + "\"");
  tell.done("sent, received, and kept for the one who was away");
  return Done{};
}

}  // namespace signet
