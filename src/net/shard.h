// Shard is one thread, one epoll loop and everything it touches. Listener accepts on one shard's
// loop and hands each socket to the least loaded shard. Turn order: drain the mailbox, timers,
// socket events, on_turn_end(), then one write per connection with output. The mailbox is drained
// after epoll_wait and before any socket is read, so that what another thread posted before a peer
// acted is seen before that peer's bytes are.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mailbox.h"
#include "base/metrics.h"
#include "base/time.h"
#include "net/connection.h"
#include "signet/result.h"

namespace signet::net {

// What server.listen shows. No OpenSSL in here: other modules include this.
struct TlsServerOptions {
  std::string certificate;  // PEM file, the chain after it
  std::string key;          // PEM file with mode 0600
  bool allow_tls12 = false;
  std::string client_ca;             // PEM file; empty: no client certificate is asked for
  bool require_certificate = false;  // of every client
  std::chrono::milliseconds handshake_timeout{
      5'000};  // a trickled handshake holds nothing for long
};

// Each bound with its reason; config fills them, tests shrink them.
struct NetOptions {
  std::optional<TlsServerOptions> tls;  // nullopt: plain
  std::vector<std::string> origins;     // whole origins; "loopback": those of this machine
  bool any_origin = true;               // no list: for tests of what comes before and after it
  std::vector<std::string>
      trusted_proxies;  // addresses, networks: their X-Forwarded-For is believed
  wire::HttpLimits http;
  std::size_t max_body_bytes = 65'536;  // the largest HTTP body, but for what its owner allows more
  // What unfinished requests with larger bodies hold on one shard, all together: a thousand
  // megabytes that trickle in must not eat the memory. Some fifty such requests at once.
  std::size_t large_body_bytes = 64 << 20;
  std::size_t high_water_bytes = 256 * 1024;      // stop producing: one slow reader
  std::size_t max_queued_bytes = 1024 * 1024;     // hard limit of one connection's output queue
  std::chrono::milliseconds head_timeout{5'000};  // a whole head and body, or 408 and close
  std::chrono::milliseconds idle_http_timeout{30'000};  // keep-alive without a request
  // A request that its owner leaves unanswered: above the longest poll, which is held 45 s.
  std::chrono::milliseconds answer_timeout{60'000};
  std::chrono::milliseconds ping_interval{30'000};  // a silent WebSocket is pinged
  std::chrono::milliseconds dead_after{75'000};     // and closed when nothing at all came back
  std::chrono::milliseconds slow_consumer_after{30'000};  // output queue not empty, no progress
  std::chrono::milliseconds close_timeout{2'000};         // a peer's answer to our close frame
  std::chrono::microseconds spin{50};    // look again before blocking, while there was traffic
  std::size_t max_connections = 19'000;  // of the whole process; the rest of the fds is for us
  std::size_t max_connections_per_address = 1'000;  // 0: no limit (dev)
  std::size_t max_unproven = 2'000;  // nobody called proven() for them; beyond, each ends one
  std::size_t unproven_start = 0;    // from here on some do, the more the fuller; 0: half of it
  std::size_t unproven_share_percent = 10;  // of max_unproven, for one address, from the start on;
                                            // 0: no limit (dev)
  std::size_t reserve_percent = 10;  // of max_connections: here each newcomer ends an unproven one
  std::size_t max_local_connections =
      64;  // on the Unix socket, beside all others: operators are few
  std::size_t receive_buffer_bytes = 512 * 1024;  // one per shard, shared by its connections
};

class Shard {
 public:
  virtual ~Shard() = default;

  // Any thread.
  virtual Mailbox& mailbox() = 0;
  virtual std::uint32_t index() const = 0;
  virtual std::size_t connections() const = 0;

  // Shard thread only.
  virtual Connection* find(ConnectionId id) = 0;
  virtual void each_connection(const std::function<void(Connection&)>& visit) = 0;
  // Moves a connection to shard `to`, which is that of its session, say. Here it ends without a
  // word: no on_closed(), its attachment goes after this callback, its id finds nothing. There it
  // goes on as a new Connection with the same socket, TLS session, peer and door, proven where it
  // was, and its owner's on_request() gets the very same request; limits count it once all the
  // while. A shard that stops closes it. Handing over to this shard is allowed, and asks again.
  // REQUIRES: called within on_request() for its connection, whose request is not answered yet, and
  // `to` is a shard of this network; else the connection is closed (kInternal).
  virtual void hand_over(Connection& connection, std::uint32_t to) = 0;
  // Tells the limits of unfinished handshakes that this one has proven itself.
  virtual void proven(Connection& connection) = 0;
  // Calls `task` every `period` on this shard until the shard ends.
  virtual void every(std::chrono::milliseconds period, std::function<void()> task) = 0;
  virtual void after(std::chrono::milliseconds delay, std::function<void()> task) = 0;
  virtual Elapsed now() const = 0;  // read once per turn
};

// Network owns the shards' threads and the listeners.
class Network {
 public:
  // `events_for` makes the owner of each shard's connections; it is called here, before any
  // thread starts. `options`, `metrics` and `clock` must outlive the network. Fails kMalformed for
  // an origin or a trusted proxy that is none.
  static Result<std::unique_ptr<Network>> create(
      std::size_t shards, const NetOptions& options, MetricRegistry& metrics, const Clock& clock,
      const std::function<ConnectionEvents*(Shard&)>& events_for);
  virtual ~Network() = default;  // stop()s

  // Binds and listens; answers the address with its real port. SO_REUSEADDR, backlog 4096. With
  // NetOptions::tls a public door speaks TLS; an operator's never does, and is on loopback only
  // (else kForbidden).
  virtual Result<PeerAddress> listen(const PeerAddress& address, Door door = Door::kPublic) = 0;

  // Reads the certificate, its key and the client authorities again, for handshakes from now on;
  // connections that are open stay. Fails as create() does for them, and then keeps the last good.
  // Done where there is no TLS. Any thread.
  virtual Status reload_tls() = 0;
  // Which pages may connect from now on, in place of NetOptions::origins and any_origin; pages that
  // are connected stay. Fails as OriginList::of() does, and then keeps those that were. Any thread.
  virtual Status allow_origins(const std::vector<std::string>& origins) = 0;
  // When the certificate that is shown now ends; nullopt: there is no TLS. Any thread.
  virtual std::optional<WallTime> certificate_ends() const = 0;

  // Serves at the Unix socket `path` too; connections from there are local (address.h). The file
  // goes when serving stops. Fails as LocalSocket::open() does.
  virtual Status listen_local(const std::string& path) = 0;

  virtual void start() = 0;  // starts the threads
  virtual std::vector<Shard*> shards() = 0;

  // Stops accepting; closes every connection with 1001 after a random share of `jitter`; returns
  // when all are closed or `within` has passed; then joins the threads. Any thread but a shard's.
  virtual void stop(std::chrono::milliseconds jitter, std::chrono::milliseconds within) = 0;
};

}  // namespace signet::net
