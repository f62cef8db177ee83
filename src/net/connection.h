// Connection is one TCP peer, owned by one shard and used only on that shard's thread. It speaks
// HTTP/1.1 until a request is upgraded, and WebSocket from then on. This header is the seam: behind
// it live epoll, the codecs and (later) OpenSSL; in front of it nobody includes them.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "base/time.h"
#include "net/address.h"
#include "wire/http_head.h"
#include "wire/websocket_frame.h"

namespace signet::net {

// ConnectionId names a connection across threads and time: a slot of its shard and how often that
// slot was used. A stale id finds nothing.
struct ConnectionId {
  std::uint32_t shard = 0;
  std::uint32_t slot = 0;
  std::uint32_t use = 0;
  auto operator<=>(const ConnectionId&) const = default;
};

enum class Sent : std::uint8_t {
  kQueued,          // will be written in order
  kAboveHighWater,  // queued, but stop producing until on_drained()
  kDropped,         // over the hard limit: not queued, counted; nothing else happens
};

// Whatever the owner of a connection keeps with it: its session. Destroyed with the connection,
// after on_closed().
class Attachment {
 public:
  virtual ~Attachment() = default;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;  // empty: none
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// By which listener a connection came in.
enum class Door : std::uint8_t {
  kPublic,    // server.listen: everybody's
  kOperator,  // metrics and administration only
};

class Connection {
 public:
  virtual ~Connection() = default;

  virtual ConnectionId id() const = 0;
  // Behind a trusted proxy: the client that it forwards, from the first request on.
  virtual const PeerAddress& peer() const = 0;
  virtual Door door() const { return Door::kPublic; }
  virtual bool is_encrypted() const { return false; }  // by TLS that ends here
  // The common name of the client certificate that TLS verified; empty: none was shown.
  virtual std::string_view certificate_name() const { return {}; }
  // Until when that certificate, and each that vouches for it, is valid; a connection may live on.
  virtual WallTime certificate_ends() const { return {}; }

  // Answers the request that on_request() reported last. May be called during on_request() or
  // later (find the connection again by its id). The next pipelined request is read only then.
  virtual void respond(const HttpResponse& response) = 0;

  // Answers an upgrade request with 101; messages follow through on_message(). `limits` must live
  // as long as the connection. REQUIRES: on_request() reported `upgrade`, not answered yet.
  virtual void accept_websocket(std::string_view subprotocol, const wire::FrameLimits& limits) = 0;

  // What holds for the peer's frames from the next one on, also within on_message(): small limits
  // for who has proven nothing, larger ones afterwards. `limits` must live as long as the
  // connection. REQUIRES: accept_websocket() was called.
  virtual void set_frame_limits(const wire::FrameLimits& limits) = 0;

  // The calls below are for WebSockets. They never block and never call back before they return;
  // what is queued in one turn of the loop goes out in one write at its end.
  virtual Sent send(wire::Opcode opcode, std::string_view payload) = 0;
  // A frame that is already encoded (append_frame): encoded once, sent to many.
  virtual Sent send_encoded(std::string_view frame) = 0;
  virtual std::size_t queued_bytes() const = 0;
  // False once either side said that it closes: what is sent then is dropped, and nobody is slow.
  virtual bool takes_frames() const = 0;

  // While paused nothing is read: what the peer sends waits in the kernel and then with the peer.
  // Messages of the read that is being reported still come.
  virtual void pause_input(bool pause) = 0;

  // Sends what is queued and a close frame with `reason` (text: the code's name unless `text` is
  // given), then closes; on_closed() follows exactly once, never inside this call. Idempotent.
  virtual void close(CloseReason reason, std::string_view text = {}) = 0;

  // The time by which something must have happened (a hello, say); on_deadline() follows once
  // unless it is cleared first. One per connection.
  virtual void set_deadline(std::chrono::milliseconds from_now) = 0;
  virtual void clear_deadline() = 0;

  // The owner's state. `attach` replaces what was there.
  virtual void attach(std::unique_ptr<Attachment> attachment) = 0;
  virtual Attachment* attachment() = 0;
};

// One complete request: head, and body within the limit. Borrowed for the call.
struct HttpRequest {
  const wire::RequestHead& head;
  std::string_view body;
  bool upgrade;  // a valid WebSocket handshake: accept_websocket() or respond() with a refusal
  const std::vector<std::string_view>& subprotocols;
};

// What connections tell their owner, always on the connection's shard.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  virtual void on_request(Connection& connection, const HttpRequest& request) = 0;
  // Whether a web page of any origin may make this request, which is no upgrade, on the public
  // door: it lets nobody do what the page's reader alone may do. Asked before on_request() where
  // the request's origin is not listed; what a page may not do is refused there.
  virtual bool is_public(const wire::RequestHead& head) const {
    return head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS";
  }
  // How many bytes of body a request with this head may have, where that is more than the
  // NetOptions::max_body_bytes that every request may have. Asked before the body is read, perhaps
  // more than once.
  virtual std::size_t max_body_bytes(const wire::RequestHead& /*head*/) const { return 0; }
  virtual void on_message(Connection& connection, wire::MessageKind kind,
                          std::string_view payload) = 0;
  virtual void on_pong(Connection& connection, std::string_view payload) = 0;
  // The output queue fell to half of its high-water mark after a kAboveHighWater.
  virtual void on_drained(Connection& connection) = 0;
  virtual void on_deadline(Connection& connection) = 0;
  // Last call ever for this connection; only for those that were reported before. A peer that ends
  // its side while its request waits for an answer is gone.
  virtual void on_closed(Connection& connection) = 0;
  // TLS took no client certificate: `code` says what was wrong with it. Of a connection that is
  // reported in no other way.
  virtual void on_certificate_refused(const PeerAddress& /*peer*/, std::string_view /*code*/) {}
  // Every turn of the loop, after all events and before the one write per connection.
  virtual void on_turn_end() = 0;
};

}  // namespace signet::net
