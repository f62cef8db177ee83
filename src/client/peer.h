// Peer is one member's connection to a broker over claudemesh, for programs that wait: it says
// hello, sends sealed direct messages, and reads what comes. It answers pings while it waits.
// Owned by one thread. The library for applications, with its outbox and its own thread, builds on
// this.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "client/url.h"
#include "crypto/sign.h"
#include "net/blocking_socket.h"
#include "signet/result.h"
#include "wire/json.h"
#include "wire/websocket_frame.h"

namespace signet::client {

// A member of a mesh, with the key that proves it.
struct Identity {
  std::string broker_url;  // ws://host:port/ws
  std::string mesh_id;
  std::string member_id;
  crypto::SecretKey key;
};

// Joins by an invite link with a fresh key. Fails kForbidden with the broker's code, kMalformed
// when the link is none, kUnavailable when the broker can't be reached.
Result<Identity> join(std::string_view invite_link, std::string_view display_name,
                      std::chrono::milliseconds timeout);

struct Incoming {
  std::string message_id;
  std::string sender_key;  // hex
  std::string target;
  std::optional<std::string> text;  // opened; nullopt when the body does not open
};

class Peer : private wire::FrameEvents {
 public:
  // Connects and says hello. Fails kUnauthorized with the broker's code when it is refused.
  // `identity` must outlive the peer.
  static Result<std::unique_ptr<Peer>> connect(const Identity& identity,
                                               std::chrono::milliseconds timeout);

  // Seals `text` to the member with `to` and waits for the broker's ack; its message id.
  // Fails kForbidden with the broker's code when it is refused.
  Result<std::string> send(const crypto::PublicKey& to, std::string_view text,
                           std::string_view client_id);

  // The next message pushed to this peer, confirmed by a receipt.
  // Fails kOverloaded when none comes in time.
  Result<Incoming> receive(std::chrono::milliseconds timeout);

 private:
  Peer(const Identity& identity, net::BlockingSocket socket, std::chrono::milliseconds timeout);
  Status shake_hands(const Url& url);
  Status say_hello();
  Status write_frame(wire::Opcode opcode, std::string_view payload);
  // The next text frame whose type is `type`; pushes that come meanwhile wait in pushes_. Fails
  // kOverloaded at the deadline, however busy the broker keeps the connection.
  Result<std::string> next_frame(std::string_view type, Elapsed deadline);
  Status read_some(std::chrono::milliseconds timeout);
  void read_frames(std::span<char> bytes);
  Result<Incoming> open(const std::string& push);

  bool on_message(wire::MessageKind kind, std::string_view payload) override;
  bool on_ping(std::string_view payload) override;
  bool on_pong(std::string_view payload) override;
  void on_close(std::uint16_t code, std::string_view reason) override;

  const Identity& identity_;
  net::BlockingSocket socket_;
  const std::chrono::milliseconds timeout_;
  wire::FrameReader reader_{wire::Role::kClient};
  wire::FrameLimits limits_;
  std::deque<std::string> frames_;     // read, not yet looked at
  std::deque<std::string> pushes_;     // messages that came while something else was awaited
  std::optional<std::string> closed_;  // why the broker ended the connection
};

}  // namespace signet::client
