// RelaySession is one connection to a relay without a socket or a clock: bytes and time in, bytes
// and frames out. It upgrades, answers the challenge of a server that may be answered, and hands
// over what comes then. Owned by one thread. Format: protocol/securewebsocket.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "signet/relay/known_keys.h"
#include "wire/websocket_frame.h"

namespace signet::cli {

class RelaySession : private wire::FrameEvents {
 public:
  // Puts the upgrade request into the output. `authority` is `host:port`, by which servers are
  // known; `key` and `known` outlive the session.
  RelaySession(const crypto::RelaySecretKey& key, const KnownKeys& known, std::string authority,
               std::string_view path, Elapsed now);

  void feed(std::span<char> bytes, Elapsed now);  // what came from the socket; unmasked in place
  void lost(std::string_view why);                // the peer closed, or the socket broke
  void on_time(Elapsed now);                      // a server that falls silent is lost

  // REQUIRES: is_registered().
  void say(std::string_view frame);
  void say_goodbye();  // a close frame; nothing is said after it

  // What waits to be written; the owner erases what it wrote.
  std::string& output() { return output_; }
  // The frames that came behind the registration, oldest first.
  std::vector<std::string> take();

  bool is_registered() const { return phase_ == Phase::kOpen; }
  const crypto::RelayKey& server() const { return server_; }  // of the challenge
  // Why it is over: relay_key_changed, replaced, connection_lost, what the server refuses, …
  const std::optional<Error>& end() const { return end_; }

 private:
  enum class Phase : std::uint8_t { kUpgrading, kChallenge, kResponded, kOpen };

  void read_upgrade(std::string_view bytes);
  void read_frames(std::span<char> bytes);
  void read_challenge_frame(std::string_view frame);
  void read_verdict(std::string_view frame);
  void write_frame(wire::Opcode opcode, std::string_view payload);
  void fail(Error error);

  bool on_message(wire::MessageKind kind, std::string_view payload) override;
  bool on_ping(std::string_view payload) override;
  bool on_pong(std::string_view) override { return true; }
  void on_close(std::uint16_t code, std::string_view reason) override;

  const crypto::RelaySecretKey& key_;
  const KnownKeys& known_;
  const std::string authority_;
  std::string upgrade_key_;
  std::string head_;  // of the upgrade's answer, while it comes
  Phase phase_ = Phase::kUpgrading;
  wire::FrameReader reader_{wire::Role::kClient};
  std::string output_;
  std::vector<std::string> frames_;
  crypto::RelayKey server_{};
  Elapsed heard_;
  bool said_goodbye_ = false;
  std::optional<Error> end_;
};

}  // namespace signet::cli
