#include "demo/demo.h"

#include <chrono>
#include <memory>

#include "client/peer.h"

namespace signet {
namespace {

using client::Identity;
using client::Peer;
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

std::string short_key(const Identity& identity) {
  return crypto::to_hex(identity.key.public_key()).substr(0, 12) + "…";
}

Status expect_text(const Result<client::Incoming>& incoming, const std::string& text) {
  if (!incoming.ok()) return incoming.error();
  if (incoming->text != text) return Error{ErrorCode::kBug, "another text came out of the seal"};
  return Done{};
}

std::string milliseconds_since(Stopwatch::time_point start) {
  const std::chrono::duration<double, std::milli> took = Stopwatch::now() - start;
  return std::to_string(took.count()).substr(0, 4) + " ms";
}

}  // namespace

Status show_main_job(const std::string& invite_link, std::ostream& out, bool colour) {
  Narrator tell(out, colour);
  SIGNET_TRY(const Identity ada, client::join(invite_link, "ada", kTimeout));
  SIGNET_TRY(const Identity bob, client::join(invite_link, "bob", kTimeout));
  tell.say("ada", "joined by the invite, key " + short_key(ada));
  tell.say("bob", "joined by the invite, key " + short_key(bob));

  SIGNET_TRY(auto ada_here, Peer::connect(ada, kTimeout));
  SIGNET_TRY(auto bob_here, Peer::connect(bob, kTimeout));
  tell.say("both", "proved their keys with a signed hello");

  const std::string first = "hello bob, are you there?";
  const auto start = Stopwatch::now();
  SIGNET_TRY(const std::string first_id, ada_here->send(bob.key.public_key(), first, "demo-1"));
  tell.say("ada", "sent a sealed message; acknowledged, so it is on disk: " + first_id);
  SIGNET_TRY([[maybe_unused]] const Done got_first,
             expect_text(bob_here->receive(kTimeout), first));
  tell.say("bob", "opened it: \"" + first + "\" (" + milliseconds_since(start) + ")");

  bob_here.reset();
  tell.say("bob", "went away");
  const std::string second = "this waited for you";
  SIGNET_TRY([[maybe_unused]] const std::string second_id,
             ada_here->send(bob.key.public_key(), second, "demo-2"));
  tell.say("ada", "sent another one; the broker keeps it, and can't read it");
  SIGNET_TRY(auto bob_again, Peer::connect(bob, kTimeout));
  SIGNET_TRY([[maybe_unused]] const Done got_second,
             expect_text(bob_again->receive(kTimeout), second));
  tell.say("bob", "came back and got it: \"" + second + "\"");
  tell.done("sent, received, and kept for the one who was away");
  return Done{};
}

}  // namespace signet
