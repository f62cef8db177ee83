// OutgoingSocket is one connection that this program opens: TCP, TLS over TCP, or a Unix socket.
// For the client library and the tools; the daemon's own connections are tcp_connection.h.
// Bytes can be moved without waiting (a thread with its own loop) or by waiting (a tool); what to
// verify about a TLS peer is fixed in tls_options.h. No call raises SIGPIPE.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "net/tls_options.h"
#include "net/transfer.h"
#include "net/waker.h"
#include "signet/result.h"

struct addrinfo;

namespace signet::net {

class Deadline;
class TlsClient;

struct TcpEndpoint {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 0;
  std::optional<TlsOptions> tls = std::nullopt;  // nullopt: in the clear
};
struct UnixEndpoint {
  std::string path;  // shorter than 108 bytes, the kernel's limit
};
using Endpoint = std::variant<TcpEndpoint, UnixEndpoint>;

// `tls://host:port`, `tcp://[::1]:port` or `unix:path`, for messages to people.
std::string text_of(const Endpoint& endpoint);

class OutgoingSocket {
 public:
  // Connects, and for TLS shakes hands and verifies, all within `timeout`. Tries the addresses of a
  // name in turn, each with its share of what is left; the error names the last that failed. Only
  // the resolver can hold it up longer: a lookup of a name (not of an address) cannot be cut short.
  // A set `waker` ends it early, and is left set.
  // Fails kUnavailable when nobody answers in time or the waker interrupts ("interrupted"),
  // kUnauthorized when a TLS peer does not prove to be the host (retrying does not help until a
  // person acts; the detail says what is wrong with the certificate), kMalformed when it speaks no
  // TLS or one too old, or the endpoint is none, and kNotFound when `ca_file` can't be read.
  static Result<OutgoingSocket> connect(const Endpoint& endpoint, std::chrono::milliseconds timeout,
                                        const Waker* waker = nullptr);

  OutgoingSocket(OutgoingSocket&& other) noexcept;
  OutgoingSocket& operator=(OutgoingSocket&& other) noexcept;
  // Says goodbye where TLS wants it and the socket takes it at once; never waits.
  ~OutgoingSocket();

  // Reads what is there, at most into.size() bytes, without waiting. Read until must_wait() or go
  // through wait_for_any(): TLS may hold bytes that poll() on descriptor() does not see.
  // Fails kUnavailable when the connection broke; under TLS also when it ended without the peer's
  // goodbye, since anybody on the way can do that ("cut off"). Fails kForbidden when a TLS server
  // wants a client certificate: it says so only after the handshake.
  // REQUIRES: a non-empty `into`.
  Result<Transfer> read_some(std::span<char> into);

  // Writes some of `bytes`, at least one or must_wait(); never kEnded. After must_wait() the next
  // call must offer the same bytes first; it may offer more behind them.
  // Fails kUnavailable when the connection broke.
  // REQUIRES: non-empty `bytes`.
  Result<Transfer> write_some(std::string_view bytes);

  // Writes all of `bytes`; the timeout is for all of them. A set `waker` ends it early, and is left
  // set.
  // Fails kUnavailable when the connection broke, `timeout` passes or the waker interrupts: how
  // many went is not known.
  Status send_all(std::string_view bytes, std::chrono::milliseconds timeout,
                  const Waker* waker = nullptr);

  // Waits for bytes; the number read into `into`, 0 at the peer's orderly end.
  // Fails kOverloaded when `timeout` passes, kUnavailable and kForbidden as read_some(), and
  // kUnavailable when a set `waker` interrupts.
  Result<std::size_t> receive(std::span<char> into, std::chrono::milliseconds timeout,
                              const Waker* waker = nullptr);

  // For a loop of one's own around poll(): sleep on descriptor() with the events that let reading,
  // or writing, go on, asked anew before each sleep (under TLS a reader may have to wait until it
  // can write, and the other way round). Do not sleep for reading while has_buffered(), and let
  // no edge-triggered poll watch it: must_wait() does not promise that the socket was read empty.
  int descriptor() const { return descriptor_; }
  short events(bool to_read, bool to_write) const;
  bool has_buffered() const;

  // nullopt without TLS.
  std::optional<TlsFacts> tls_facts() const;

 private:
  explicit OutgoingSocket(int descriptor);
  static Result<OutgoingSocket> connect_tcp(const TcpEndpoint& endpoint, const Waker* waker,
                                            const Deadline& deadline);
  static Result<OutgoingSocket> connect_address(const addrinfo& address, const Waker* waker,
                                                const Deadline& deadline);
  static Result<OutgoingSocket> connect_local(const std::string& path, const Waker* waker,
                                              const Deadline& deadline);
  Status secure(const std::string& host, const TlsOptions& options, const Waker* waker,
                const Deadline& deadline);

  int descriptor_ = -1;
  std::unique_ptr<TlsClient> tls_;  // null: in the clear
};

// One socket somebody waits for: what they want to do with it, and what the wait found possible. A
// broken or ended socket is possible to read and to write: the attempt says what is wrong.
struct Watch {
  const OutgoingSocket* socket = nullptr;
  bool read = false;
  bool write = false;
  bool can_read = false;
  bool can_write = false;
};

// Sleeps until something watched is possible, `waker` (which may be null) is set, or `timeout`
// passed; false only for the latter. Sets can_read and can_write of every watch. A negative timeout
// waits for ever. Bytes that TLS already holds count as readable. The waker stays set: clear() it.
bool wait_for_any(std::span<Watch> watches, const Waker* waker, std::chrono::milliseconds timeout);

}  // namespace signet::net
