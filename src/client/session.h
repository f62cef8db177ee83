// Session is one connection to a broker, without a socket or a clock: bytes and time in, bytes and
// answers out. It upgrades, says hello, answers pings, notices silence, and cuts what comes into
// answers. Who owns it moves the bytes: the client's thread one, the load generator hundreds.
// Owned by one thread. Format: protocol/claudemesh.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "client/websocket_link.h"
#include "crypto/sign.h"
#include "dialects/claudemesh_client.h"
#include "signet/result.h"

namespace signet::client {

struct SessionOptions {
  std::chrono::milliseconds upgrade_timeout{5'000};  // a broker answers at once or is no broker
  std::chrono::milliseconds hello_timeout{5'000};    // of the protocol page
  std::chrono::milliseconds ping_after{30'000};      // of silence, as the broker does
  std::chrono::milliseconds dead_after{75'000};      // likewise
  // The largest frame of a broker is a list of peers, 512 KiB; a push is 64 KiB and its envelope.
  std::size_t max_frame_bytes = 1 << 20;
  // What may wait to be written: far above what the outbox has under way. A broker that pings and
  // pushes without end and reads nothing would else fill the memory with answers.
  std::size_t max_output_bytes = 16 << 20;
};

// Who connects, and what is said of it.
struct SessionIdentity {
  std::string mesh_id;
  std::string member_id;
  const crypto::SecretKey* key = nullptr;  // outlives the session
  std::string session_id;                  // hints, shown to others
  std::string display_name;
  std::string cwd = "/";
  std::int64_t pid = 0;
};

// How a session ended, and what to do next.
struct SessionEnd {
  Error error;  // begins with a code: the broker's, or connection_lost, protocol_error, …
  bool is_final = false;  // no retry changes it: the key is not, or no longer, a member's
};

class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  virtual void on_admitted(const dialects::HelloAnswer& answer) = 0;
  // Everything that the broker says but the answer to the hello. May come before on_admitted.
  virtual void on_answer(dialects::Answer answer) = 0;
};

class Session : private WebSocketEvents {
 public:
  // Puts the upgrade request into the output. `host` is what the Host header says.
  Session(const SessionOptions& options, SessionIdentity identity, std::string_view host,
          std::string_view path, Elapsed now);

  // What came from the socket; unmasked in place. No event destroys the session.
  void feed(std::span<char> bytes, Elapsed now, WallTime wall, SessionEvents& events);
  // The peer closed, or the socket broke.
  void lost(std::string_view why, std::string_view code = "connection_lost");
  // Asked at next_deadline() or later.
  void on_time(Elapsed now);
  Elapsed next_deadline() const;

  // REQUIRES: is_admitted().
  void say(std::string_view frame);
  void say_goodbye();  // a close frame; nothing is said after it

  // What waits to be written; the owner erases what it wrote.
  std::string& output() { return link_.output(); }

  bool is_admitted() const { return phase_ == Phase::kOpen; }
  const std::optional<SessionEnd>& end() const { return end_; }

 private:
  enum class Phase : std::uint8_t { kUpgrading, kHello, kOpen };

  void say_hello();
  void fail(ErrorCode code, std::string_view stable_code, std::string_view sentence);
  void refuse_hello(const std::string& code);
  void note_fault();

  void on_open() override;
  void on_message(wire::MessageKind kind, std::string_view payload) override;
  void on_close(std::uint16_t code, std::string_view reason) override;

  const SessionOptions options_;
  const SessionIdentity identity_;
  WebSocketLink link_;
  Phase phase_ = Phase::kUpgrading;
  Elapsed phase_deadline_;
  Elapsed heard_;  // when bytes came last
  WallTime wall_;  // likewise
  bool pinged_ = false;
  std::optional<SessionEnd> end_;
  std::string refusal_;              // the code of the broker's last error before admission
  SessionEvents* events_ = nullptr;  // during feed()
};

}  // namespace signet::client
